#include "algos/networks/device.hpp"

#include <torch/version.h>

#include "sim/errors.hpp"

#ifdef ANTHILL_CUDA
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace anthill {

#ifdef ANTHILL_CUDA

at::Device resolve_device(DeviceChoice choice) {
  if (choice == DeviceChoice::cpu) return at::kCPU;
  if (c10::cuda::device_count() > 0) return at::Device(at::kCUDA, 0);
  if (choice == DeviceChoice::automatic) return at::kCPU;
  throw ConfigError(
      "run.device = \"cuda\": no usable GPU or driver found; use \"cpu\" or \"auto\"");
}

void* current_stream(at::Device device) {
  return device.is_cuda() ? c10::cuda::getCurrentCUDAStream(device.index()).stream() : nullptr;
}

void use_own_stream(at::Device device) {
  if (!device.is_cuda()) return;
  c10::cuda::setCurrentCUDAStream(
      c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index()));
}

void synchronize(at::Device device) {
  if (device.is_cuda()) c10::cuda::getCurrentCUDAStream(device.index()).synchronize();
}

std::string gpu_name(at::Device device) {
  return device.is_cuda() ? at::cuda::getDeviceProperties(device.index())->name : "";
}

std::string cuda_version() {
  return std::to_string(CUDART_VERSION / 1000) + "." + std::to_string(CUDART_VERSION % 1000 / 10);
}

#else

at::Device resolve_device(DeviceChoice choice) {
  if (choice != DeviceChoice::cuda) return at::kCPU;
  throw ConfigError(
      "run.device = \"cuda\": this build has no CUDA; build the cuda preset, or use \"cpu\" or "
      "\"auto\"");
}

void* current_stream(at::Device) { return nullptr; }
void use_own_stream(at::Device) {}
void synchronize(at::Device) {}
std::string gpu_name(at::Device) { return ""; }
std::string cuda_version() { return ""; }

#endif

std::string torch_version() { return TORCH_VERSION; }

}  // namespace anthill
