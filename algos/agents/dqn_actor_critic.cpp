// DQN as the value probe sees it: actions are indices, one column.
#include "algos/agents/dqn.hpp"
#include "algos/agents/greedy_actor_critic.hpp"

namespace anthill {
namespace {

/// One member of a stack.
class DqnActorCritic final : public GreedyActorCritic {
 public:
  DqnActorCritic(const DqnModel& model, const AgentConfig& config, std::int64_t member)
      : GreedyActorCritic(config, model.critic.member(member), model.target_critic.member(member)),
        model_(model) {}

  std::int64_t action_dim() const override { return 1; }

  Tensor mode(const Tensor& observation) const override {
    at::NoGradGuard no_grad;
    return values_of_all(critic(), observation).argmax(-1, /*keepdim=*/true).to(at::kFloat);
  }

 private:
  /// (B x C)
  Tensor values_of_all(const Parameters& critic, const Tensor& observation) const {
    return q_values(model_, critic, of_stack(observation))[0];
  }

  Tensor values(const Parameters& critic, const Tensor& observation,
                const Tensor& action) const override {
    return values_of_all(critic, observation).gather(1, action.to(at::kLong)).t();
  }

  const DqnModel& model_;
};

}  // namespace

std::unique_ptr<ActorCritic> Dqn::actor_critic(std::int64_t member) const {
  return std::make_unique<DqnActorCritic>(model_, members_.at(static_cast<std::size_t>(member)),
                                          member);
}

}  // namespace anthill
