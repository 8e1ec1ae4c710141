// What SAC measures of its updates, between two rows of the log.
#include <algorithm>

#include "algos/agents/metric_sums.hpp"
#include "algos/agents/sac.hpp"
#include "algos/agents/sac_diagnostics.hpp"
#include "algos/agents/sac_metrics.hpp"

namespace anthill {

/// An update without critics or without the policy adds zeros to their sums.
void Sac::measure(const Batch& batch, SacCriticLoss critic, SacActorLoss actor, Tensor alpha_loss,
                  const Tensor& alpha) {
  if (!critic.loss.defined()) {
    critic = {at::zeros_like(alpha),
              at::zeros({batch.reward.size(0), model_.critic.ensemble(), batch.reward.size(1)},
                        batch.reward.options()),
              at::zeros_like(batch.reward)};
  }
  if (!actor.loss.defined()) actor = {at::zeros_like(alpha), at::zeros_like(batch.reward)};
  if (!alpha_loss.defined()) alpha_loss = at::zeros_like(alpha);
  add_sac_metrics(metric_sums_, {.critic_loss = critic.loss.detach(),
                                 .actor_loss = actor.loss.detach(),
                                 .alpha_loss = alpha_loss,
                                 .alpha = alpha,
                                 .target_entropy = model_.target_entropy,
                                 .log_prob = actor.log_prob,
                                 .q = critic.q,
                                 .target = critic.target});
}

/// Each mean is over the updates that the metric is of.
MetricMeans Sac::take_metric_means() {
  std::vector<std::int64_t> counts;
  for (const std::string& name : sac_metric_names()) {
    const bool of_policy = name == "actor_loss" || name == "alpha_loss" || name == "entropy";
    const bool of_all = name == "alpha" || name == "target_entropy";
    counts.push_back(of_all      ? num_measured_
                     : of_policy ? num_policy_measured_
                                 : num_critic_measured_);
  }
  MetricMeans means = means_of(sac_metric_names(), metric_sums_, counts);
  metric_sums_.zero_();
  num_measured_ = num_critic_measured_ = num_policy_measured_ = 0;
  return means;
}

const std::vector<std::string>& Sac::diagnostic_names() const { return sac_diagnostic_names(); }

void Sac::draw_latest_noise(const Batch& batch) {
  const auto latest = static_cast<std::uint64_t>(std::max<std::int64_t>(0, num_updates_ - 1));
  draw_noise(batch, latest, diagnosis_noise_);
}

Tensor Sac::critic_losses(const Batch& batch) {
  draw_latest_noise(batch);
  at::NoGradGuard no_grad;
  std::vector<Tensor> losses;
  for (std::int64_t m = 0; m < shape_.members(); ++m) {
    losses.push_back(
        sac_critic_loss(member_of(model_, m), member_of(batch, m), member_of(diagnosis_noise_, m))
            .loss);
  }
  return at::cat(losses).to(at::kCPU);
}

/// One member after the other: eigenvalues and norms of a stack round in another order.
Tensor Sac::diagnose(const Batch& batch, const std::vector<RewardRange>& rewards) {
  draw_latest_noise(batch);
  std::vector<Tensor> measured;
  for (std::int64_t m = 0; m < shape_.members(); ++m) {
    measured.push_back(sac_diagnostics(member_of(model_, m), member_of(optimisers_, m),
                                       member_of(batch, m), member_of(diagnosis_noise_, m),
                                       rewards.at(static_cast<std::size_t>(m))));
  }
  return at::cat(measured, 1);
}

}  // namespace anthill
