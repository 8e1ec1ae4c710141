/// Which parts of an algorithm an update consists of.
#pragma once

#include <cstdint>
#include <numeric>

#include "algos/agents/agent_config.hpp"

namespace anthill {

struct UpdateTurn {
  bool critic = true, policy = true, targets = true;
};

/// Of update number `num_updates`, from 0. Every update is one of the critics, and every
/// policy_delay-th of the policy, every target_period-th of the targets; with critic_updates > 0
/// critics and policy take turns instead, and the targets follow at the end of every
/// target_period-th round.
inline UpdateTurn update_turn(const AgentConfig& config, std::int64_t num_updates) {
  if (config.critic_updates == 0) {
    return {.critic = true,
            .policy = (num_updates + 1) % config.policy_delay == 0,
            .targets = (num_updates + 1) % config.target_period == 0};
  }
  const std::int64_t round = config.critic_updates + config.policy_updates;
  const std::int64_t place = num_updates % round;
  return {.critic = place < config.critic_updates,
          .policy = place >= config.critic_updates,
          .targets = (num_updates + 1) % (round * config.target_period) == 0};
}

/// Turns repeat after so many updates.
inline std::int64_t turn_period(const AgentConfig& config) {
  if (config.critic_updates == 0) return std::lcm(config.policy_delay, config.target_period);
  return (config.critic_updates + config.policy_updates) * config.target_period;
}

/// A turn as one number, and back.
inline std::int64_t kind_of(const UpdateTurn& turn) {
  return (turn.critic ? 1 : 0) + (turn.policy ? 2 : 0) + (turn.targets ? 4 : 0);
}
inline UpdateTurn turn_of(std::int64_t kind) {
  return {.critic = (kind & 1) != 0, .policy = (kind & 2) != 0, .targets = (kind & 4) != 0};
}

}  // namespace anthill
