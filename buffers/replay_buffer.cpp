#include "buffers/replay_buffer.hpp"

#include <iomanip>
#include <new>
#include <sstream>
#include <string>

#include "buffers/cuda_device.hpp"
#include "buffers/host_memory.hpp"
#include "buffers/replay_record.hpp"
#include "buffers/replay_systems.hpp"

namespace anthill {
namespace {

void check_shape(const ReplayShape& shape) {
  constexpr std::int64_t kMaxDim = 1 << 20, kMaxLanes = std::int64_t{1} << 31;
  const auto in_range = [](std::int64_t value, std::int64_t max, std::int64_t min = 1) {
    return value >= min && value <= max;
  };
  if (!in_range(shape.observation_dim, kMaxDim) || !in_range(shape.action_dim, kMaxDim) ||
      !in_range(shape.state_dim, kMaxDim, 0) || !in_range(shape.num_envs, kMaxLanes) ||
      !in_range(shape.members, kMaxLanes / shape.num_envs)) {
    throw ConfigError("replay buffer: no records of " + std::to_string(shape.observation_dim) +
                      " observations and " + std::to_string(shape.action_dim) + " actions for " +
                      std::to_string(shape.members) + " members x " +
                      std::to_string(shape.num_envs) + " environments");
  }
  if (shape.n_step < 1 || (shape.n_step > 1 && std::ssize(shape.discounts) != shape.members)) {
    throw ConfigError("replay buffer: n_step needs to be at least 1, with one discount per member");
  }
  if (shape.capacity < shape.num_envs) {
    throw ConfigError(
        "buffer.capacity = " + std::to_string(shape.capacity) +
        ": holds no vector step; use at least sim.num_envs = " + std::to_string(shape.num_envs));
  }
}

/// Bytes as a double: what is asked for may not fit an integer.
double num_bytes(const ReplayShape& shape) {
  return static_cast<double>(shape.capacity) * static_cast<double>(shape.members) *
         static_cast<double>(
             replay_record_bytes(shape.observation_dim, shape.action_dim, shape.state_dim));
}

[[noreturn]] void throw_no_memory(const ReplayShape& shape) {
  std::ostringstream message;
  message << "buffer.capacity = " << shape.capacity << ": cannot allocate " << std::fixed
          << std::setprecision(1) << num_bytes(shape) / (1 << 20) << " MiB; use a smaller capacity"
          << (shape.state_dim > 0 ? " or buffer.store_state = false" : "");
  throw ConfigError(message.str());
}

/// Memory is committed when it is first written: too large a ring would end the process later.
void check_host_memory(const ReplayShape& shape) {
  if (num_bytes(shape) > host_memory_bytes()) throw_no_memory(shape);
}

std::unique_ptr<ReplayBuffer> make(const ReplayShape& shape, const std::uint64_t* seeds,
                                   DeviceSystem system) {
  switch (system) {
    case DeviceSystem::automatic:
    case DeviceSystem::cpp:
      check_host_memory(shape);
      return make_cpp_replay_buffer(shape, seeds);
    case DeviceSystem::omp:
      check_host_memory(shape);
      return make_omp_replay_buffer(shape, seeds);
    case DeviceSystem::cuda: {
      const std::string problem = cuda_problem();
      if (!problem.empty()) {
        throw ConfigError("buffer.device_system = \"cuda\": " + problem +
                          "; use the preset 'cuda' on a machine with a GPU, or choose \"cpp\"");
      }
#if defined(ANTHILL_CUDA)
      return make_cuda_replay_buffer(shape, seeds);
#endif
    }
  }
  throw ConfigError("buffer.device_system: unknown value; choose cpp, omp or cuda");
}

}  // namespace

std::unique_ptr<ReplayBuffer> make_replay_buffer(const ReplayShape& shape,
                                                 const std::uint64_t* seeds, DeviceSystem system) {
  check_shape(shape);
  if (num_bytes(shape) > 0x1p60) throw_no_memory(shape);
  try {
    return make(shape, seeds, system);
  } catch (const std::bad_alloc&) {
    throw_no_memory(shape);
  }
}

std::int64_t replay_record_bytes(std::int64_t observation_dim, std::int64_t action_dim,
                                 std::int64_t state_dim) {
  return RecordLayout{observation_dim, action_dim, state_dim}.num_lines() *
         static_cast<std::int64_t>(sizeof(RecordLine));
}

}  // namespace anthill
