#include "algos/agents/sac_metrics.hpp"

#include <stdexcept>

#include "algos/agents/sac_metrics_kernel.hpp"
#include "algos/networks/device.hpp"

namespace anthill {

const std::vector<std::string>& sac_metric_names() {
  static const std::vector<std::string> names = {
      "critic_loss", "actor_loss", "alpha_loss", "alpha",       "entropy",       "q_mean",
      "q_min",       "q_max",      "q_gap",      "target_mean", "target_entropy"};
  return names;
}

void add_sac_metrics(const Tensor& sums, const SacMeasured& measured) {
  const auto address = [](const Tensor& t) {
    if (!t.is_contiguous()) throw std::logic_error("add_sac_metrics: a tensor has gaps");
    return t.data_ptr<float>();
  };
  const SacMetricRows rows{.members = measured.log_prob.size(0),
                           .batch = measured.log_prob.size(1),
                           .critics = measured.q.size(1),
                           .critic_loss = address(measured.critic_loss),
                           .actor_loss = address(measured.actor_loss),
                           .alpha_loss = address(measured.alpha_loss),
                           .alpha = address(measured.alpha),
                           .target_entropy = address(measured.target_entropy),
                           .log_prob = address(measured.log_prob),
                           .q = address(measured.q),
                           .target = address(measured.target),
                           .sums = address(sums)};
  if (sums.is_cuda()) {
    add_sac_metrics_cuda(rows, current_stream(sums.device()));
    return;
  }
  for (std::int64_t m = 0; m < rows.members; ++m) {
    add_sac_member(rows, m, sac_batch_sums(rows, m, 0, 1));
  }
}

#ifndef ANTHILL_CUDA
void add_sac_metrics_cuda(const SacMetricRows&, void*) {
  throw std::logic_error("a CUDA tensor in a build without CUDA");
}
#endif

}  // namespace anthill
