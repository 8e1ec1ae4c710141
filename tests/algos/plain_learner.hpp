/// The learner again from plain ATen operations and PyTorch's own differentiation: the oracle of
/// the fused one. Slow, short, and as close to the equations as it can be.
#pragma once

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "algos/agents/sac.hpp"
#include "algos/networks/squashed_gaussian.hpp"
#include "tests/algos/plain_batch_renorm.hpp"
#include "tests/algos/plain_learner_mlp.hpp"

namespace plain {

/// gsde_head of one network, [1, B, 2A].
inline Tensor gsde_head(const anthill::MlpShape& shape, const Tensor& flat,
                        const Tensor& observation, bool learn_features) {
  const auto layout = gsde_layout(shape);
  const Tensor phi = features(shape, flat, observation);
  const Tensor sigma = parameter(layout, flat, "log_std").exp();
  const Tensor variance = at::bmm((learn_features ? phi : phi.detach()).square(), sigma.square());
  return at::cat({linear(layout, flat, "output", phi), (variance + 1e-6).sqrt().log()}, -1);
}

inline anthill::SquashedSample squashed_gaussian(const anthill::ActorConfig& config,
                                                 const Tensor& head, const Tensor& noise) {
  const std::int64_t action_dim = noise.size(-1);
  const Tensor mean = head.narrow(-1, 0, action_dim);
  const Tensor raw = head.narrow(-1, action_dim, action_dim);
  const double low = config.log_std_min, high = config.log_std_max;
  const Tensor log_std = config.log_std_form == anthill::LogStdForm::clamp
                             ? raw.clamp(low, high)
                             : low + 0.5 * (high - low) * (1.0 + at::tanh(raw));
  const Tensor u = mean + at::exp(log_std) * noise;
  const Tensor action = at::tanh(u);
  const Tensor log_slope = config.log_prob_form == anthill::LogProbForm::exact
                               ? 2.0 * (std::numbers::ln2 - u - at::softplus(-2.0 * u))
                               : at::log(at::relu(1.0 - action.square()) + 1e-6);
  const Tensor log_density =
      -0.5 * noise.square() - log_std - 0.5 * std::log(2.0 * std::numbers::pi);
  return {action, (log_density - log_slope).sum(-1)};
}

/// torch.optim.AdamW's arithmetic, one optimiser for one flat tensor.
class Adam {
 public:
  Adam(const Tensor& flat, double learning_rate, double weight_decay = 0.0)
      : learning_rate_(learning_rate),
        weight_decay_(weight_decay),
        m_(at::zeros_like(flat)),
        v_(at::zeros_like(flat)) {}

  void step(const Tensor& flat, const Tensor& gradient) {
    at::NoGradGuard no_grad;
    ++t_;
    flat.mul_(1.0 - learning_rate_ * weight_decay_);
    m_.mul_(0.9).add_(gradient, 0.1);
    v_.mul_(0.999).addcmul_(gradient, gradient, 0.001);
    const Tensor denominator = v_.sqrt().div_(std::sqrt(1.0 - std::pow(0.999, t_))).add_(1e-8);
    flat.addcdiv_(m_, denominator, -learning_rate_ / (1.0 - std::pow(0.9, t_)));
  }

 private:
  double learning_rate_, weight_decay_;
  int t_ = 0;
  Tensor m_, v_;
};

/// SAC for one member with the fused learner's parameters as its start.
class Sac {
 public:
  explicit Sac(const anthill::SacModel& model)
      : model_(model),
        actor(copy(model.actor.flat())),
        critic(copy(model.critic.flat())),
        target(model.target_critic.flat().detach().clone()),
        log_alpha(copy(model.log_alpha)),
        critic_norm(norm_of(model.critic_statistics.running)),
        target_norm(norm_of(model.target_statistics)),
        actor_adam_(actor, model.config.actor.learning_rate, model.config.actor.weight_decay),
        critic_adam_(critic, model.config.critic.learning_rate, model.config.critic.weight_decay),
        alpha_adam_(log_alpha, model.config.temperature.learning_rate) {}

