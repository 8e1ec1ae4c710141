/// A small checkpoint in memory, for tests of the store.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "algos/checkpoint/checkpoint_store.hpp"
#include "algos/checkpoint/state.hpp"

namespace anthill {

inline constexpr std::int64_t kStepBytes = 2 * 192;  // two lanes of three lines each: D = 20, A = 4

/// A ring of 10 vector steps after `end` of them; row bytes are functions of the step.
inline CheckpointSnapshot snapshot_at(std::int64_t end, std::int64_t stored_until,
                                      std::size_t payload = 100) {
  CheckpointSnapshot snapshot;
  const StateWriter state(snapshot.arrays);
  state.part("trainer").integer("env_steps", 2 * end);
  state.array("payload", std::span<const double>(std::vector<double>(payload, 0.5)));
  state.text("words", "read \"me\"");
  CheckpointInfo& info = snapshot.info;
  info.env = "a task";
  info.device = "cpu";
  info.env_steps = 2 * end;
  info.gradient_updates = end;
  info.wall_time_s = 0.1;
  info.first_step = std::max<std::int64_t>(0, end - 10);
  info.end_step = end;
  info.step_bytes = kStepBytes;
  snapshot.config_toml = "[run]\nseed = 1\n";
  snapshot.rows_first = std::max(info.first_step, stored_until);
  for (std::int64_t step = snapshot.rows_first; step < end; ++step) {
    std::vector<float> words(kStepBytes / 4, 0.0f);
    words[0] = static_cast<float>(step);
    const auto* bytes = reinterpret_cast<const std::byte*>(words.data());
    snapshot.rows.insert(snapshot.rows.end(), bytes, bytes + kStepBytes);
  }
  return snapshot;
}

}  // namespace anthill
