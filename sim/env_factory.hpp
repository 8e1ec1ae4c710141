/// Names to tasks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/env.hpp"
#include "sim/sim_config.hpp"

namespace anthill {

/// Names of all tasks, in the order of the documentation.
std::vector<std::string> env_names();

/// The task `config.env` with its options; `config.max_episode_steps` overrides the time limit when
/// not 0. Throws ConfigError for an unknown name (lists the known and the nearest) or an option
/// that the version lacks. Other tasks' options are not looked at: check_experiment() refuses them.
std::shared_ptr<const Env> make_env(const SimConfig& config);

}  // namespace anthill