  Tensor critic_loss(const anthill::Batch& batch, const anthill::SacNoise& noise) const {
    Tensor y, joint;
    {
      at::NoGradGuard no_grad;
      const auto next = policy(batch.next_observation, noise.next_action);
      const std::int64_t rows = batch.reward.size(1);
      if (model_.joint_critics) {
        const at::AutoGradMode grad(true);
        joint = values(critic, at::cat({batch.observation, batch.next_observation}, 1),
                       at::cat({batch.action, next.action}, 1), {}, Pass::training);
      }
      Tensor all = joint.defined()
                       ? joint.narrow(2, rows, rows).detach()
                       : values(target, batch.next_observation, next.action, noise.target_keep);
      if (noise.subset.defined()) all = all.index_select(1, noise.subset[0]);
      const anthill::CriticConfig& settings = model_.config.critic;
      const bool by_mean =
          settings.target_aggregation == anthill::TargetAggregation::mean_minus_std;
      const Tensor deviation = (all - all.mean(1, true)).square().mean(1).sqrt();
      const Tensor q = by_mean ? all.mean(1) - settings.target_beta * deviation : all.amin(1);
      const bool by_range = model_.config.critic.target_clip == anthill::TargetClip::range;
      const Tensor next_q = by_range ? q.clamp(clip_low, clip_high) : q;
      y = model_.config.reward_scale * batch.reward +
          model_.config.discount * batch.bootstrap * (next_q - log_alpha.exp() * next.log_prob);
      if (model_.config.critic.target_clip == anthill::TargetClip::bound) {
        y = y.clamp(clip_low, clip_high);
      }
      last_target_ = y;
      last_log_prob_ = next.log_prob;
    }
    const Tensor q = joint.defined() ? joint.narrow(2, 0, batch.reward.size(1))
                                     : values(critic, batch.observation, batch.action,
                                              noise.critic_keep, Pass::training);
    return (q - y.unsqueeze(1)).square().sum(1).mean(-1).sum();
  }

  /// For a critic that starts anew.
  void restart_critic_optimiser() {
    critic_adam_ =
        Adam(critic, model_.config.critic.learning_rate, model_.config.critic.weight_decay);
  }

  Tensor actor_loss(const anthill::Batch& batch, const anthill::SacNoise& noise,
                    Tensor& log_prob) const {
    const auto sample = policy(batch.observation, noise.action);
    log_prob = sample.log_prob.detach();
    const Tensor all = values(critic, batch.observation, sample.action, noise.actor_keep);
    const bool mean = model_.config.policy_value == anthill::PolicyValue::mean;
    const Tensor q = mean ? all.mean(1) : all.amin(1);
    return (log_alpha.detach().exp() * sample.log_prob - q).mean(-1).sum();
  }

  Tensor alpha_loss(const Tensor& log_prob) const {
    const bool alpha_form = model_.config.temperature.loss_form == anthill::AlphaLossForm::alpha;
    const Tensor factor = alpha_form ? log_alpha.exp() : log_alpha;
    return (-factor * (log_prob.mean(-1) + model_.target_entropy)).sum();
  }

  void update(const anthill::Batch& batch, const anthill::SacNoise& noise) {
    prepare_clip(batch.action.size(-1));
    step(critic_adam_, critic, critic_loss(batch, noise));
    if (model_.config.critic.weight_projection) project();
    const bool renorm = model_.config.critic.batch_renorm;
    if (renorm) critic_norm.remember(model_.config.critic.batch_renorm_momentum);
    remember_targets();
    Tensor log_prob;
    step(actor_adam_, actor, actor_loss(batch, noise, log_prob));
    step(alpha_adam_, log_alpha, alpha_loss(log_prob));
    at::NoGradGuard no_grad;
    const double cap = model_.config.temperature.max_alpha;
    if (cap > 0.0) log_alpha.clamp_max_(std::log(cap));
    target.lerp_(critic, model_.config.tau);
    if (renorm) target_norm.running.lerp_(critic_norm.running, model_.config.tau);
  }

