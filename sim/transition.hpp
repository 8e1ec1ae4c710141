/// The contract between the rooms: views of one vector step's rows. Standard library only.
#pragma once

#include <cstdint>
#include <span>

namespace anthill {

/// One vector step of N environments, in storage owned by someone else (buffers/staging.hpp).
/// N = num_envs, D = observation_dim, A = action_dim; float32, row-major.
struct TransitionView {
  std::int64_t num_envs = 0;
  std::int64_t observation_dim = 0;
  std::int64_t action_dim = 0;
  std::span<float> observation;  // (N x D)  what the action was chosen from
  std::span<float> action;  // (N x A)  normalised to [-1, 1], or the index of a discrete action
  std::span<float> reward;  // (N)
  std::span<float> next_observation;   // (N x D)  true successor, taken before autoreset
  std::span<std::uint8_t> terminated;  // (N)      the task ended: no bootstrap
  std::span<std::uint8_t> truncated;   // (N)      the time limit was reached; both may be 1
  std::span<std::uint8_t> invalid;     // (N)      the simulator failed: never sampled
  // (N x S) VectorEnv's rows before the step, for a buffer that stores them; else empty
  std::span<const double> state = {};
  // (N) 1 where the episode is kept from learning, to validate on; empty: none is
  std::span<const std::uint8_t> held_out = {};

  /// The `count` lanes from `first` on, as a view of their own.
  TransitionView lanes(std::int64_t first, std::int64_t count) const {
    const auto cut = [&](const auto& rows) {
      const auto width = rows.size() / static_cast<std::size_t>(num_envs);
      return rows.subspan(static_cast<std::size_t>(first) * width,
                          static_cast<std::size_t>(count) * width);
    };
    return {count,       observation_dim,       action_dim,      cut(observation), cut(action),
            cut(reward), cut(next_observation), cut(terminated), cut(truncated),   cut(invalid),
            cut(state),  cut(held_out)};
  }
};

}  // namespace anthill
