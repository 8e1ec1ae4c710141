/// What the buffers ask of the CUDA run time outside of kernels. Part of every build.
#pragma once

#include <cstddef>
#include <string>

namespace anthill {

/// Why CUDA cannot be used here, in a few words; empty when it can. Safe without a driver, where
/// the first call into Thrust would end the process. Thread-safe.
std::string cuda_problem();

/// Page-locked host memory, aligned to at least 64 bytes; give it back to free_pinned. Throws
/// std::runtime_error without CUDA or memory.
void* allocate_pinned(std::size_t bytes);
void free_pinned(void* memory) noexcept;

}  // namespace anthill
