#include "algos/agents/sac_diagnostics.hpp"

#include <cmath>
#include <limits>

#include "algos/agents/sac_remedies.hpp"
#include "algos/networks/learner_team.hpp"

namespace anthill {
namespace {

/// The squashed Gaussian's inside, [M, B, A] each.
struct Inside {
  Tensor log_std, u;
};

Inside inside_of(const ActorConfig& config, const Tensor& head, const Tensor& noise) {
  const std::int64_t action_dim = noise.size(-1);
  const Tensor raw = head.narrow(-1, action_dim, action_dim);
  const double low = config.log_std_min, high = config.log_std_max;
  const Tensor log_std = config.log_std_form == LogStdForm::clamp
                             ? raw.clamp(low, high)
                             : low + 0.5 * (high - low) * (1.0 + at::tanh(raw));
  return {log_std, head.narrow(-1, 0, action_dim) + log_std.exp() * noise};
}

/// mean_B |d min_j Q_j(s, a) / d a|, (M).
Tensor action_gradient_norm(const SacModel& model, const Tensor& observation,
                            const Tensor& sampled_action) {
  const Tensor action = sampled_action.detach().clone().set_requires_grad(true);
  const Tensor q = sac_q(model, Critics::online, observation, action).amin(1);
  const Tensor gradient = torch::autograd::grad({q.sum()}, {action})[0];
  return gradient.norm(2, -1).mean(-1);
}

/// Share of a batch's Q_j(s, a) outside of [L, U] (docs/overestimation.md), (M).
Tensor implausible_share(const SacModel& model, const Tensor& q, const Tensor& log_prob,
                         const RewardRange& rewards) {
  if (!(rewards.low <= rewards.high)) {
    return at::full_like(model.discount, std::numeric_limits<double>::quiet_NaN());
  }
  const PlausibleBounds bounds = plausible_bounds(
      model, make_sac_rewards({rewards}, model.discount.device()), log_prob.amax(-1));
  const Tensor low = bounds.low.view({-1, 1, 1}), high = bounds.high.view({-1, 1, 1});
  return (q < low).logical_or(q > high).to(at::kFloat).flatten(1).mean(-1);
}

}  // namespace

const std::vector<std::string>& sac_diagnostic_names() {
  static const std::vector<std::string> names = {
      "actor_gradient_norm",   "critic_gradient_norm", "actor_parameter_norm",
      "critic_parameter_norm", "actor_update_ratio",   "critic_update_ratio",
      "critic_dormant_025",    "critic_dormant_100",   "critic_effective_rank",
      "policy_log_std",        "policy_u_abs",         "policy_saturated",
      "action_gradient_norm",  "implausible_share"};
  return names;
}

Tensor norm_per_member(const Tensor& values) { return values.flatten(1).norm(2, 1); }

Tensor dormant_share(const Tensor& features, double tau) {
  const Tensor activity = features.abs().mean(2);  // (M x E x W)
  const Tensor dormant = activity <= tau * activity.mean(-1, /*keepdim=*/true);
  return dormant.to(at::kFloat).flatten(1).mean(-1);
}

/// Of one network's features (B x W), float64; nan when the eigenvalues cannot be found.
static double effective_rank_of(const Tensor& features) {
  const bool tall = features.size(0) >= features.size(1);
  // the smaller Gram matrix: in float64, so that squaring loses nothing
  const Tensor gram = tall ? at::mm(features.t(), features) : at::mm(features, features.t());
  try {
    const Tensor sigma = at::linalg_eigvalsh(gram).clamp_min(0.0).sqrt();
    const Tensor p = sigma / sigma.sum();
    return std::exp(-at::xlogy(p, p).sum().item<double>());
  } catch (const c10::Error&) {
    return std::numeric_limits<double>::quiet_NaN();
  }
}

Tensor effective_rank(const Tensor& features) {
  const std::int64_t members = features.size(0), ensemble = features.size(1);
  const Tensor ranks = at::full({members, ensemble}, std::numeric_limits<double>::quiet_NaN(),
                                at::TensorOptions(at::kDouble));
  if (at::isfinite(features).all().item<bool>()) {
    const Tensor wide = features.to(at::kCPU, at::kDouble).flatten(0, 1);
    // a network is one piece of work, whoever does it
    learner_team().run(members * ensemble, [&](std::int64_t g) {
      ranks.data_ptr<double>()[g] = effective_rank_of(wide[g]);
    });
  }
  return ranks.mean(-1).to(at::kFloat);
}

namespace {

struct FeatureMeasures {
  Tensor dormant_025, dormant_100, effective_rank;  // (M)
};

/// Of the critics' penultimate features; nan for a critic without a hidden layer.
FeatureMeasures feature_measures(const SacModel& model, const Batch& batch) {
  if (model.critic_shape.hidden_dims.empty()) {
    const Tensor nothing = at::full_like(model.discount, std::numeric_limits<double>::quiet_NaN());
    return {nothing, nothing, nothing};
  }
  const Tensor features =
      sac_features(model, batch.observation, model.actions.measured(batch.action));
  return {dormant_share(features, 0.025), dormant_share(features, 0.1),
          effective_rank(features).to(features.device())};
}

}  // namespace

Tensor sac_diagnostics(const SacModel& model, const SacOptimisers& optimisers, const Batch& batch,
                       const SacNoise& noise, const RewardRange& rewards) {
  const SacCriticLoss critic = sac_critic_loss(model, batch, noise);
  const Tensor critic_gradient = model.critic.gradient(critic.loss);
  const SacActorLoss actor = sac_actor_loss(model, batch, noise);
  const Tensor actor_gradient = model.actor.gradient(actor.loss);
  Tensor head, action;
  {
    at::NoGradGuard no_grad;
    head = sac_head(model, model.actor, batch.observation);
    action = sac_sample(model, model.actor, batch.observation, noise.action).action;
  }
  const Tensor action_gradient = action_gradient_norm(model, batch.observation, action);

  at::NoGradGuard no_grad;
  const Inside inside = inside_of(model.config.actor, head, noise.action);
  const FeatureMeasures features = feature_measures(model, batch);
  const auto ratio = [](const Adam& adam, const Tensor& flat) {
    return norm_per_member(adam.last_step(flat)) / norm_per_member(flat);
  };
  const Tensor actor_flat = model.actor.flat().detach(), critic_flat = model.critic.flat().detach();
  return at::stack(
             {norm_per_member(actor_gradient), norm_per_member(critic_gradient),
              norm_per_member(actor_flat), norm_per_member(critic_flat),
              ratio(optimisers.actor, actor_flat), ratio(optimisers.critic, critic_flat),
              features.dormant_025, features.dormant_100, features.effective_rank,
              inside.log_std.flatten(1).mean(-1), inside.u.abs().flatten(1).mean(-1),
              (model.actions.normalised(action).abs() > 0.99).to(at::kFloat).flatten(1).mean(-1),
              action_gradient, implausible_share(model, critic.q, actor.log_prob, rewards)})
      .to(at::kCPU);
}

}  // namespace anthill
