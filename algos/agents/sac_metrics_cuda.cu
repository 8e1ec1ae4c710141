#include "algos/agents/sac_metrics_kernel.hpp"
#include "algos/networks/launch_cuda.hpp"

namespace anthill {
namespace {

/// One warp per member.
__global__ void sac_metrics_kernel(SacMetricRows rows) {
  const std::int64_t m = blockIdx.x;
  SacBatchSums s = sac_batch_sums(rows, m, threadIdx.x, kWarp);
  s.log_prob = warp_sum(s.log_prob);
  s.q = warp_sum(s.q);
  s.gap = warp_sum(s.gap);
  s.target = warp_sum(s.target);
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const float low = __shfl_xor_sync(0xffffffffu, s.q_min, offset);
    const float high = __shfl_xor_sync(0xffffffffu, s.q_max, offset);
    s.q_min = keep_smaller(s.q_min, low);
    s.q_max = -keep_smaller(-s.q_max, -high);
  }
  if (threadIdx.x == 0) add_sac_member(rows, m, s);
}

}  // namespace

void add_sac_metrics_cuda(const SacMetricRows& rows, void* stream) {
  sac_metrics_kernel<<<static_cast<unsigned>(rows.members), kWarp, 0,
                       static_cast<cudaStream_t>(stream)>>>(rows);
  check_launch("sac_metrics_kernel");
}

}  // namespace anthill
