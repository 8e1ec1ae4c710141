#include "algos/cuda_graph/update_runner.hpp"

#include <utility>

#include "algos/networks/device.hpp"

namespace anthill {

UpdateRunner::UpdateRunner(Agent& agent, ReplayBuffer& buffer, const Batch& batch, Capture capture,
                           std::int64_t block)
    : agent_(agent),
      buffer_(buffer),
      batch_(batch),
      capture_(std::move(capture)),
      update_(agent.captured_update()) {
  if (capture_ && update_ != nullptr) schedule_.emplace(*update_, block);
}

/// One update as work that may be captured.
void UpdateRunner::queue(std::int64_t kind) {
  buffer_.sample_at(batch_.view(), update_->update_word(), current_stream(batch_.reward.device()));
  update_->queue(batch_, kind);
}

std::int64_t UpdateRunner::run(std::int64_t done, std::int64_t due) {
  if (!schedule_) {
    buffer_.sample_into(batch_.view(), static_cast<std::uint64_t>(done),
                        current_stream(batch_.reward.device()));
    agent_.update(batch_);
    return 1;
  }
  const Launch launch = schedule_->next(done, due);
  if (launch.eager) {
    queue(launch.kinds[0]);
  } else {
    std::unique_ptr<WorkGraph>& graph = graphs_[launch.kinds];
    if (!graph) {
      graph = capture_([&] {
        for (const std::int64_t kind : launch.kinds) queue(kind);
      });
    }
    graph->launch();
  }
  update_->count(launch.size());
  return launch.size();
}

}  // namespace anthill
