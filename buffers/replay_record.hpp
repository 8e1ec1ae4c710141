/// One packed transition and the two functors that write and read it: the whole of what runs on a
/// device system. Compiled by g++ and by nvcc. Internal to buffers/.
#pragma once

#include <cstdint>
#include <cstring>

#include "buffers/permutation.hpp"
#include "buffers/philox.hpp"
#include "buffers/record_layout.hpp"
#include "buffers/replay_buffer.hpp"

namespace anthill {

/// Attempts of one row before the next usable record in order is taken: all that the key can tell
/// apart.
inline constexpr std::uint32_t kMaxAttempts = 1u << 16;

/// The ring as plain values that a functor can carry. Slots are vector steps, lanes are
/// environments; rows are counted from the oldest slot, so the same content gives the same batches
/// wherever the write head stands.
struct RingView {
  RecordLine* lines = nullptr;  // (num_slots x members*num_envs x layout.num_lines())
  RecordLayout layout;
  std::int64_t num_slots = 0;   // T
  std::int64_t num_filled = 0;  // slots in use
  std::int64_t oldest = 0;      // slot of the oldest vector step
  std::int64_t num_envs = 0;    // N, lanes of one member
  std::int64_t members = 0;     // M
  bool replacement = true;
  std::int64_t n_step = 1;

  ANTHILL_HOST_DEVICE std::int64_t num_lanes() const { return members * num_envs; }
  ANTHILL_HOST_DEVICE float* record(std::int64_t slot, std::int64_t lane) const {
    return lines[(slot * num_lanes() + lane) * layout.num_lines()].word;
  }
  /// Record of `row` in [0, num_filled * N): slot oldest + row / N, lane row % N of the member.
  ANTHILL_HOST_DEVICE const float* member_record(std::int64_t member, std::int64_t row) const {
    std::int64_t slot = oldest + row / num_envs;
    if (slot >= num_slots) slot -= num_slots;
    return record(slot, member * num_envs + row % num_envs);
  }
};

/// One vector step as pointers that the device system can read.
struct RowPointers {
  const float* observation = nullptr;        // (L x D)
  const float* action = nullptr;             // (L x A)
  const float* reward = nullptr;             // (L)
  const float* next_observation = nullptr;   // (L x D)
  const std::uint8_t* terminated = nullptr;  // (L)
  const std::uint8_t* truncated = nullptr;   // (L)
  const std::uint8_t* invalid = nullptr;     // (L)
  const float* state = nullptr;              // (L x 2S) halves of doubles
  const std::uint8_t* held_out = nullptr;    // (L) or null: none is
};

/// Copies `count` words as one of kWidth threads that work side by side: alone a memcpy, together
/// neighbouring words.
template <int kWidth>
ANTHILL_HOST_DEVICE inline void copy_words(float* to, const float* from, std::int64_t count,
                                           std::int64_t thread) {
  if constexpr (kWidth == 1) {
    memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
  } else {
    for (std::int64_t i = thread; i < count; i += kWidth) to[i] = from[i];
  }
}

/// Writes one vector step into slot `slot`. Index: lane * kWidth + thread.
template <int kWidth>
struct PackRows {
  RingView ring;
  RowPointers rows;
  std::int64_t slot;

  ANTHILL_HOST_DEVICE std::int64_t num_rows() const { return ring.num_lanes(); }

