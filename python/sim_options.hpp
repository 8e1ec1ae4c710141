/// From a task's name and named options to the settings of the simulator, through the checks of a
/// configuration file.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "configs/fields.hpp"
#include "sim/sim_config.hpp"

namespace anthill {

/// Options by name, in the order in which they were given: keys of the task's section, or of [sim].
using SimOptions = std::vector<std::pair<std::string, Value>>;

/// Settings with the warnings that a command would print, one line each.
struct CheckedSim {
  SimConfig config;
  std::vector<std::string> warnings;
};

/// `env` with `options`. An integer is taken where a real number is wanted, as in TOML. Throws
/// ConfigError for an unknown name (with the nearest) or a value that the key does not take.
CheckedSim sim_of_options(const std::string& env, std::int64_t num_envs, std::int64_t num_threads,
                          const SimOptions& options);

/// [sim] of a configuration file, such as a run's resolved.toml. Throws ConfigError.
CheckedSim sim_of_file(const std::string& path, std::int64_t num_envs, std::int64_t num_threads);

}  // namespace anthill
