/// The learner's own CUDA kernels: the twins of cpu_kernels.hpp behind plain pointers to device
/// memory, so that nvcc never sees LibTorch. All queue on `stream` (a cudaStream_t), read nothing
/// back, and take what changes from update to update (step counts, step sizes) from device memory,
/// so that a captured graph sees new values. They throw std::runtime_error when a launch fails, and
/// std::logic_error in a build without CUDA.
#pragma once

#include <cstdint>

#include "algos/networks/cpu_kernels.hpp"

namespace anthill {

/// One hidden layer of G networks whose parameters are `parameter_stride` values apart.
struct CudaHidden {
  HiddenLayer<float> layer;  // pointers of network 0
  HiddenRows<float> rows;    // (G x R x W); inverse_std (G x R)
  std::int64_t networks = 0, num_rows = 0, parameter_stride = 0;
  std::int64_t keep_stride = 0;  // from one network's masks to the next's
};

void hidden_forward_cuda(const CudaHidden& hidden, void* stream);

/// `gradient` (G x R x W) in place; sums of network 0, `parameter_stride` apart, are overwritten.
void hidden_backward_cuda(const CudaHidden& hidden, const HiddenGradients<float>& sums,
                          float* gradient, void* stream);

/// y (G x R x W) += bias of its network; and out (G, `stride` apart) = sum over R of x (G x R x W).
void add_bias_cuda(float* y, const float* bias, std::int64_t networks, std::int64_t num_rows,
                   std::int64_t width, std::int64_t stride, void* stream);
void sum_rows_cuda(const float* x, float* out, std::int64_t networks, std::int64_t num_rows,
                   std::int64_t width, std::int64_t stride, void* stream);

void squashed_forward_cuda(const SquashedRows<float>& rows, void* stream);
void squashed_backward_cuda(const SquashedRows<float>& rows, const float* d_action,
                            const float* d_log_prob, float* d_head, void* stream);

/// One Adam step of M members of `size` values each. Pointers to words have M values.
struct CudaAdam {
  std::int64_t members = 0, size = 0;
  float* parameters = nullptr;
  float* first_moment = nullptr;
  float* second_moment = nullptr;
  const float* gradient = nullptr;
  float* target = nullptr;                // nullptr: none
  std::int64_t* num_steps = nullptr;      // one word, advanced by the call
  const float* learning_rate = nullptr;   // (M)
  const float* tau = nullptr;             // (M), with a target
  const float* gradient_scale = nullptr;  // (M), or nullptr: 1
  float* step_words = nullptr;            // (M x 2) scratch: step size, 1 / sqrt(1 - beta2^t)
  double beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
};
void adam_cuda(const CudaAdam& step, void* stream);

}  // namespace anthill
