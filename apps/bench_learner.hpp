/// What the benchmarks of the buffer and of the learner share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "algos/agents/batch.hpp"
#include "algos/training/training_config.hpp"
#include "apps/bench_parts.hpp"
#include "buffers/replay_buffer.hpp"

namespace anthill {

/// The shape of a batch, and where it lives.
struct BenchShape {
  std::int64_t observation_dim = 27;
  std::int64_t action_dim = 8;
  std::int64_t batch_size = 256;
  std::string device = "cpu";
};

void add_shape_options(CLI::App& parser, BenchShape& shape);

/// The word of --device.
DeviceChoice device_choice(const std::string& name);

/// A ring of at least `capacity` rows per member, filled with uniform numbers.
std::unique_ptr<ReplayBuffer> filled_buffer(const BenchShape& shape, std::int64_t capacity,
                                            at::Device device, std::int64_t members = 1);

}  // namespace anthill
