/// One member's metrics, shared by the host loop and the CUDA kernel. Plain pointers, no LibTorch.
#pragma once

#include <cstdint>

#include "buffers/philox.hpp"

namespace anthill {

constexpr int kNumSacMetrics = 11;

/// Addresses of SacMeasured's tensors and of the sums (K x M).
struct SacMetricRows {
  std::int64_t members = 0, batch = 0;
  const float* critic_loss = nullptr;
  const float* actor_loss = nullptr;
  const float* alpha_loss = nullptr;
  const float* alpha = nullptr;
  const float* target_entropy = nullptr;
  const float* log_prob = nullptr;
  const float* q = nullptr;
  const float* target = nullptr;
  float* sums = nullptr;
};

/// What is gathered over a batch.
struct SacBatchSums {
  float log_prob = 0.0f, q = 0.0f, gap = 0.0f, target = 0.0f;
  float q_min = 3.4e38f, q_max = -3.4e38f;
};

/// The smaller of two numbers, and nan when one is nan.
ANTHILL_HOST_DEVICE inline float keep_smaller(float a, float b) {
  if (a != a) return a;
  return b >= a ? a : b;
}

/// Rows first, first + stride, ... of member m.
ANTHILL_HOST_DEVICE inline SacBatchSums sac_batch_sums(const SacMetricRows& rows, std::int64_t m,
                                                       std::int64_t first, std::int64_t stride) {
  SacBatchSums s;
  const float* q1 = rows.q + 2 * m * rows.batch;
  const float* q2 = q1 + rows.batch;
  for (std::int64_t b = first; b < rows.batch; b += stride) {
    s.log_prob += rows.log_prob[m * rows.batch + b];
    s.target += rows.target[m * rows.batch + b];
    s.q += q1[b] + q2[b];
    const float gap = q1[b] - q2[b];
    s.gap += gap < 0.0f ? -gap : gap;
    for (const float value : {q1[b], q2[b]}) {
      s.q_min = keep_smaller(s.q_min, value);
      s.q_max = -keep_smaller(-s.q_max, -value);
    }
  }
  return s;
}

ANTHILL_HOST_DEVICE inline void add_sac_member(const SacMetricRows& rows, std::int64_t m,
                                               const SacBatchSums& s) {
  const auto batch = static_cast<float>(rows.batch);
  const float values[kNumSacMetrics] = {rows.critic_loss[m],
                                        rows.actor_loss[m],
                                        rows.alpha_loss[m],
                                        rows.alpha[m],
                                        -s.log_prob / batch,
                                        s.q / (2.0f * batch),
                                        s.q_min,
                                        s.q_max,
                                        s.gap / batch,
                                        s.target / batch,
                                        rows.target_entropy[m]};
  for (int k = 0; k < kNumSacMetrics; ++k) rows.sums[k * rows.members + m] += values[k];
}

/// Queues the pass on `stream` (a cudaStream_t); CUDA builds only. Throws when the launch fails.
void add_sac_metrics_cuda(const SacMetricRows& rows, void* stream);

}  // namespace anthill
