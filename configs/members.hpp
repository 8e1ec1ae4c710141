/// A stack: runs of one structure that train in one process and differ in seeds and numbers.
#pragma once

#include <string>
#include <vector>

#include "configs/experiment.hpp"

namespace anthill {

struct MemberExperiment {
  std::string folder;  // of its run, relative to the stack's folder unless absolute
  ResolvedExperiment experiment;
};

/// The settings in which members of a stack may differ.
const std::vector<std::string>& keys_that_members_may_change();

/// `config` and `overrides` as for read_experiment, and for each [[members]] table of the file
/// `members` the settings in it on top. A table without `folder` gets "member-0", "member-1", ...
/// by its place. Throws ConfigError, also for two members with one folder, for settings that
/// members share, and for training.on_non_finite = "continue".
std::vector<MemberExperiment> read_members(const std::string& config,
                                           const std::vector<std::string>& overrides,
                                           const std::string& members);

}  // namespace anthill
