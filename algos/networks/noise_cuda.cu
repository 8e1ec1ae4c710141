#include "algos/networks/noise_kernel.hpp"

namespace anthill {
namespace {

__global__ void fill_normal_kernel(float* out, std::int64_t size, std::uint64_t seed,
                                   RandomStream stream, std::uint64_t counter) {
  const std::int64_t lane = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (4 * lane < size) normals_of_lane(out, size, seed, stream, counter, lane);
}

__global__ void fill_keep_kernel(std::uint8_t* keep, std::int64_t size, float dropout,
                                 std::uint64_t seed, RandomStream stream, std::uint64_t counter) {
  const std::int64_t lane = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (4 * lane < size) keep_of_lane(keep, size, dropout, seed, stream, counter, lane);
}

constexpr int kBlock = 128;

unsigned blocks_for(std::int64_t size) {
  return static_cast<unsigned>((size + 4 * kBlock - 1) / (4 * kBlock));
}

const char* launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace

const char* fill_normal_cuda(float* out, std::int64_t size, std::uint64_t seed, RandomStream stream,
                             std::uint64_t counter, void* stream_handle) {
  fill_normal_kernel<<<blocks_for(size), kBlock, 0, static_cast<cudaStream_t>(stream_handle)>>>(
      out, size, seed, stream, counter);
  return launch_error();
}

const char* fill_keep_cuda(std::uint8_t* keep, std::int64_t size, float dropout, std::uint64_t seed,
                           RandomStream stream, std::uint64_t counter, void* stream_handle) {
  fill_keep_kernel<<<blocks_for(size), kBlock, 0, static_cast<cudaStream_t>(stream_handle)>>>(
      keep, size, dropout, seed, stream, counter);
  return launch_error();
}

}  // namespace anthill
