#include "algos/agents/sac.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "algos/agents/sac_diagnostics.hpp"
#include "algos/agents/sac_metrics.hpp"
#include "algos/agents/sac_remedies.hpp"
#include "algos/agents/stack.hpp"
#include "algos/networks/noise.hpp"

namespace anthill {

/// Q(s, a) of every critic: [M, E, B].
static Tensor q_values(const SacModel& model, const Parameters& critic, const Tensor& observation,
                       const Tensor& action, const Tensor& keep) {
  return mlp_forward(model.critic_shape, critic, {observation, action}, keep).squeeze(-1);
}

/// a ~ pi(.|s) and log pi(a|s).
static SquashedSample sample_policy(const SacModel& model, const Tensor& observation,
                                    const Tensor& noise) {
  const Tensor head = mlp_forward(model.actor_shape, model.actor, observation).squeeze(1);
  return sample_squashed_gaussian(model.config.actor, head, noise);
}

/// J_Q (eq. 5 of 1812.05905), summed over the two critics:
///   y = reward_scale * r + discount * bootstrap * ( min_j Q'_j(s', a') - alpha * log pi(a'|s') ),
///       a' ~ pi(.|s')
///   J = mean_B sum_j ( Q_j(s, a) - y )^2
SacCriticLoss sac_critic_loss(const SacModel& model, const Batch& batch, const SacNoise& noise) {
  Tensor target, next_log_prob;
  {
    at::NoGradGuard no_grad;
    const auto next = sample_policy(model, batch.next_observation, noise.next_action);
    const Tensor next_q =
        q_values(model, model.target_critic, batch.next_observation, next.action, noise.target_keep)
            .amin(1);
    const Tensor alpha = model.log_alpha.exp().unsqueeze(1);
    const Tensor discount = model.discount.unsqueeze(1) * batch.bootstrap;
    target =
        clip_target(model, model.reward_scale.unsqueeze(1) * batch.reward +
                               discount * (clip_next_value(model, next_q) - alpha * next.log_prob));
    next_log_prob = next.log_prob;
  }
  const Tensor q =
      q_values(model, model.critic, batch.observation, batch.action, noise.critic_keep);
  const Tensor loss = (q - target.unsqueeze(1)).square().sum(1).mean(-1);
  return {loss, q.detach(), target, next_log_prob};
}

/// J_pi (eq. 7):  mean_B ( alpha * log pi(a|s) - min_j Q_j(s, a) ),   a = tanh(mean + std * noise)
SacActorLoss sac_actor_loss(const SacModel& model, const Batch& batch, const SacNoise& noise) {
  const auto policy = sample_policy(model, batch.observation, noise.action);
  const Tensor q =
      q_values(model, model.critic, batch.observation, policy.action, noise.actor_keep).amin(1);
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

void Sac::draw_noise(const Batch& batch, std::int64_t update, SacNoise& noise) const {
  const auto counter = static_cast<std::uint64_t>(update);
  const auto normal = [&](Tensor& values, RandomStream stream) {
    if (!values.defined()) values = at::empty_like(batch.action);
    fill_normal(values, shape_.seeds, stream, counter);
  };
  normal(noise.next_action, RandomStream::next_action_noise);
  normal(noise.action, RandomStream::actor_noise);

  const double dropout = model_.critic_shape.dropout;
  if (dropout == 0.0) return;
  const auto mask = [&](Tensor& keep, RandomStream stream) {
    if (!keep.defined()) {
      keep = at::empty({shape_.members(), model_.critic.ensemble(),
                        batch.reward.size(1) * model_.critic_shape.num_hidden()},
                       batch.reward.options().dtype(at::kByte));
    }
    fill_keep(keep, dropout, shape_.seeds, stream, counter);
  };
  mask(noise.target_keep, RandomStream::target_dropout);
  mask(noise.critic_keep, RandomStream::critic_dropout);
  mask(noise.actor_keep, RandomStream::actor_dropout);
}

void Sac::update(const Batch& batch) {
  reset_if_due();
  update_clip_bounds(model_, rewards_);
  draw_noise(batch, num_updates_, noise_);

  // critics, and their targets: nothing below reads a target, so it may follow in the same pass
  const SacCriticLoss critic = sac_critic_loss(model_, batch, noise_);
  optimisers_.critic.step(model_.critic.flat(), model_.critic.gradient(critic.loss),
                          optimisers_.target);
  remember_targets(model_, critic, num_updates_);

  // policy, against the critics just improved
  const SacActorLoss actor = sac_actor_loss(model_, batch, noise_);
  optimisers_.actor.step(model_.actor.flat(), model_.actor.gradient(actor.loss));

  // temperature
  Tensor alpha_loss = at::zeros_like(actor.loss);
  const Tensor alpha = model_.log_alpha.detach().exp();
  if (model_.config.temperature.automatic) {
    const Tensor loss = sac_temperature_loss(model_, actor.log_prob);
    alpha_loss = loss.detach();
    optimisers_.temperature.step(model_.log_alpha, torch::autograd::grad({loss}, {model_.log_alpha},
                                                                         {at::ones_like(loss)})[0]);
    cap_temperature(model_);
  }
  measure(critic, actor, alpha_loss, alpha);
  ++num_updates_;
}

void Sac::act(std::span<const float> observation, std::span<float> action, ActionMode mode,
              RandomStream stream, std::uint64_t counter) {
  at::NoGradGuard no_grad;
  const std::int64_t members = shape_.members();
  const std::int64_t num_envs =
      static_cast<std::int64_t>(action.size()) / (members * shape_.action_dim);
  const Tensor input = at::from_blob(const_cast<float*>(observation.data()),
                                     {members, num_envs, shape_.observation_dim}, at::kFloat)
                           .to(shape_.device);
  const Tensor head = mlp_forward(model_.actor_shape, model_.actor, input).squeeze(1);
  Tensor result;
  if (mode == ActionMode::deterministic) {
    result = squashed_mean(head);
  } else {
    const Tensor noise = at::empty({members, num_envs, shape_.action_dim}, input.options());
    fill_normal(noise, shape_.seeds, stream, counter);
    result = sample_squashed_gaussian(model_.config.actor, head, noise).action;
  }
  at::from_blob(action.data(), result.sizes(), at::kFloat).copy_(result);
}

void Sac::measure(const SacCriticLoss& critic, const SacActorLoss& actor, const Tensor& alpha_loss,
                  const Tensor& alpha) {
  add_sac_metrics(metric_sums_, {.critic_loss = critic.loss.detach(),
                                 .actor_loss = actor.loss.detach(),
                                 .alpha_loss = alpha_loss,
                                 .alpha = alpha,
                                 .target_entropy = model_.target_entropy,
                                 .log_prob = actor.log_prob,
                                 .q = critic.q,
                                 .target = critic.target});
  ++num_measured_;
}

const std::vector<std::string>& Sac::metric_names() const { return sac_metric_names(); }

Tensor Sac::take_metric_means() {
  const double count = num_measured_ > 0 ? static_cast<double>(num_measured_)
                                         : std::numeric_limits<double>::quiet_NaN();
  const Tensor means = (metric_sums_ / count).to(at::kCPU);
  metric_sums_.zero_();
  num_measured_ = 0;
  return means;
}

const std::vector<std::string>& Sac::diagnostic_names() const { return sac_diagnostic_names(); }

/// One member after the other: eigenvalues and norms of a stack round in another order.
Tensor Sac::diagnose(const Batch& batch, const std::vector<RewardRange>& rewards) {
  draw_noise(batch, std::max<std::int64_t>(0, num_updates_ - 1), diagnosis_noise_);
  std::vector<Tensor> measured;
  for (std::int64_t m = 0; m < shape_.members(); ++m) {
    measured.push_back(sac_diagnostics(member_of(model_, m), member_of(optimisers_, m),
                                       member_of(batch, m), member_of(diagnosis_noise_, m),
                                       rewards.at(static_cast<std::size_t>(m))));
  }
  return at::cat(measured, 1);
}

std::vector<NamedTensor> Sac::parameters() const {
  std::vector<NamedTensor> all;
  append_parameters(all, "actor", model_.actor);
  append_parameters(all, "critic", model_.critic);
  append_parameters(all, "target_critic", model_.target_critic);
  all.push_back({"log_alpha", model_.log_alpha.detach()});
  return all;
}

}  // namespace anthill
