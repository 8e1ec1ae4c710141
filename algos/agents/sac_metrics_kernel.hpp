/// One member's metrics, shared by the host loop and the CUDA kernel. Plain pointers, no LibTorch.
#pragma once

#include <cstdint>

#include "buffers/philox.hpp"

namespace anthill {

constexpr int kNumSacMetrics = 11;

/// Addresses of SacMeasured's tensors and of the sums (K x M).
struct SacMetricRows {
  std::int64_t members = 0, batch = 0, critics = 2;
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
  const float* q = rows.q + rows.critics * m * rows.batch;
  for (std::int64_t b = first; b < rows.batch; b += stride) {
    s.log_prob += rows.log_prob[m * rows.batch + b];
    s.target += rows.target[m * rows.batch + b];
    float sum = q[b], low = q[b], high = q[b];
    for (std::int64_t e = 1; e < rows.critics; ++e) {
      const float value = q[e * rows.batch + b];
      sum += value;
      low = keep_smaller(low, value);
      high = -keep_smaller(-high, -value);
    }
    s.q += sum;
    s.gap += high - low;
    s.q_min = keep_smaller(s.q_min, low);
    s.q_max = -keep_smaller(-s.q_max, -high);
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
                                        s.q / (static_cast<float>(rows.critics) * batch),
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
