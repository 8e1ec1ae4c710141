/// Pendulum-v1: swing up and balance a pendulum with limited torque.
#pragma once

#include <memory>

#include "sim/env.hpp"
#include "sim/sim_config.hpp"

namespace anthill {

/// The task with the options `config.pendulum` and the time limit of `config.max_episode_steps` (0:
/// 200). Throws ConfigError when gravity is not finite.
std::unique_ptr<Env> make_pendulum(const SimConfig& config);

}  // namespace anthill
