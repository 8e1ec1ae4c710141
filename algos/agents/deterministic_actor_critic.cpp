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
      : GreedyActorCritic(config, model.critic.member(member), model.target_critic.member(member)),
        model_(model),
        actor_(model.actor.member(member)) {}

  std::int64_t action_dim() const override { return model_.actor_shape.output_dim; }

  /// Within the bounds, where the environment acts, also for a linear output.
  Tensor mode(const Tensor& observation) const override {
    at::NoGradGuard no_grad;
    const Tensor action = policy_action(model_, actor_, of_stack(observation));
    return model_.actions.normalised(action).clamp(-1.0, 1.0)[0];
  }

 private:
  Tensor values(const Parameters& critic, const Tensor& observation,
                const Tensor& action) const override {
    return q_values(model_, critic, of_stack(observation),
                    model_.actions.measured(of_stack(action)))[0];
  }

  const DeterministicModel& model_;
  Parameters actor_;
};

}  // namespace

std::unique_ptr<ActorCritic> DeterministicAgent::actor_critic(std::int64_t member) const {
  return std::make_unique<DeterministicActorCritic>(
      model_, members_.at(static_cast<std::size_t>(member)), member);
}

}  // namespace anthill
