/// What the learner's .cu files share: launch sizes, warp sums, errors.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace anthill {

constexpr int kWarp = 32;

inline unsigned cuda_blocks(std::int64_t items, std::int64_t per_block) {
  return static_cast<unsigned>((items + per_block - 1) / per_block);
}

inline void check_launch(const char* kernel) {
  const cudaError_t error = cudaGetLastError();
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string(kernel) +
                           ": CUDA kernel launch failed: " + cudaGetErrorString(error));
}

/// The sum over a warp, in every lane; the same order in every run.
__device__ inline float warp_sum(float x) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, offset);
  }
  return x;
}

}  // namespace anthill
