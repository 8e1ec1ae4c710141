/// The few things that differ between CPU and GPU tensors.
#pragma once

#include <string>

#include "algos/tensor.hpp"
#include "algos/training/training_config.hpp"

namespace anthill {

/// Where the learner runs: `automatic` is the first GPU when this build and the machine have one,
/// else the CPU. Throws ConfigError when CUDA is asked for and not to be had.
at::Device resolve_device(DeviceChoice choice);

/// Threads of LibTorch's own kernels in this process. Results depend on the number, because sums
/// are split: a run and its evaluations use 1.
void set_learner_threads(int num_threads);
int learner_threads();

/// The current cudaStream_t of a CUDA device as a plain pointer; nullptr for the CPU.
void* current_stream(at::Device device);

/// Waits for all queued work; nothing to do on the CPU.
void synchronize(at::Device device);

/// Model name of the GPU, empty for the CPU; and the CUDA run-time version of this build, empty
/// without CUDA.
std::string gpu_name(at::Device device);
std::string cuda_version();
std::string torch_version();

}  // namespace anthill
