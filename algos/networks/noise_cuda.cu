#include "algos/networks/noise_kernel.hpp"

namespace anthill {
namespace {

__device__ std::uint64_t counter_of(const NoiseLaunch& launch) {
  return launch.word != nullptr ? static_cast<std::uint64_t>(*launch.word) : launch.counter;
}

// one row of blocks per member
__global__ void fill_normal_kernel(float* out, NoiseLaunch launch) {
  const std::int64_t lane = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int m = static_cast<int>(blockIdx.y);
  if (4 * lane >= launch.size) return;
  normals_of_lane(out + m * launch.size, launch.size, launch.seeds[m], launch.stream,
                  counter_of(launch), lane);
}

__global__ void fill_keep_kernel(std::uint8_t* keep, float dropout, NoiseLaunch launch) {
  const std::int64_t lane = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int m = static_cast<int>(blockIdx.y);
  if (4 * lane >= launch.size) return;
  keep_of_lane(keep + m * launch.size, launch.size, dropout, launch.seeds[m], launch.stream,
               counter_of(launch), lane);
}

constexpr int kBlock = 128;

dim3 blocks_for(const NoiseLaunch& launch) {
  return {static_cast<unsigned>((launch.size + 4 * kBlock - 1) / (4 * kBlock)),
          static_cast<unsigned>(launch.members)};
}

const char* launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace

const char* fill_normal_cuda(float* out, const NoiseLaunch& launch, void* queue) {
  fill_normal_kernel<<<blocks_for(launch), kBlock, 0, static_cast<cudaStream_t>(queue)>>>(out,
                                                                                          launch);
  return launch_error();
}

const char* fill_keep_cuda(std::uint8_t* keep, float dropout, const NoiseLaunch& launch,
                           void* queue) {
  fill_keep_kernel<<<blocks_for(launch), kBlock, 0, static_cast<cudaStream_t>(queue)>>>(
      keep, dropout, launch);
  return launch_error();
}

}  // namespace anthill
