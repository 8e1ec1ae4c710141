#include "algos/agents/sac.hpp"

#include "algos/agents/sac_remedies.hpp"
#include "algos/agents/stack.hpp"
#include "algos/agents/update_turn.hpp"

namespace anthill {

/// min over the critics, or over the update's own subset of them (REDQ; Chen et al., 2021: arXiv
/// 2101.05982, algorithm 1), or their mean - beta * standard deviation (Moskovitz et al., 2021:
/// 2102.03765; the population's, so that beta = 1 is the minimum of two):
/// [M, E, B] -> [M, B].
static Tensor aggregate_target(const CriticConfig& config, const Tensor& all,
                               const Tensor& subset) {
  const Tensor q =
      subset.defined() ? all.gather(1, subset.unsqueeze(-1).expand({-1, -1, all.size(2)})) : all;
  if (config.target_aggregation == TargetAggregation::minimum) return q.amin(1);
  return q.mean(1) - config.target_beta * at::std(q, at::IntArrayRef{1}, /*unbiased=*/false);
}

/// J_Q (eq. 5 of 1812.05905), summed over the critics:
///   y = reward_scale * r + discount * bootstrap * ( min_j Q'_j(s', a') - alpha * log pi(a'|s') ),
///       a' ~ pi(.|s')
///   J = mean_B sum_j ( Q_j(s, a) - y )^2
/// With critic.target_aggregation the mean and the standard deviation over j instead of the
/// minimum. With agent.target_policy a' is the target policy's, the entropy still the policy's own.
SacCriticLoss sac_critic_loss(const SacModel& model, const Batch& batch, const SacNoise& noise) {
  SquashedSample next;
  {
    at::NoGradGuard no_grad;
    next = sac_sample(model, model.actor, batch.next_observation, noise.next_action);
    if (model.config.target_policy) {
      next.action =
          sac_sample(model, model.target_actor, batch.next_observation, noise.next_action).action;
    }
  }
  const SacCriticValues values = sac_critic_values(model, batch, next.action, noise);
  Tensor target;
  {
    at::NoGradGuard no_grad;
    const Tensor next_q = aggregate_target(model.config.critic, values.next_q, noise.subset);
    const Tensor alpha = model.log_alpha.exp().unsqueeze(1);
    const Tensor discount = model.discount.unsqueeze(1) * batch.bootstrap;
    target =
        clip_target(model, model.reward_scale.unsqueeze(1) * batch.reward +
                               discount * (clip_next_value(model, next_q) - alpha * next.log_prob));
  }
  const Tensor loss = (values.q - target.unsqueeze(1)).square().sum(1).mean(-1);
  return {loss, values.q.detach(), target, next.log_prob, values.statistics};
}

/// J_pi (eq. 7):  mean_B ( alpha * log pi(a|s) - min_j Q_j(s, a) ),   a = tanh(mean + std * noise);
/// with agent.policy_value = "first" Q_1 instead of the minimum, with "mean" the mean over j.
SacActorLoss sac_actor_loss(const SacModel& model, const Batch& batch, const SacNoise& noise) {
  const auto policy = sac_sample(model, model.actor, batch.observation, noise.action);
  const Tensor all_q =
      sac_q(model, Critics::online, batch.observation, policy.action, noise.actor_keep);
  const PolicyValue value = model.config.policy_value;
  const Tensor q = value == PolicyValue::first  ? all_q.select(1, 0)
                   : value == PolicyValue::mean ? all_q.mean(1)
                                                : all_q.amin(1);
  const Tensor alpha = model.log_alpha.detach().exp().unsqueeze(1);
  return {(alpha * policy.log_prob - q).mean(-1), policy.log_prob.detach()};
}

/// J_alpha (eq. 18):  -alpha * mean_B ( log pi(a|s) + target_entropy ); the log-alpha form replaces
/// the factor by log alpha, which makes the gradient in log alpha independent of alpha's size.
Tensor sac_temperature_loss(const SacModel& model, const Tensor& log_prob) {
  const bool alpha_form = model.config.temperature.loss_form == AlphaLossForm::alpha;
  const Tensor factor = alpha_form ? model.log_alpha.exp() : model.log_alpha;
  return -factor * (log_prob.mean(-1) + model.target_entropy);
}

void Sac::update(const Batch& batch) {
  reset_if_due();
  update_clip_bounds(model_, rewards_);
  queue(batch, kind(num_updates_));
  count(1);
}

void Sac::queue(const Batch& batch, std::int64_t kind) {
  draw_noise(batch, NoiseCounter(update_word()), noise_);
  const UpdateTurn turn = turn_of(kind);
  const Tensor alpha = model_.log_alpha.detach().exp();

  // critics, and their targets
  SacCriticLoss critic;
  if (turn.critic) {
    critic = sac_critic_loss(model_, batch, noise_);
    step_critics(model_, optimisers_, model_.critic.gradient(critic.loss), turn.targets);
    remember_statistics(model_, optimisers_, critic, turn.targets);
    remember_targets(model_, critic, num_updates_);
  } else if (turn.targets) {
    follow(optimisers_.target, model_.critic.flat());
    remember_statistics(model_, optimisers_, {}, true);
  }

  // policy, against the critics just improved, and temperature
  SacActorLoss actor;
  Tensor alpha_loss;
  const bool with_target = turn.targets && model_.config.target_policy;
  if (turn.policy) {
    actor = sac_actor_loss(model_, batch, noise_);
    optimisers_.actor.step(model_.actor.flat(), model_.actor.gradient(actor.loss),
                           with_target ? optimisers_.target_actor : PolyakTarget{});
    if (model_.config.temperature.automatic) alpha_loss = update_temperature(actor.log_prob);
  } else if (with_target) {
    follow(optimisers_.target_actor, model_.actor.flat());
  }
  measure(batch, critic, actor, alpha_loss, alpha);
  advance_word(word_);
}

/// Returns the loss, detached.
Tensor Sac::update_temperature(const Tensor& log_prob) {
  const Tensor loss = sac_temperature_loss(model_, log_prob);
  optimisers_.temperature.step(model_.log_alpha, torch::autograd::grad({loss}, {model_.log_alpha},
                                                                       {at::ones_like(loss)})[0]);
  cap_temperature(model_);
  return loss.detach();
}

}  // namespace anthill