  ANTHILL_HOST_DEVICE void operator()(std::int64_t index) const {
    const std::int64_t lane = index / kWidth, thread = index % kWidth;
    const RecordLayout& layout = ring.layout;
    const std::int64_t d = layout.observation_dim, a = layout.action_dim;
    float* record = ring.record(slot, lane);
    copy_words<kWidth>(record, rows.observation + lane * d, d, thread);
    copy_words<kWidth>(record + layout.action_at(), rows.action + lane * a, a, thread);
    copy_words<kWidth>(record + layout.next_observation_at(), rows.next_observation + lane * d, d,
                       thread);
    const std::int64_t state_words = 2 * layout.state_dim;
    if (state_words > 0) {
      copy_words<kWidth>(record + layout.state_at(), rows.state + lane * state_words, state_words,
                         thread);
    }
    if (thread != 0) return;
    record[layout.reward_at()] = rows.reward[lane];
    const std::uint32_t flags = (rows.terminated[lane] ? kTerminated : 0u) |
                                (rows.truncated[lane] ? kTruncated : 0u) |
                                (rows.invalid[lane] ? kInvalid : 0u) |
                                (rows.held_out && rows.held_out[lane] ? kHeldOut : 0u);
    memcpy(record + layout.flags_at(), &flags, sizeof flags);
    for (std::int64_t i = layout.state_at() + state_words; i < layout.num_words(); ++i) {
      record[i] = 0.0f;
    }
  }
};

/// What changes in a ring from step to step, where captured work finds it.
struct RingWords {
  std::int64_t num_filled = 0;
  std::int64_t oldest = 0;
};

struct WriteWords {
  RingWords* to;
  RingWords words;

  ANTHILL_HOST_DEVICE std::int64_t num_rows() const { return 1; }
  ANTHILL_HOST_DEVICE void operator()(std::int64_t) const { *to = words; }
};

/// Fills batches. Index: group * kWidth + thread; a group is kRows rows of the batch, whose records
/// are requested from memory together before the first is copied.
template <int kWidth, int kRows>
struct GatherRows {
  RingView ring;
  BatchView batch;
  const std::uint64_t* seeds;  // (M)
  const float* discounts;      // (M) for n_step > 1
  std::uint64_t draw;
  const RingWords* ring_words = nullptr;    // with draw_word: they replace draw and the extent of
  const std::int64_t* draw_word = nullptr;  // the ring when the work runs

  ANTHILL_HOST_DEVICE std::int64_t num_rows() const {
    return batch.num_batches * ring.members * batch.batch_size;
  }
  ANTHILL_HOST_DEVICE std::int64_t num_groups() const { return (num_rows() + kRows - 1) / kRows; }

  ANTHILL_HOST_DEVICE void operator()(std::int64_t index) const {
    if (draw_word == nullptr) {
      gather(index);
      return;
    }
    GatherRows now = *this;
    now.draw = static_cast<std::uint64_t>(*draw_word);
    now.ring.num_filled = ring_words->num_filled;
    now.ring.oldest = ring_words->oldest;
    now.gather(index);
  }

 private:
  ANTHILL_HOST_DEVICE void gather(std::int64_t index) const {
    const std::int64_t thread = index % kWidth, first = index / kWidth * kRows;
    const std::int64_t left = num_rows() - first;
    const int count = left < kRows ? static_cast<int>(left) : kRows;
    std::int64_t drawn[kRows];
    const float* records[kRows];
    for (int i = 0; i < count; ++i) {
      drawn[i] = drawn_row(first + i, 0);
      records[i] = ring.member_record(member(first + i), drawn[i]);
      prefetch(records[i]);
    }
    for (int i = 0; i < count; ++i) {
      if (!usable(records[i])) {
        drawn[i] = redraw(first + i);
        records[i] = ring.member_record(member(first + i), drawn[i]);
      }
      copy_out(first + i, drawn[i], records[i], thread);
    }
  }

  ANTHILL_HOST_DEVICE std::int64_t member(std::int64_t row) const {
    return row / batch.batch_size % ring.members;
  }

  /// Held-out rows are few: a batch of theirs is always drawn with replacement.
  ANTHILL_HOST_DEVICE bool permutes() const { return !ring.replacement && !batch.held_out; }

  ANTHILL_HOST_DEVICE bool usable(const float* record) const {
    return is_usable(ring.layout.flags(record), batch.held_out);
  }

