/// What SAC measures of every update: sums that stay where the learner runs until somebody asks.
#pragma once

#include <string>
#include <vector>

#include "algos/tensor.hpp"

namespace anthill {

/// One update's values; float32, contiguous, on one device.
struct SacMeasured {
  Tensor critic_loss, actor_loss, alpha_loss, alpha, target_entropy;  // (M)
  Tensor log_prob;                                                    // (M x B)
  Tensor q;                                                           // (M x E x B)
  Tensor target;                                                      // (M x B)
};

/// The columns of train.csv that the sums become, in their order (K).
const std::vector<std::string>& sac_metric_names();

/// sums (K x M) += the update's values: losses, alpha and the target entropy as they are, entropy
/// as -mean(log_prob), mean, minimum and maximum of q, mean of largest minus smallest q_j, mean of
/// the target. One pass, no waiting.
void add_sac_metrics(const Tensor& sums, const SacMeasured& measured);

}  // namespace anthill
