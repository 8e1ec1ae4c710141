/// Ant-v4 and Ant-v5: a four-legged walker, rewarded for moving along x.
#pragma once

#include <memory>

#include "sim/env.hpp"
#include "sim/sim_config.hpp"

namespace anthill {

enum class AntVersion { v4, v5 };

/// The task with the options `config.ant` and the time limit of `config.max_episode_steps` (0:
/// 1000). Throws ConfigError for values out of range, options that the version lacks, and models
/// without the body whose speed is rewarded.
std::unique_ptr<Env> make_ant(AntVersion version, const SimConfig& config);

}  // namespace anthill