 private:
  const anthill::SacModel& model_;

 public:
  Tensor actor, critic, target, log_alpha;
  mutable Renorm critic_norm, target_norm;     // with critic.batch_renorm
  double reward_low = 0.0, reward_high = 0.0;  // of all stored transitions, for the bound
  double clip_low = 0.0, clip_high = 0.0;

 private:
  /// critic.target_clip = "bound": the largest and smallest value that a policy can have.
  void prepare_clip(std::int64_t action_dim) {
    if (model_.config.critic.target_clip != anthill::TargetClip::bound) return;
    const double scale = model_.config.reward_scale, discount = model_.config.discount;
    const double alpha = log_alpha.exp().item<double>();
    const double entropy_high = static_cast<double>(action_dim) * std::numbers::ln2;
    clip_high =
        std::max(0.0, (scale * reward_high + discount * alpha * entropy_high) / (1.0 - discount));
    clip_low =
        std::min(0.0, (scale * reward_low - discount * alpha * log_prob_max_) / (1.0 - discount));
  }

  /// Every row of a hidden layer's weight is what leads into one unit.
  void project() {
    at::NoGradGuard no_grad;
    for (const auto& entry : model_.critic.layout().entries()) {
      if (!entry.name.starts_with("hidden") || !entry.name.ends_with("weight")) continue;
      const Tensor rows = critic.narrow(2, entry.offset, entry.size).unflatten(2, entry.shape);
      rows.copy_(rows / at::linalg_vector_norm(rows, 2, {-1}, true));
    }
  }

  void remember_targets() {
    ++num_updates_;
    log_prob_max_ = std::max(log_prob_max_, last_log_prob_.max().item<double>());
    seen_low_ = std::min(seen_low_, last_target_.min().item<double>());
    seen_high_ = std::max(seen_high_, last_target_.max().item<double>());
    if (model_.config.critic.target_clip != anthill::TargetClip::range) return;
    if (num_updates_ % model_.config.critic.target_range_period != 0) return;
    clip_low = seen_low_;
    clip_high = seen_high_;
  }

  mutable Tensor last_target_, last_log_prob_;
  double log_prob_max_ = 0.0, seen_low_ = INFINITY, seen_high_ = -INFINITY;
  std::int64_t num_updates_ = 0;

  static Renorm norm_of(const anthill::Parameters& running) {
    return {running.flat().defined() ? running.flat().clone() : Tensor()};
  }
  static Tensor copy(const Tensor& t) { return t.detach().clone().set_requires_grad(true); }
  static void step(Adam& adam, const Tensor& flat, const Tensor& loss) {
    adam.step(flat, torch::autograd::grad({loss}, {flat})[0]);
  }
  anthill::SquashedSample policy(const Tensor& observation, const Tensor& noise) const {
    const anthill::ActorConfig& config = model_.config.actor;
    const bool gsde = config.distribution == anthill::PolicyDistribution::gsde;
    const Tensor head =
        gsde ? gsde_head(model_.actor_shape, actor, observation, config.sde_learn_features)
             : mlp(model_.actor_shape, actor, observation).squeeze(1);
    return squashed_gaussian(config, head, noise);
  }
  Tensor values(const Tensor& flat, const Tensor& observation, const Tensor& action,
                const Tensor& keep, Pass pass = Pass::evaluation) const {
    if (model_.config.critic.batch_renorm) {
      Renorm& norm = flat.is_same(target) ? target_norm : critic_norm;
      return renormalised_mlp(model_.critic_shape, flat, norm, at::cat({observation, action}, -1),
                              pass, model_.config.critic.batch_renorm_warmup)
          .squeeze(-1);
    }
    return mlp(model_.critic_shape, flat, at::cat({observation, action}, -1), keep).squeeze(-1);
  }

  Adam actor_adam_, critic_adam_, alpha_adam_;
};

}  // namespace plain
