// Adam and the squashed Gaussian on a GPU.
#include "algos/networks/cuda_kernels.hpp"
#include "algos/networks/launch_cuda.hpp"

namespace anthill {
namespace {

/// One element of a squashed Gaussian; the same formulas as the CPU's compute_block.
struct Element {
  float log_std_slope, std, noise, action, log_prob, d_log_slope_d_u;
};

__device__ Element compute_element(const SquashedRows<float>& rows, std::int64_t row,
                                   std::int64_t element) {
  const float* head = rows.head + 2 * row * rows.action_dim;
  const float mean = head[element], raw = head[rows.action_dim + element];
  const float low = rows.log_std_min, high = rows.log_std_max;
  Element e;
  e.noise = rows.noise[row * rows.action_dim + element];
  float log_std;
  if (rows.log_std_form == LogStdForm::clamp) {
    log_std = raw < low ? low : (raw > high ? high : raw);
    e.log_std_slope = raw < low || raw > high ? 0.0f : 1.0f;
  } else {
    const float t = tanhf(raw), half = (high - low) / 2;
    log_std = low + half * (1.0f + t);
    e.log_std_slope = half * (1.0f - t * t);
  }
  e.std = expf(log_std);
  const float u = mean + e.std * e.noise;
  e.action = tanhf(u);
  float log_slope;
  if (rows.log_prob_form == LogProbForm::exact) {
    const float x = -2.0f * u;
    const float softplus = fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x)));
    log_slope = 2.0f * (0.69314718055994530942f - u - softplus);
    e.d_log_slope_d_u = -2.0f * e.action;
  } else {
    const float room = 1.0f - e.action * e.action;
    const float scale = rows.scale != nullptr ? rows.scale[element] : 1.0f;
    const float open = scale * (room > 0.0f ? room : 0.0f);
    log_slope = logf(open + 1e-6f);
    e.d_log_slope_d_u = -2.0f * e.action * open / (open + 1e-6f);
  }
  e.log_prob = -0.5f * e.noise * e.noise - log_std - 0.91893853320467274178f - log_slope;
  return e;
}

__global__ void squashed_forward_kernel(SquashedRows<float> rows) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= rows.rows) return;
  float log_prob = 0.0f;
  for (std::int64_t i = 0; i < rows.action_dim; ++i) {
    const Element e = compute_element(rows, row, i);
    rows.action[row * rows.action_dim + i] = e.action;
    log_prob += e.log_prob;
  }
  rows.log_prob[row] = log_prob;
}

__global__ void squashed_backward_kernel(SquashedRows<float> rows, const float* d_action,
                                         const float* d_log_prob, float* d_head) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rows.rows * rows.action_dim) return;
  const std::int64_t row = i / rows.action_dim, element = i % rows.action_dim;
  const Element e = compute_element(rows, row, element);
  const float da = d_action != nullptr ? d_action[i] : 0.0f;
  const float dl = d_log_prob != nullptr ? d_log_prob[row] : 0.0f;
  const float du = da * (1.0f - e.action * e.action) - dl * e.d_log_slope_d_u;
  float* out = d_head + 2 * row * rows.action_dim;
  out[element] = du;
  out[rows.action_dim + element] = (du * e.std * e.noise - dl) * e.log_std_slope;
}

/// One block: the step count advances and every member's step size follows from it. In double, as
/// powers of 0.999 need.
__global__ void adam_words_kernel(CudaAdam s) {
  const double t = static_cast<double>(*s.num_steps + 1);
  __syncthreads();
  if (threadIdx.x == 0) *s.num_steps += 1;
  const double correction1 = 1.0 - pow(s.beta1, t), correction2 = 1.0 - pow(s.beta2, t);
  for (std::int64_t m = threadIdx.x; m < s.members; m += blockDim.x) {
    s.step_words[2 * m] = static_cast<float>(s.learning_rate[m] / correction1);
    s.step_words[2 * m + 1] = static_cast<float>(1.0 / sqrt(correction2));
  }
}

__global__ void adam_kernel(CudaAdam s) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= s.size) return;
  const std::int64_t m = blockIdx.y, at = m * s.size + i;
  const auto beta1 = static_cast<float>(s.beta1), rest1 = static_cast<float>(1.0 - s.beta1);
  const auto beta2 = static_cast<float>(s.beta2), rest2 = static_cast<float>(1.0 - s.beta2);
  const float scale = s.gradient_scale != nullptr ? s.gradient_scale[m] : 1.0f;
  const float g = s.gradient[at] * scale;
  const float first = beta1 * s.first_moment[at] + rest1 * g;
  const float second = beta2 * s.second_moment[at] + rest2 * g * g;
  s.first_moment[at] = first;
  s.second_moment[at] = second;
  const float decay = s.learning_rate[m] * static_cast<float>(s.weight_decay);
  float p = s.parameters[at];
  p -= decay * p + s.step_words[2 * m] * first /
                       (sqrtf(second) * s.step_words[2 * m + 1] + static_cast<float>(s.eps));
  s.parameters[at] = p;
  if (s.target != nullptr) s.target[at] += s.tau[m] * (p - s.target[at]);
}

constexpr int kBlock = 128;

}  // namespace

void squashed_forward_cuda(const SquashedRows<float>& rows, void* stream) {
  squashed_forward_kernel<<<cuda_blocks(rows.rows, kBlock), kBlock, 0,
                            static_cast<cudaStream_t>(stream)>>>(rows);
  check_launch("squashed_forward_kernel");
}

void squashed_backward_cuda(const SquashedRows<float>& rows, const float* d_action,
                            const float* d_log_prob, float* d_head, void* stream) {
  squashed_backward_kernel<<<cuda_blocks(rows.rows * rows.action_dim, kBlock), kBlock, 0,
                             static_cast<cudaStream_t>(stream)>>>(rows, d_action, d_log_prob,
                                                                  d_head);
  check_launch("squashed_backward_kernel");
}

void adam_cuda(const CudaAdam& step, void* stream_handle) {
  const auto stream = static_cast<cudaStream_t>(stream_handle);
  adam_words_kernel<<<1, kBlock, 0, stream>>>(step);
  check_launch("adam_words_kernel");
  const dim3 grid(cuda_blocks(step.size, kBlock), static_cast<unsigned>(step.members));
  adam_kernel<<<grid, kBlock, 0, stream>>>(step);
  check_launch("adam_kernel");
}

}  // namespace anthill
