/// Agents without entropy as a value probe sees them.
#pragma once

#include "algos/agents/actor_critic.hpp"
#include "algos/agents/agent_config.hpp"

namespace anthill {

/// The policy that the critics value is mode(): a sample is the same action, whatever the noise,
/// and has no log-probability to weigh. Exploration is no part of it.
class GreedyActorCritic : public ActorCritic {
 public:
  explicit GreedyActorCritic(const AgentConfig& config) : config_(config) {}

  Sample sample(const Tensor& observation, const Tensor& /*noise*/) const override {
    const Tensor action = mode(observation);
    return {action, at::zeros({action.size(0)}, action.options())};
  }
  double alpha() const override { return 0.0; }
  double discount() const override { return config_.discount; }
  double reward_scale() const override { return config_.reward_scale; }

 private:
  const AgentConfig& config_;
};

}  // namespace anthill
