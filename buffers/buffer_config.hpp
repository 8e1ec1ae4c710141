/// Settings of the replay buffer: the section [buffer].
#pragma once

#include <cstdint>

namespace anthill {

/// Thrust's device systems: where the ring lives and what runs the gather.
enum class DeviceSystem { automatic, cpp, omp, cuda };

struct BufferConfig {
  std::int64_t capacity = 1'000'000;  // transitions of one member, over all its environments
  DeviceSystem device_system =
      DeviceSystem::automatic;  // automatic: cuda when run.device is cuda, else cpp
  bool store_state = false;     // keep the simulator row of every transition in its record
  bool replacement = true;      // false: no transition twice in one batch
  double held_out_share = 0.0;  // of the episodes, kept from learning
};

}  // namespace anthill
