/// Which settings a run may change when it goes on from a checkpoint.
#pragma once

#include <string>
#include <vector>

#include "configs/experiment.hpp"

namespace anthill {

/// The settings that leave what is learned as it is, or that only say for how long and where.
const std::vector<std::string>& keys_that_resume_may_change();

/// Throws ConfigError that names every setting of `now` that differs from `saved_toml`, the
/// resolved configuration in a checkpoint, and may not. Returns one line for each that differs and
/// may. `where` (a path) stands in the messages.
std::vector<std::string> check_resume(const ResolvedExperiment& now, const std::string& saved_toml,
                                      const std::string& where);

}  // namespace anthill