  ANTHILL_HOST_DEVICE std::int64_t drawn_row(std::int64_t row, std::uint32_t attempt) const {
    const std::int64_t batch_number = row / (batch.batch_size * ring.members);
    const std::uint64_t seed = seeds[member(row)];
    const std::uint64_t counter = draw + static_cast<std::uint64_t>(batch_number);
    const auto lane = static_cast<std::uint32_t>(row % batch.batch_size);
    const auto size = static_cast<std::uint64_t>(ring.num_filled * ring.num_envs);
    if (permutes()) {
      const std::uint64_t tried = attempt * static_cast<std::uint64_t>(batch.batch_size);
      const PermutationKey key = permutation_key(seed, counter);
      return static_cast<std::int64_t>(permuted((lane + tried) % size, size, key));
    }
    const RandomStream stream =
        batch.held_out ? RandomStream::held_out_rows : RandomStream::batch_rows;
    const PhiloxWords words = philox(seed, stream, counter, lane, attempt);
    return static_cast<std::int64_t>(philox_below(words.word[0], words.word[1], size));
  }

  /// Without replacement a row's attempts end with its places in the permutation.
  ANTHILL_HOST_DEVICE std::uint32_t num_attempts(std::int64_t row) const {
    if (!permutes()) return kMaxAttempts;
    const std::int64_t lane = row % batch.batch_size, size = ring.num_filled * ring.num_envs;
    if (lane >= size) return 1;
    const std::int64_t places = (size - 1 - lane) / batch.batch_size + 1;
    return places < kMaxAttempts ? static_cast<std::uint32_t>(places) : kMaxAttempts;
  }

  /// The caller guarantees that the member has a usable record.
  ANTHILL_HOST_DEVICE std::int64_t redraw(std::int64_t row) const {
    std::int64_t drawn = drawn_row(row, 0);
    const std::uint32_t attempts = num_attempts(row);
    for (std::uint32_t attempt = 1; attempt < attempts; ++attempt) {
      drawn = drawn_row(row, attempt);
      if (usable(ring.member_record(member(row), drawn))) return drawn;
    }
    for (;;) {
      drawn = (drawn + 1) % (ring.num_filled * ring.num_envs);
      if (usable(ring.member_record(member(row), drawn))) return drawn;
    }
  }

  /// A transition over several steps of one lane.
  struct Span {
    const float* last;  // its last record
    float reward;       // discounted sum
    float discount;     // discount^(steps - 1)
  };

  ANTHILL_HOST_DEVICE Span walk(std::int64_t row, std::int64_t drawn, const float* record) const {
    const RecordLayout& layout = ring.layout;
    Span span{record, record[layout.reward_at()], 1.0f};
    const std::int64_t size = ring.num_filled * ring.num_envs;
    for (std::int64_t k = 1; k < ring.n_step; ++k) {
      // the same lane, one vector step later
      drawn += ring.num_envs;
      if (drawn >= size || (layout.flags(span.last) & (kTerminated | kTruncated)) != 0) break;
      const float* next = ring.member_record(member(row), drawn);
      if (!usable(next)) break;
      span.discount *= discounts[member(row)];
      span.reward += span.discount * next[layout.reward_at()];
      span.last = next;
    }
    return span;
  }

  ANTHILL_HOST_DEVICE void copy_out(std::int64_t row, std::int64_t drawn, const float* record,
                                    std::int64_t thread) const {
    const Span span = walk(row, drawn, record);
    const RecordLayout& layout = ring.layout;
    const std::int64_t d = layout.observation_dim, a = layout.action_dim;
    copy_words<kWidth>(batch.observation + row * d, record, d, thread);
    copy_words<kWidth>(batch.action + row * a, record + layout.action_at(), a, thread);
    copy_words<kWidth>(batch.next_observation + row * d, span.last + layout.next_observation_at(),
                       d, thread);
    if (thread != 0) return;
    batch.reward[row] = span.reward;
    batch.bootstrap[row] = (layout.flags(span.last) & kTerminated) ? 0.0f : span.discount;
  }

  ANTHILL_HOST_DEVICE void prefetch([[maybe_unused]] const float* record) const {
#if !defined(__CUDA_ARCH__)
    for (std::int64_t i = 0; i < ring.layout.state_at(); i += 16) __builtin_prefetch(record + i);
#endif
  }
};

}  // namespace anthill
