#include "algos/agents/sac_remedies.hpp"

#include <algorithm>
#include <limits>
#include <numbers>
#include <utility>

#include "algos/agents/stack.hpp"

namespace anthill {
namespace {

/// Weights that are all 0 stay so.
constexpr double kSmallestNorm = 1e-12;

/// Passes nan on.
Tensor clipped(const Tensor& values, const Tensor& low, const Tensor& high) {
  return at::minimum(at::maximum(values, low.unsqueeze(1)), high.unsqueeze(1));
}

}  // namespace

PlausibleBounds plausible_bounds(const SacModel& model, const SacRewards& rewards,
                                 const Tensor& log_prob_max) {
  at::NoGradGuard no_grad;
  const Tensor scale = model.reward_scale;
  const auto action_dim = static_cast<double>(model.action_dim);
  const Tensor reward_high = at::maximum(scale * rewards.low, scale * rewards.high);
  const Tensor reward_low = at::minimum(scale * rewards.low, scale * rewards.high);
  const Tensor factor = model.discount * model.log_alpha.exp();
  const Tensor horizon = 1.0 / (1.0 - model.discount);
  // an action in the environment's units has log(scale) more entropy
  Tensor max_entropy = at::full_like(factor, action_dim * std::numbers::ln2);
  if (model.actions.scale.defined()) max_entropy = max_entropy + model.actions.scale.log().sum();
  return {((reward_low - factor * log_prob_max) * horizon).clamp_max(0.0),
          ((reward_high + factor * max_entropy) * horizon).clamp_min(0.0)};
}

SacRewards make_sac_rewards(const std::vector<RewardRange>& rewards, at::Device device) {
  std::vector<double> low, high;
  for (const RewardRange& range : rewards) {
    low.push_back(range.low);
    high.push_back(range.high);
  }
  return {device_words(low, device), device_words(high, device)};
}

void Sac::set_reward_ranges(const std::vector<RewardRange>& rewards) {
  rewards_ = make_sac_rewards(rewards, shape_.device);
}

SacTargetClip make_target_clip(TargetClip form, const Tensor& like) {
  SacTargetClip clip;
  if (form == TargetClip::none) return clip;
  clip.low = at::zeros_like(like);
  clip.high = at::zeros_like(like);
  if (form == TargetClip::bound) {
    clip.log_prob_max = at::zeros_like(like);
  } else {
    clip.seen_low = at::full_like(like, std::numeric_limits<double>::infinity());
    clip.seen_high = -clip.seen_low;
  }
  return clip;
}

void update_clip_bounds(SacModel& model, const SacRewards& rewards) {
  if (model.config.critic.target_clip != TargetClip::bound) return;
  const PlausibleBounds bounds = plausible_bounds(model, rewards, model.clip.log_prob_max);
  model.clip.low.copy_(bounds.low);
  model.clip.high.copy_(bounds.high);
}

void remember_targets(SacModel& model, const SacCriticLoss& loss, std::int64_t update) {
  SacTargetClip& clip = model.clip;
  switch (model.config.critic.target_clip) {
    case TargetClip::none:
      return;
    case TargetClip::bound:
      clip.log_prob_max.copy_(at::maximum(clip.log_prob_max, loss.next_log_prob.amax(-1)));
      return;
    case TargetClip::range:
      clip.seen_low.copy_(at::minimum(clip.seen_low, loss.target.amin(-1)));
      clip.seen_high.copy_(at::maximum(clip.seen_high, loss.target.amax(-1)));
      if ((update + 1) % model.config.critic.target_range_period == 0) {
        clip.low.copy_(clip.seen_low);
        clip.high.copy_(clip.seen_high);
      }
  }
}

void remember_statistics(const SacModel& model, const SacOptimisers& optimisers,
                         const SacCriticLoss& loss, bool targets) {
  const CriticConfig& critic = model.config.critic;
  if (!critic.batch_renorm) return;
  const BatchRenormState& online = model.critic_statistics;
  if (loss.statistics.defined()) {
    const auto members = static_cast<std::size_t>(model.critic.members());
    remember(online, loss.statistics, std::vector<double>(members, critic.batch_renorm_momentum));
  }
  if (!targets) return;
  PolyakTarget target = optimisers.target;
  target.flat = model.target_statistics.flat();
  follow(target, online.running.flat());
}

void project_weights(const Parameters& critic) {
  at::NoGradGuard no_grad;
  const auto& entries = critic.layout().entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].name.starts_with("hidden_") || !entries[i].name.ends_with(".weight")) continue;
    const Tensor& weight = critic.views()[i];  // [M, E, out, in]
    weight.div_(weight.square().sum(-1, /*keepdim=*/true).sqrt_().clamp_min_(kSmallestNorm));
  }
}

