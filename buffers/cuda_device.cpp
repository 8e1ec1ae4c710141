#include "buffers/cuda_device.hpp"

#include <stdexcept>

#if defined(ANTHILL_CUDA)
#include <cuda_runtime_api.h>
#endif

namespace anthill {

#if defined(ANTHILL_CUDA)

std::string cuda_problem() {
  int num_devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&num_devices);
  if (status != cudaSuccess) {
    cudaGetLastError();  // an error that stays behind would fail the next call
    return std::string("no usable CUDA device (") + cudaGetErrorString(status) + ")";
  }
  return num_devices == 0 ? "no CUDA device" : "";
}

void* allocate_pinned(std::size_t bytes) {
  const std::string problem = cuda_problem();
  if (!problem.empty()) throw std::runtime_error("pinned memory: " + problem);
  void* memory = nullptr;
  const cudaError_t status = cudaHostAlloc(&memory, bytes, cudaHostAllocPortable);
  if (status != cudaSuccess) {
    throw std::runtime_error("pinned memory: cannot allocate " + std::to_string(bytes) +
                             " bytes: " + cudaGetErrorString(status));
  }
  return memory;
}

void free_pinned(void* memory) noexcept { cudaFreeHost(memory); }

#else

std::string cuda_problem() { return "this build has no CUDA"; }

void* allocate_pinned(std::size_t) { throw std::runtime_error("pinned memory: " + cuda_problem()); }

void free_pinned(void*) noexcept {}

#endif

}  // namespace anthill
