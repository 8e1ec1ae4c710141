/// Remedies against overestimation that are more than a term of a loss: clipped targets, batch
/// renormalisation, projected weights, a capped temperature, resets.
#pragma once

#include "algos/agents/sac.hpp"

namespace anthill {

/// What no policy can leave, from the rewards r that may come and alpha, (M) each:
///   high = max(0, (max r + discount * alpha * A * ln 2) / (1 - discount))
///   low  = min(0, (min r - discount * alpha * max log pi) / (1 - discount))
/// since the entropy of an action in [-1, 1]^A is at most A ln 2, and at least -max log pi.
struct PlausibleBounds {
  Tensor low, high;
};
PlausibleBounds plausible_bounds(const SacModel& model, const SacRewards& rewards,
                                 const Tensor& log_prob_max);

/// The clip as it is before the first update.
SacTargetClip make_target_clip(TargetClip form, const Tensor& like);

/// target_clip = "bound": the bounds for the next update.
void update_clip_bounds(SacModel& model, const SacRewards& rewards);

/// After the critics' loss of update number `update` (from 0): what it has seen. With "range", the
/// range in use becomes that of all targets seen after every critic.target_range_period updates
/// (section 5 of 2306.02451, as published: [0, 0] before the first time).
void remember_targets(SacModel& model, const SacCriticLoss& loss, std::int64_t update);

/// With critic.batch_renorm: what the critics' loss has seen of its batch (nothing where `loss` is
/// empty) goes into the running statistics; the targets' then follow, where `targets`, as their
/// parameters do.
void remember_statistics(const SacModel& model, const SacOptimisers& optimisers,
                         const SacCriticLoss& loss, bool targets);

/// critic.weight_projection: scales the weights into every hidden unit of the critics to norm 1.
void project_weights(const Parameters& critic);

/// The critics' step, and where `targets` their targets' after it, towards what the projection has
/// left.
void step_critics(const SacModel& model, SacOptimisers& optimisers, const Tensor& gradient,
                  bool targets);

/// log alpha = min(log alpha, max_log_alpha), where there is a cap.
void cap_temperature(SacModel& model);

/// The targets of J_Q from what they are made of, clipped as the configuration says.
Tensor clip_next_value(const SacModel& model, const Tensor& next_q);
Tensor clip_target(const SacModel& model, const Tensor& target);

}  // namespace anthill
