/// What an algorithm or a task does not read.
#pragma once

#include <string>

#include "configs/fields.hpp"
#include "configs/relations.hpp"

namespace anthill {

/// What a key is worth when nobody sets it.
Value unset_value(const Field& field, const std::string& preset);

/// A setting that the algorithm does not read is a mistake in one of the two: ConfigError.
void refuse_unused_agent_keys(const ResolvedExperiment& experiment);

/// Whether the options of [sim.SECTION] act on `env`: "ant" on "Ant-v5".
bool has_options_of(const std::string& env, const std::string& section);

/// Options of a task that does not run are a mistake in one of the two names: ConfigError.
void refuse_unused_tasks(const ResolvedExperiment& experiment);

}  // namespace anthill
