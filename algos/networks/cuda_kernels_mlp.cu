// The elementwise passes of a multi-layer perceptron on a GPU: rows are worked on by warps, sums
// over rows by tiles of 32 columns. No atomics: a result does not depend on the order of blocks.
#include "algos/networks/cuda_kernels.hpp"
#include "algos/networks/launch_cuda.hpp"

namespace anthill {
namespace {

constexpr int kRowsPerBlock = 8;  // one warp each
constexpr float kLayerNormEps = 1e-5f;

__device__ float activate(Activation activation, float x) {
  if (activation == Activation::relu) return x > 0.0f ? x : 0.0f;
  if (activation == Activation::tanh) return tanhf(x);
  return x > 0.0f ? x : expm1f(x);
}

/// d activate / d x, from the activation's output y.
__device__ float slope(Activation activation, float y) {
  if (activation == Activation::relu) return y > 0.0f ? 1.0f : 0.0f;
  if (activation == Activation::tanh) return 1.0f - y * y;
  return y > 0.0f ? 1.0f : y + 1.0f;
}

/// One row of LayerNorm by one warp: y = gain * n + shift, n = (x - mean) / sqrt(variance + eps).
__device__ void normalise_row(const CudaHidden& h, std::int64_t network, std::int64_t row,
                              const float* x, float* y) {
  const std::int64_t width = h.layer.width;
  const int lane = threadIdx.x;
  float sum = 0.0f;
  for (std::int64_t j = lane; j < width; j += kWarp) sum += x[j];
  const float mean = warp_sum(sum) / static_cast<float>(width);
  float squares = 0.0f;
  for (std::int64_t j = lane; j < width; j += kWarp) squares += (x[j] - mean) * (x[j] - mean);
  const float variance = warp_sum(squares) / static_cast<float>(width);
  const float inverse_std = 1.0f / sqrtf(variance + kLayerNormEps);
  const float* gain = h.layer.gain + network * h.parameter_stride;
  const float* shift = h.layer.shift + network * h.parameter_stride;
  float* n = h.rows.normalised + row * width;
  for (std::int64_t j = lane; j < width; j += kWarp) {
    n[j] = (x[j] - mean) * inverse_std;
    y[j] = gain[j] * n[j] + shift[j];
  }
  if (lane == 0) h.rows.inverse_std[row] = inverse_std;
}

__global__ void hidden_forward_kernel(CudaHidden h) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.y;
  if (row >= h.networks * h.num_rows) return;  // whole warps leave
  const std::int64_t network = row / h.num_rows, width = h.layer.width;
  const float* bias = h.layer.bias + network * h.parameter_stride;
  float* x = h.rows.output + row * width;
  float* y = h.rows.activated + row * width;
  const std::uint8_t* keep = nullptr;
  if (h.rows.keep != nullptr) {
    keep = h.rows.keep + network * h.keep_stride + (row - network * h.num_rows) * width;
  }
  const bool before = h.layer.norm == HiddenNorm::before_activation;
  for (std::int64_t j = threadIdx.x; j < width; j += kWarp) {
    float z = x[j] + bias[j];
    if (keep != nullptr) z *= keep[j] != 0 ? h.layer.keep_scale : 0.0f;
    if (before) {
      x[j] = z;
    } else {
      y[j] = activate(h.layer.activation, z);
    }
  }
  // a lane reads only what it wrote itself: no barrier is needed
  if (before) {
    normalise_row(h, network, row, x, x);
    for (std::int64_t j = threadIdx.x; j < width; j += kWarp) {
      y[j] = activate(h.layer.activation, x[j]);
    }
  }
  const float* last = y;
  if (h.layer.norm == HiddenNorm::after_activation) {
    normalise_row(h, network, row, y, x);
    last = x;
  }
  if (h.rows.skip != nullptr) {
    const float* skip = h.rows.skip + row * width;
    for (std::int64_t j = threadIdx.x; j < width; j += kWarp) x[j] = last[j] + skip[j];
  }
}

/// What the column pass does to an element of the gradient before it is summed.
enum class ColumnPass { nothing, slope, slope_and_mask };

/// Tiles of 32 columns x 8 groups of rows; sums over the rows of one network into `sum` and, times
/// the normalised value, into `dot`; either may be nullptr.
__global__ void column_kernel(CudaHidden h, ColumnPass pass, float* gradient, float* sum,
                              float* dot) {
  constexpr int kGroups = 8;
  __shared__ float sums[kGroups][kWarp], dots[kGroups][kWarp];
  const std::int64_t network = blockIdx.y, width = h.layer.width;
  const std::int64_t j = static_cast<std::int64_t>(blockIdx.x) * kWarp + threadIdx.x;
  float own_sum = 0.0f, own_dot = 0.0f;
  if (j < width) {
    for (std::int64_t r = threadIdx.y; r < h.num_rows; r += kGroups) {
      const std::int64_t i = (network * h.num_rows + r) * width + j;
      float g = gradient[i];
      if (pass != ColumnPass::nothing) {
        g *= slope(h.layer.activation, h.rows.activated[i]);
        if (pass == ColumnPass::slope_and_mask && h.rows.keep != nullptr) {
          g *=
              h.rows.keep[network * h.keep_stride + r * width + j] != 0 ? h.layer.keep_scale : 0.0f;
        }
        gradient[i] = g;
      }
      own_sum += g;
      if (dot != nullptr) own_dot += g * h.rows.normalised[i];
    }
  }
  sums[threadIdx.y][threadIdx.x] = own_sum;
  dots[threadIdx.y][threadIdx.x] = own_dot;
  __syncthreads();
  if (threadIdx.y != 0 || j >= width) return;
  float total = 0.0f, total_dot = 0.0f;
  for (int group = 0; group < kGroups; ++group) {
    total += sums[group][threadIdx.x];
    total_dot += dots[group][threadIdx.x];
  }
  if (sum != nullptr) sum[network * h.parameter_stride + j] = total;
  if (dot != nullptr) dot[network * h.parameter_stride + j] = total_dot;
}

/// LayerNorm's backward pass of one row per warp, then whatever stands before it.
__global__ void normalise_backward_kernel(CudaHidden h, float* gradient) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.y;
  if (row >= h.networks * h.num_rows) return;
  const std::int64_t network = row / h.num_rows, width = h.layer.width;
  const float* gain = h.layer.gain + network * h.parameter_stride;
  const float* n = h.rows.normalised + row * width;
  const float* y = h.rows.activated + row * width;
  float* g = gradient + row * width;
  float sum = 0.0f, dot = 0.0f;
  for (std::int64_t j = threadIdx.x; j < width; j += kWarp) {
    const float d_n = g[j] * gain[j];
    sum += d_n;
    dot += d_n * n[j];
  }
  const float mean = warp_sum(sum) / static_cast<float>(width);
  const float slope_n = warp_sum(dot) / static_cast<float>(width);
  const float inverse_std = h.rows.inverse_std[row];
  const bool after = h.layer.norm == HiddenNorm::after_activation;
  const std::uint8_t* keep = nullptr;
  if (h.rows.keep != nullptr) {
    keep = h.rows.keep + network * h.keep_stride + (row - network * h.num_rows) * width;
  }
  for (std::int64_t j = threadIdx.x; j < width; j += kWarp) {
    float d = inverse_std * (g[j] * gain[j] - mean - n[j] * slope_n);
    if (after) d *= slope(h.layer.activation, y[j]);
    if (keep != nullptr) d *= keep[j] != 0 ? h.layer.keep_scale : 0.0f;
    g[j] = d;
  }
}

