/// What the benchmarks of the buffer and of the learner share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "algos/agents/agent.hpp"
#include "algos/agents/batch.hpp"
#include "algos/cuda_graph/update_runner.hpp"
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

/// An agent that learns from such a ring. Not copied; one thread.
struct BenchLearner {
  std::unique_ptr<Agent> agent;
  std::unique_ptr<ReplayBuffer> buffer;
  std::unique_ptr<Batch> batch;
  std::unique_ptr<UpdateRunner> runner;
  std::int64_t num_updates = 0;  // launches of all members at once

  at::Device device() const { return batch->reward.device(); }

  /// One on a CPU, many on a GPU, where it waits for them; returns how many.
  std::int64_t update();
};

/// On `agent`'s device. `graph_block` 0: every update is queued by itself.
BenchLearner make_bench_learner(const std::vector<AgentConfig>& members, const AgentShape& agent,
                                const BenchShape& shape, std::int64_t graph_block = 0);

}  // namespace anthill
