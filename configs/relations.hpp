/// What must hold between settings.
#pragma once

#include <string>
#include <vector>

#include "configs/experiment.hpp"

namespace anthill {

// values of ResolvedExperiment::origins that are no "file:line:column"
inline const std::string kDefaultOrigin = "default";
inline const std::string kPresetOrigin = "preset ";  // and the preset's name
inline const std::string kOverrideOrigin = "--set";

/// Where the first of `keys` that somebody wrote down was written: "file:line:column" or "--set
/// section.key". Otherwise the file, or "configuration" for one made in code.
std::string location_of(const ResolvedExperiment& experiment, const std::vector<std::string>& keys);

/// Throws ConfigError at the first settings that contradict each other.
void check_relations(const ResolvedExperiment& experiment);

/// Settings that work together but hardly as meant, one line each. `num_cores` 0: unknown.
std::vector<std::string> relation_warnings(const ResolvedExperiment& experiment, int num_cores);

}  // namespace anthill
