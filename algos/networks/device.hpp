/// The few things that differ between CPU and GPU tensors.
#pragma once

#include <string>

#include "algos/tensor.hpp"
#include "algos/training/training_config.hpp"

namespace anthill {

/// Where the learner runs: `automatic` is the first GPU when this build and the machine have one,
/// else the CPU. Throws ConfigError when CUDA is asked for and not to be had.
at::Device resolve_device(DeviceChoice choice);

/// Threads that share the learner's work on a CPU, the caller included (learner_team.hpp). Results
/// do not depend on the number. LibTorch's own kernels always use one.
void set_learner_threads(int num_threads);
int learner_threads();

/// The current cudaStream_t of a CUDA device as a plain pointer; nullptr for the CPU.
void* current_stream(at::Device device);

/// From now on the calling thread queues on a stream of its own, which can be captured; nothing to
/// do on the CPU.
void use_own_stream(at::Device device);

/// Waits for all queued work; nothing to do on the CPU.
void synchronize(at::Device device);

/// Model name of the GPU, empty for the CPU; and the CUDA run-time version of this build, empty
/// without CUDA.
std::string gpu_name(at::Device device);
std::string cuda_version();
std::string torch_version();

}  // namespace anthill