__global__ void add_bias_kernel(float* y, const float* bias, std::int64_t num_rows,
                                std::int64_t width, std::int64_t stride) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < num_rows * width)
    y[blockIdx.y * num_rows * width + i] += bias[blockIdx.y * stride + i % width];
}

void column_pass(const CudaHidden& h, ColumnPass pass, float* gradient, float* sum, float* dot,
                 cudaStream_t stream) {
  const dim3 grid(cuda_blocks(h.layer.width, kWarp), static_cast<unsigned>(h.networks));
  column_kernel<<<grid, dim3(kWarp, 8), 0, stream>>>(h, pass, gradient, sum, dot);
  check_launch("column_kernel");
}

}  // namespace

void hidden_forward_cuda(const CudaHidden& h, void* stream) {
  const unsigned blocks = cuda_blocks(h.networks * h.num_rows, kRowsPerBlock);
  hidden_forward_kernel<<<blocks, dim3(kWarp, kRowsPerBlock), 0,
                          static_cast<cudaStream_t>(stream)>>>(h);
  check_launch("hidden_forward_kernel");
}

void hidden_backward_cuda(const CudaHidden& h, const HiddenGradients<float>& sums, float* gradient,
                          void* stream_handle) {
  const auto stream = static_cast<cudaStream_t>(stream_handle);
  if (h.layer.norm == HiddenNorm::none) {
    column_pass(h, ColumnPass::slope_and_mask, gradient, sums.bias, nullptr, stream);
    return;
  }
  const bool before = h.layer.norm == HiddenNorm::before_activation;
  column_pass(h, before ? ColumnPass::slope : ColumnPass::nothing, gradient, sums.shift, sums.gain,
              stream);
  const unsigned blocks = cuda_blocks(h.networks * h.num_rows, kRowsPerBlock);
  normalise_backward_kernel<<<blocks, dim3(kWarp, kRowsPerBlock), 0, stream>>>(h, gradient);
  check_launch("normalise_backward_kernel");
  if (sums.bias != nullptr) {
    column_pass(h, ColumnPass::nothing, gradient, sums.bias, nullptr, stream);
  }
}

void add_bias_cuda(float* y, const float* bias, std::int64_t networks, std::int64_t num_rows,
                   std::int64_t width, std::int64_t stride, void* stream) {
  const dim3 grid(cuda_blocks(num_rows * width, 256), static_cast<unsigned>(networks));
  add_bias_kernel<<<grid, 256, 0, static_cast<cudaStream_t>(stream)>>>(y, bias, num_rows, width,
                                                                       stride);
  check_launch("add_bias_kernel");
}

void sum_rows_cuda(const float* x, float* out, std::int64_t networks, std::int64_t num_rows,
                   std::int64_t width, std::int64_t stride, void* stream) {
  CudaHidden h;
  h.layer.width = width;
  h.networks = networks;
  h.num_rows = num_rows;
  h.parameter_stride = stride;
  // the pass that changes nothing only reads x
  column_pass(h, ColumnPass::nothing, const_cast<float*>(x), out, nullptr,
              static_cast<cudaStream_t>(stream));
}

}  // namespace anthill
