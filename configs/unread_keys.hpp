/// What an algorithm does not read.
#pragma once

#include <string>

#include "configs/fields.hpp"
#include "configs/relations.hpp"

namespace anthill {

/// What a key is worth when nobody sets it.
Value unset_value(const Field& field, const std::string& preset);

/// A setting that the algorithm does not read is a mistake in one of the two: ConfigError.
void refuse_unused_agent_keys(const ResolvedExperiment& experiment);

}  // namespace anthill
