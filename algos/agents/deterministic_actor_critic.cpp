// DDPG and TD3 as the value probe sees them.
#include "algos/agents/deterministic.hpp"
#include "algos/agents/greedy_actor_critic.hpp"

namespace anthill {
namespace {

/// One member of a stack.
class DeterministicActorCritic final : public GreedyActorCritic {
 public:
  DeterministicActorCritic(const DeterministicModel& model, const AgentConfig& config,
                           std::int64_t member)
      : GreedyActorCritic(config), model_(model) {
    model_.actor = model.actor.member(member);
    model_.critic = model.critic.member(member);
    model_.target_critic = model.target_critic.member(member);
  }

  at::Device device() const override { return model_.discount.device(); }
  std::int64_t action_dim() const override { return model_.actor_shape.output_dim; }

  /// Within the bounds, where the environment acts, also for a linear output.
  Tensor mode(const Tensor& observation) const override {
    at::NoGradGuard no_grad;
    const Tensor action = policy_action(model_, model_.actor, of_stack(observation));
    return model_.actions.normalised(action).clamp(-1.0, 1.0)[0];
  }

  Tensor q(const Tensor& observation, const Tensor& action) const override {
    return values(model_.critic, observation, action);
  }
  Tensor target_q(const Tensor& observation, const Tensor& action) const override {
    return values(model_.target_critic, observation, action);
  }

 private:
  static Tensor of_stack(const Tensor& rows) { return rows.unsqueeze(0).contiguous(); }

  Tensor values(const Parameters& critic, const Tensor& observation, const Tensor& action) const {
    at::NoGradGuard no_grad;
    return q_values(model_, critic, of_stack(observation),
                    model_.actions.measured(of_stack(action)))[0];
  }

  DeterministicModel model_;  // shares its parameters with the stack
};

}  // namespace

std::unique_ptr<ActorCritic> DeterministicAgent::actor_critic(std::int64_t member) const {
  return std::make_unique<DeterministicActorCritic>(
      model_, members_.at(static_cast<std::size_t>(member)), member);
}

}  // namespace anthill
