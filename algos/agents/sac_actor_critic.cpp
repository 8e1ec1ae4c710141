// SAC as the value probe sees it.
#include "algos/agents/sac.hpp"

namespace anthill {
namespace {

/// One member of a stack; dropout is off.
class SacActorCritic final : public ActorCritic {
 public:
  SacActorCritic(const SacModel& model, const AgentConfig& config, std::int64_t member)
      : config_(config),
        actor_shape_(model.actor_shape),
        critic_shape_(model.critic_shape),
        actor_(model.actor.member(member)),
        critic_(model.critic.member(member)),
        target_critic_(model.target_critic.member(member)),
        log_alpha_(model.log_alpha.detach()[member]) {}

  at::Device device() const override { return log_alpha_.device(); }
  std::int64_t action_dim() const override { return actor_shape_.output_dim / 2; }

  Sample sample(const Tensor& observation, const Tensor& noise) const override {
    at::NoGradGuard no_grad;
    const auto sample =
        sample_squashed_gaussian(config_.actor, head(observation), noise.unsqueeze(0).contiguous());
    return {sample.action[0], sample.log_prob[0]};
  }

  Tensor mode(const Tensor& observation) const override {
    at::NoGradGuard no_grad;
    return squashed_mean(head(observation))[0];
  }

  Tensor q(const Tensor& observation, const Tensor& action) const override {
    return values(critic_, observation, action);
  }
  Tensor target_q(const Tensor& observation, const Tensor& action) const override {
    return values(target_critic_, observation, action);
  }

  double alpha() const override { return log_alpha_.exp().item<double>(); }
  double discount() const override { return config_.discount; }
  double reward_scale() const override { return config_.reward_scale; }

 private:
  Tensor head(const Tensor& observation) const {
    return mlp_forward(actor_shape_, actor_, observation.unsqueeze(0).contiguous()).squeeze(1);
  }

  Tensor values(const Parameters& critic, const Tensor& observation, const Tensor& action) const {
    at::NoGradGuard no_grad;
    return mlp_forward(critic_shape_, critic,
                       {observation.unsqueeze(0).contiguous(), action.unsqueeze(0).contiguous()})[0]
        .squeeze(-1);
  }

  const AgentConfig& config_;
  const MlpShape &actor_shape_, &critic_shape_;
  Parameters actor_, critic_, target_critic_;
  Tensor log_alpha_;
};

}  // namespace

std::unique_ptr<ActorCritic> Sac::actor_critic(std::int64_t member) const {
  return std::make_unique<SacActorCritic>(model_, members_.at(static_cast<std::size_t>(member)),
                                          member);
}

}  // namespace anthill
