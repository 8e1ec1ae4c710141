/// A policy, critics and a temperature that need not come from one agent.
#pragma once

#include "algos/agents/actor_critic.hpp"

namespace anthill {

/// Frozen-critic counterfactuals: the policy of `actor`, the values of `critic` (and its discount
/// and reward_scale) and the temperature of `alpha`, all on one device and of one task. The three
/// must outlive it.
class ComposedActorCritic final : public ActorCritic {
 public:
  ComposedActorCritic(const ActorCritic& actor, const ActorCritic& critic, const ActorCritic& alpha)
      : actor_(actor), critic_(critic), alpha_(alpha) {}

  at::Device device() const override { return actor_.device(); }
  std::int64_t action_dim() const override { return actor_.action_dim(); }

  Sample sample(const Tensor& observation, const Tensor& noise) const override {
    return actor_.sample(observation, noise);
  }
  Tensor mode(const Tensor& observation) const override { return actor_.mode(observation); }

  Tensor q(const Tensor& observation, const Tensor& action) const override {
    return critic_.q(observation, action);
  }
  Tensor target_q(const Tensor& observation, const Tensor& action) const override {
    return critic_.target_q(observation, action);
  }

  double alpha() const override { return alpha_.alpha(); }
  double discount() const override { return critic_.discount(); }
  double reward_scale() const override { return critic_.reward_scale(); }

 private:
  const ActorCritic& actor_;
  const ActorCritic& critic_;
  const ActorCritic& alpha_;
};

}  // namespace anthill
