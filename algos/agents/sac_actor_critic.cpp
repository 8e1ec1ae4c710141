// SAC as the value probe sees it.
#include "algos/agents/sac.hpp"

namespace anthill {
namespace {

/// One member of a stack; dropout is off, batch renormalisation in evaluation.
class SacActorCritic final : public ActorCritic {
 public:
  SacActorCritic(const SacModel& model, const AgentConfig& config, std::int64_t member)
      : config_(config), model_(member_of(model, member)) {}

  at::Device device() const override { return model_.discount.device(); }
  std::int64_t action_dim() const override { return model_.action_dim; }

  Sample sample(const Tensor& observation, const Tensor& noise) const override {
    at::NoGradGuard no_grad;
    const auto sample = sac_sample(model_, model_.actor, of_stack(observation), of_stack(noise));
    return {model_.actions.normalised(sample.action)[0], sample.log_prob[0]};
  }

  Tensor mode(const Tensor& observation) const override {
    at::NoGradGuard no_grad;
    return model_.actions.normalised(sac_mode(model_, of_stack(observation)))[0];
  }

  Tensor q(const Tensor& observation, const Tensor& action) const override {
    return values(Critics::online, observation, action);
  }
  Tensor target_q(const Tensor& observation, const Tensor& action) const override {
    return values(Critics::target, observation, action);
  }

  double alpha() const override { return model_.log_alpha.detach().exp().item<double>(); }
  double discount() const override { return config_.discount; }
  double reward_scale() const override { return config_.reward_scale; }

 private:
  static Tensor of_stack(const Tensor& rows) { return rows.unsqueeze(0).contiguous(); }

  Tensor values(Critics critics, const Tensor& observation, const Tensor& action) const {
    at::NoGradGuard no_grad;
    return sac_q(model_, critics, of_stack(observation),
                 model_.actions.measured(of_stack(action)))[0];
  }

  const AgentConfig& config_;
  SacModel model_;  // shares its parameters with the stack
};

}  // namespace

std::unique_ptr<ActorCritic> Sac::actor_critic(std::int64_t member) const {
  return std::make_unique<SacActorCritic>(model_, members_.at(static_cast<std::size_t>(member)),
                                          member);
}

}  // namespace anthill
