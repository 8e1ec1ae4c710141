/// What makes two runs the same point of a sweep.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "algos/training/experiment_config.hpp"

namespace anthill {

/// The settings that say where and how a run is carried out, and change nothing that it learns or
/// records: they are no part of a point's identity.
const std::vector<std::string>& machine_only_keys();

/// The resolved settings that are not default, but for run.seed and machine_only_keys(): one
/// "key = value" each, sorted by key. Defaults are left out so that a key which a later version
/// adds changes no identity. A model file counts by its name and content, and by those of the
/// files that it names (configs/model_files.hpp). Throws ConfigError when it cannot be read.
std::string identity_text(const ExperimentConfig& config);

/// 12 hexadecimal digits: a hash.
std::string short_hash(std::string_view text);

/// short_hash() of identity_text().
std::string point_id(const ExperimentConfig& config);

}  // namespace anthill
