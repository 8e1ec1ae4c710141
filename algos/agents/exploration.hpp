/// How much DDPG, TD3 and DQN explore.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "algos/agents/agent_config.hpp"

namespace anthill {

/// The scale after `env_steps` transitions of one member (agent_config.hpp has the formulas).
inline double exploration_scale(const ExplorationConfig& config, std::int64_t env_steps) {
  const auto steps = static_cast<double>(env_steps), period = static_cast<double>(config.period);
  switch (config.schedule) {
    case ExplorationSchedule::constant:
      return config.scale;
    case ExplorationSchedule::linear:
      return std::lerp(config.scale, config.final_scale, std::min(1.0, steps / period));
    case ExplorationSchedule::exponential:
      break;
  }
  return std::max(config.final_scale,
                  config.scale * std::pow(config.decay, std::floor(steps / period)));
}

/// The same for every member.
inline std::vector<double> exploration_scales(const std::vector<AgentConfig>& members,
                                              std::int64_t env_steps) {
  std::vector<double> scales;
  for (const AgentConfig& member : members) {
    scales.push_back(exploration_scale(member.exploration, env_steps));
  }
  return scales;
}

/// The action that a uniform number in (0, 1) chooses.
inline std::int64_t random_index(double uniform, std::int64_t num_actions) {
  return std::min(num_actions - 1,
                  static_cast<std::int64_t>(uniform * static_cast<double>(num_actions)));
}

}  // namespace anthill
