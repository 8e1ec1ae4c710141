#include "algos/networks/noise_kernel.hpp"

namespace anthill {
namespace {

__global__ void fill_normal_kernel(float* out, std::int64_t size, std::uint64_t seed,
                                   RandomStream stream, std::uint64_t counter) {
  const std::int64_t lane = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (4 * lane < size) normals_of_lane(out, size, seed, stream, counter, lane);
}

}  // namespace

const char* fill_normal_cuda(float* out, std::int64_t size, std::uint64_t seed, RandomStream stream,
                             std::uint64_t counter, void* stream_handle) {
  constexpr int kBlock = 128;
  const auto blocks = static_cast<unsigned>((size + 4 * kBlock - 1) / (4 * kBlock));
  fill_normal_kernel<<<blocks, kBlock, 0, static_cast<cudaStream_t>(stream_handle)>>>(
      out, size, seed, stream, counter);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace anthill
