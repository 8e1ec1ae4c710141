/// Agents without entropy as a value probe sees them.
#pragma once

#include "algos/agents/actor_critic.hpp"
#include "algos/agents/agent_config.hpp"
#include "algos/networks/parameters.hpp"

namespace anthill {

/// The policy that the critics value is mode(): a sample is the same action, whatever the noise,
/// and has no log-probability to weigh. Exploration is no part of it.
class GreedyActorCritic : public ActorCritic {
 public:
  /// One member's critics and their targets, in shared memory.
  GreedyActorCritic(const AgentConfig& config, Parameters critic, Parameters target_critic)
      : config_(config), critic_(std::move(critic)), target_critic_(std::move(target_critic)) {}

  at::Device device() const override { return critic_.flat().device(); }
  Sample sample(const Tensor& observation, const Tensor& /*noise*/) const override {
    const Tensor action = mode(observation);
    return {action, at::zeros({action.size(0)}, action.options())};
  }
  Tensor q(const Tensor& observation, const Tensor& action) const override {
    at::NoGradGuard no_grad;
    return values(critic_, observation, action);
  }
  Tensor target_q(const Tensor& observation, const Tensor& action) const override {
    at::NoGradGuard no_grad;
    return values(target_critic_, observation, action);
  }
  double alpha() const override { return 0.0; }
  double discount() const override { return config_.discount; }
  double reward_scale() const override { return config_.reward_scale; }

 protected:
  const Parameters& critic() const { return critic_; }
  static Tensor of_stack(const Tensor& rows) { return rows.unsqueeze(0).contiguous(); }

 private:
  /// Q_j(s, a) of `critic`, (E x B).
  virtual Tensor values(const Parameters& critic, const Tensor& observation,
                        const Tensor& action) const = 0;

  const AgentConfig& config_;
  Parameters critic_, target_critic_;
};

}  // namespace anthill