void step_critics(const SacModel& model, SacOptimisers& optimisers, const Tensor& gradient,
                  bool targets) {
  const Tensor& flat = model.critic.flat();
  const bool projected = model.config.critic.weight_projection;
  // nothing else of an update reads a target, so it may follow in the same pass
  optimisers.critic.step(flat, gradient,
                         targets && !projected ? optimisers.target : PolyakTarget{});
  if (!projected) return;
  project_weights(model.critic);
  if (targets) follow(optimisers.target, flat);
}

void cap_temperature(SacModel& model) {
  if (!model.max_log_alpha.defined()) return;
  at::NoGradGuard no_grad;
  model.log_alpha.copy_(at::minimum(model.log_alpha, model.max_log_alpha));
}

Tensor clip_next_value(const SacModel& model, const Tensor& next_q) {
  if (model.config.critic.target_clip != TargetClip::range) return next_q;
  return clipped(next_q, model.clip.low, model.clip.high);
}

Tensor clip_target(const SacModel& model, const Tensor& target) {
  if (model.config.critic.target_clip != TargetClip::bound) return target;
  return clipped(target, model.clip.low, model.clip.high);
}

/// How many of a run's resets are due by its time `now`, in reset_unit.
static std::int64_t resets_until(const AgentConfig& config, std::int64_t now) {
  if (config.reset_period > 0) return now / config.reset_period;
  return std::ranges::upper_bound(config.reset_times, now) - config.reset_times.begin();
}

/// Whatever is named starts anew, with weights that no earlier start had.
void Sac::reset_if_due() {
  const AgentConfig& config = model_.config;
  if (!has_resets(config)) return;
  const bool by_updates = config.reset_unit == ResetUnit::updates;
  const std::int64_t due = resets_until(config, by_updates ? num_updates_ : env_steps_);
  if (due <= num_resets_) return;
  num_resets_ = due;
  const auto named = [&](const char* network) {
    return std::ranges::count(config.reset_networks, network) > 0;
  };
  const auto first_network = static_cast<std::uint64_t>(2 * due);
  if (named("actor")) {
    initialise_actor(model_, shape_.seeds, first_network);
    optimisers_.actor.reset();
    at::NoGradGuard no_grad;
    if (config.target_policy) model_.target_actor.flat().copy_(model_.actor.flat());
  }
  if (named("critic")) {
    initialise_critic(model_, shape_.seeds, first_network + 1);
    optimisers_.critic.reset();
    const SacTargetClip fresh = make_target_clip(config.critic.target_clip, model_.discount);
    if (fresh.seen_low.defined()) {
      model_.clip.low.copy_(fresh.low);
      model_.clip.high.copy_(fresh.high);
      model_.clip.seen_low.copy_(fresh.seen_low);
      model_.clip.seen_high.copy_(fresh.seen_high);
    }
  }
  if (named("temperature")) {
    at::NoGradGuard no_grad;
    model_.log_alpha.copy_(initial_log_alpha_);
    optimisers_.temperature.reset();
  }
}

/// Calls visit(name, tensor) for what the clip in use remembers.
template <class Visit>
static void for_each_of_clip(const SacTargetClip& clip, const Visit& visit) {
  const std::pair<const char*, const Tensor*> all[] = {{"low", &clip.low},
                                                       {"high", &clip.high},
                                                       {"seen_low", &clip.seen_low},
                                                       {"seen_high", &clip.seen_high},
                                                       {"log_prob_max", &clip.log_prob_max}};
  for (const auto& [name, tensor] : all) {
    if (tensor->defined()) visit(name, *tensor);
  }
}

void Sac::save_remedies(const StateWriter& state) const {
  if (has_resets(model_.config)) state.integer("num_resets", num_resets_);
  const StateWriter part = state.part("target_clip");
  for_each_of_clip(model_.clip, [&](const char* name, const Tensor& t) { part.tensor(name, t); });
}

void Sac::load_remedies(const StateReader& state) {
  if (has_resets(model_.config)) num_resets_ = state.integer("num_resets");
  const StateReader part = state.part("target_clip");
  for_each_of_clip(model_.clip, [&](const char* name, const Tensor& t) { part.tensor(name, t); });
}

}  // namespace anthill
