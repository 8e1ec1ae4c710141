/// One maker per device system. Internal to buffers/: the factory checks the arguments.
#pragma once

#include <memory>

#include "buffers/replay_buffer.hpp"

namespace anthill {

std::unique_ptr<ReplayBuffer> make_cpp_replay_buffer(const ReplayShape& shape,
                                                     const std::uint64_t* seeds);
std::unique_ptr<ReplayBuffer> make_omp_replay_buffer(const ReplayShape& shape,
                                                     const std::uint64_t* seeds);
/// CUDA builds only; needs a driver and a device.
std::unique_ptr<ReplayBuffer> make_cuda_replay_buffer(const ReplayShape& shape,
                                                      const std::uint64_t* seeds);

}  // namespace anthill
