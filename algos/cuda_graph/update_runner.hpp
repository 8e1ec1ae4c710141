/// The learner's work of a learn phase: sample and update, from graphs where that is possible.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "algos/agents/agent.hpp"
#include "algos/cuda_graph/launch_schedule.hpp"
#include "algos/cuda_graph/work_graph.hpp"
#include "buffers/replay_buffer.hpp"

namespace anthill {

/// One owner thread; what it is made of must outlive it. The numbers do not depend on whether
/// graphs are used.
class UpdateRunner {
 public:
  /// `batch`: what every sample is gathered into. `capture` empty, or an agent whose updates cannot
  /// be captured: every update is queued by itself. `block`: updates_per_block().
  UpdateRunner(Agent& agent, ReplayBuffer& buffer, const Batch& batch, Capture capture,
               std::int64_t block);

  /// Runs some of the `due` (at least 1) updates that are owed after `done`, and returns how many:
  /// one, or a block.
  std::int64_t run(std::int64_t done, std::int64_t due);

  /// Graphs that were captured so far.
  std::size_t num_graphs() const { return graphs_.size(); }

 private:
  void queue(std::int64_t kind);

  Agent& agent_;
  ReplayBuffer& buffer_;
  const Batch& batch_;
  Capture capture_;
  CapturedUpdate* update_;                  // null: cannot be captured
  std::optional<LaunchSchedule> schedule_;  // with graphs
  std::map<std::vector<std::int64_t>, std::unique_ptr<WorkGraph>> graphs_;  // by kinds
};

}  // namespace anthill
