// SAC as the value probe sees it.
#include "algos/agents/sac.hpp"

namespace anthill {
namespace {

/// Member 0 of a stack; dropout is off.
class SacActorCritic final : public ActorCritic {
 public:
  explicit SacActorCritic(const SacModel& model) : model_(model) {}

  at::Device device() const override { return model_.discount.device(); }
  std::int64_t action_dim() const override { return model_.actor_shape.output_dim / 2; }

  Sample sample(const Tensor& observation, const Tensor& noise) const override {
    at::NoGradGuard no_grad;
    const auto sample =
        sample_squashed_gaussian(model_.config.actor, head(observation), of_every_member(noise));
    return {sample.action[0], sample.log_prob[0]};
  }

  Tensor mode(const Tensor& observation) const override {
    at::NoGradGuard no_grad;
    return squashed_mean(head(observation))[0];
  }

  Tensor q(const Tensor& observation, const Tensor& action) const override {
    return values(model_.critic, observation, action);
  }
  Tensor target_q(const Tensor& observation, const Tensor& action) const override {
    return values(model_.target_critic, observation, action);
  }

  double alpha() const override { return model_.log_alpha.detach()[0].exp().item<double>(); }
  double discount() const override { return model_.config.discount; }
  double reward_scale() const override { return model_.config.reward_scale; }

 private:
  /// The networks are stacked: all members get the rows, member 0's results are kept.
  Tensor of_every_member(const Tensor& rows) const {
    return rows.unsqueeze(0).expand({model_.actor.members(), -1, -1}).contiguous();
  }

  Tensor head(const Tensor& observation) const {
    return mlp_forward(model_.actor_shape, model_.actor, of_every_member(observation)).squeeze(1);
  }

  Tensor values(const Parameters& critic, const Tensor& observation, const Tensor& action) const {
    at::NoGradGuard no_grad;
    return mlp_forward(model_.critic_shape, critic,
                       {of_every_member(observation), of_every_member(action)})[0]
        .squeeze(-1);
  }

  const SacModel& model_;
};

}  // namespace

std::unique_ptr<ActorCritic> Sac::actor_critic() const {
  return std::make_unique<SacActorCritic>(model_);
}

}  // namespace anthill
