// SAC's policy: from the actor's head to actions and log-probabilities.
#include <cmath>
#include <numbers>

#include "algos/agents/sac.hpp"

namespace anthill {
namespace {

/// a = clip(mean + std * noise): the sample of a Gaussian cut at the action's bounds. Its
/// log_prob is the uncut Gaussian's, or with analytic entropy minus sum(log_std + ln(2 pi e) / 2).
SquashedSample sample_clipped_gaussian(const SacModel& model, const Tensor& head,
                                       const Tensor& noise) {
  const ActorConfig& config = model.config.actor;
  const auto halves = head.chunk(2, -1);
  const double low = config.log_std_min, high = config.log_std_max;
  const Tensor log_std = config.log_std_form == LogStdForm::clamp
                             ? halves[1].clamp(low, high)
                             : low + (high - low) / 2 * (1 + at::tanh(halves[1]));
  const double log_2pi = std::log(2 * std::numbers::pi);
  const bool analytic = model.config.temperature.entropy == EntropyForm::analytic;
  const Tensor minus_entropy = -log_std - (analytic ? 0.5 * (log_2pi + 1) : 0.5 * log_2pi);
  const Tensor log_prob = analytic ? minus_entropy : minus_entropy - 0.5 * noise.square();
  return {model.actions.clipped(halves[0] + log_std.exp() * noise), log_prob.sum(-1)};
}

}  // namespace

Tensor sac_head(const SacModel& model, const Parameters& actor, const Tensor& observation) {
  const ActorConfig& config = model.config.actor;
  if (config.distribution == PolicyDistribution::gsde) {
    return gsde_head(model.actor_shape, actor, observation, config.sde_learn_features);
  }
  return mlp_forward(model.actor_shape, actor, observation).squeeze(1);
}

Tensor sac_explore(const SacModel& model, const Tensor& observation, const Tensor& noise) {
  return model.actions.measured(
      at::tanh(gsde_action(model.actor_shape, model.actor, observation, noise)));
}

SquashedSample sac_sample(const SacModel& model, const Parameters& actor, const Tensor& observation,
                          const Tensor& noise) {
  const Tensor head = sac_head(model, actor, observation);
  if (model.config.actor.distribution == PolicyDistribution::clipped_gaussian) {
    return sample_clipped_gaussian(model, head, noise);
  }
  SquashedSample sample =
      sample_squashed_gaussian(model.config.actor, head, noise, model.actions.scale);
  sample.action = model.actions.measured(sample.action);
  return sample;
}

Tensor sac_mode(const SacModel& model, const Tensor& observation) {
  const Tensor head = sac_head(model, model.actor, observation);
  if (model.config.actor.distribution == PolicyDistribution::clipped_gaussian) {
    return model.actions.clipped(head.chunk(2, -1)[0]);
  }
  return model.actions.measured(squashed_mean(head));
}

}  // namespace anthill
