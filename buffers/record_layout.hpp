/// How a transition lies in the ring's memory. Compiled by g++ and by nvcc. Internal to buffers/.
#pragma once

#include <cstdint>
#include <cstring>

#include "buffers/philox.hpp"

namespace anthill {

/// The unit of the ring's memory: one cache line.
struct alignas(64) RecordLine {
  float word[16];
};

/// Bits of a record's last word.
enum RecordFlag : std::uint32_t {
  kTerminated = 1u << 0,
  kTruncated = 1u << 1,
  kInvalid = 1u << 2,
  kHeldOut = 1u << 3,
};
inline constexpr std::uint32_t kKnownFlags = kTerminated | kTruncated | kInvalid | kHeldOut;
/// A record with any of these bits is never learned from.
inline constexpr std::uint32_t kUnusableFlags = kInvalid | kHeldOut;

/// Whether a batch may hold the record: one that is learned from, or one of held-out transitions.
ANTHILL_HOST_DEVICE inline bool is_usable(std::uint32_t flags, bool held_out) {
  return (flags & kUnusableFlags) == (held_out ? kHeldOut : 0u);
}

/// Where things are in a record, in words of 4 bytes:
/// observation (D) | action (A) | next_observation (D) | reward | flags | state (2S, doubles) |
/// zeros up to a whole line. The gather stops at the flags.
struct RecordLayout {
  std::int64_t observation_dim = 0;  // D
  std::int64_t action_dim = 0;       // A
  std::int64_t state_dim = 0;        // S

  ANTHILL_HOST_DEVICE std::int64_t action_at() const { return observation_dim; }
  ANTHILL_HOST_DEVICE std::int64_t next_observation_at() const {
    return observation_dim + action_dim;
  }
  ANTHILL_HOST_DEVICE std::int64_t reward_at() const { return 2 * observation_dim + action_dim; }
  ANTHILL_HOST_DEVICE std::int64_t flags_at() const { return reward_at() + 1; }
  ANTHILL_HOST_DEVICE std::int64_t state_at() const { return flags_at() + 1; }
  ANTHILL_HOST_DEVICE std::int64_t num_lines() const {
    return (state_at() + 2 * state_dim + 15) / 16;
  }
  ANTHILL_HOST_DEVICE std::int64_t num_words() const { return 16 * num_lines(); }

  ANTHILL_HOST_DEVICE std::uint32_t flags(const float* record) const {
    std::uint32_t flags;
    memcpy(&flags, record + flags_at(), sizeof flags);
    return flags;
  }
};

}  // namespace anthill
