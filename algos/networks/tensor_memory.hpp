/// Memory of the learner's CPU tensors.
#pragma once

#include <cstdint>

namespace anthill {

/// From now on freed tensors of this process keep their memory for the next tensor of about their
/// size, as LibTorch does on a GPU: an update then takes no memory from the system, and touches
/// pages that are in the cache. Thread-safe; calling it again does nothing. Under AddressSanitizer,
/// which must see every block come and go, it does nothing.
void keep_tensor_memory();

/// Bytes that were taken from the system for tensors, used and kept ones together; never sinks.
std::int64_t tensor_memory_bytes();

}  // namespace anthill
