/// The ring, once for every device system. Internal to buffers/: included by replay_buffer_host.cpp
/// (CPP, OMP) and replay_buffer_cuda.cu (CUDA).
///
/// A `System` says where memory is and what runs a functor:
///   kWidth, kRows                    threads per row, rows per group of the gather
///   Vector<T>                        Thrust's vector in the system's memory
///   System(shape)                    takes all further memory
///   untouched(memory, bytes)         memory of a Vector that nothing was written to yet
///   upload(rows, stream)             RowPointers that the system can read until release()
///   release(stream)                  the last reader of those pointers has been queued
///   for_each(count, functor, stream) functor(0) to functor(count - 1), in any order
///   read(to, from, bytes), write(to, from, bytes)   system to host, host to system; wait
#pragma once

#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "buffers/replay_checks.hpp"
#include "buffers/replay_file.hpp"
#include "buffers/replay_record.hpp"
#include "buffers/slot_counts.hpp"

namespace anthill {

template <class System>
class ReplayRing final : public ReplayBuffer {
 public:
  ReplayRing(const ReplayShape& shape, const std::uint64_t* seeds)
      : shape_(shape),
        system_(shape),
        seeds_(seeds, seeds + shape.members),
        discounts_(shape.discounts.begin(), shape.discounts.end()),
        words_(1),
        counts_(shape.capacity / shape.num_envs, shape.members, shape.num_envs) {
    ring_.layout = {shape.observation_dim, shape.action_dim, shape.state_dim};
    ring_.num_slots = shape.capacity / shape.num_envs;
    ring_.num_envs = shape.num_envs;
    ring_.members = shape.members;
    ring_.replacement = shape.replacement;
    ring_.n_step = shape.n_step;
    const auto num_lines = static_cast<std::size_t>(ring_.num_slots * slot_lines());
    lines_.reserve(num_lines);
    ring_.lines = thrust::raw_pointer_cast(lines_.data());
    system_.untouched(ring_.lines, num_lines * sizeof(RecordLine));
    lines_.resize(num_lines);
  }

  void insert(const TransitionView& rows, StreamHandle stream) override {
    check_rows(shape_, rows);
    const std::int64_t slot = next_slot();
    const RowPointers pointers = system_.upload(rows, stream);
    const PackRows<System::kWidth> pack{ring_, pointers, slot};
    system_.for_each(ring_.num_lanes() * System::kWidth, pack, stream);
    system_.release(stream);
    advance();
    system_.for_each(1, WriteWords{thrust::raw_pointer_cast(words_.data()), words()}, stream);
    counts_.replace(
        slot,
        [&](std::int64_t lane) {
          const auto i = static_cast<std::size_t>(lane);
          return (rows.invalid[i] ? kInvalid : 0u) |
                 (!rows.held_out.empty() && rows.held_out[i] ? kHeldOut : 0u);
        },
        [&](std::int64_t lane) { return rows.reward[static_cast<std::size_t>(lane)]; });
  }

  void sample_into(const BatchView& batch, std::uint64_t draw, StreamHandle stream) override {
    gather(batch, draw, nullptr, stream);
  }

  void sample_at(const BatchView& batch, const std::int64_t* draw, StreamHandle stream) override {
    if (batch.num_batches != 1 || draw == nullptr) {
      throw std::invalid_argument("replay buffer: captured work fills one batch, at a draw's word");
    }
    gather(batch, 0, draw, stream);
  }

  bool read_row(std::int64_t member, std::int64_t row, const StoredRow& out) const override {
    check_stored_row(shape_, size(), member, row, out);
    const RecordLayout& layout = ring_.layout;
    std::vector<RecordLine> lines(static_cast<std::size_t>(layout.num_lines()));
    system_.read(lines.data(), ring_.member_record(member, row), lines.size() * sizeof(RecordLine));
    const float* record = lines.front().word;
    if ((layout.flags(record) & kUnusableFlags) != 0) return false;
    std::copy_n(record, out.observation.size(), out.observation.begin());
    std::copy_n(record + layout.action_at(), out.action.size(), out.action.begin());
    if (!out.state.empty()) {
      std::memcpy(out.state.data(), record + layout.state_at(), out.state.size_bytes());
    }
    return true;
  }

  bool stores_state() const override { return shape_.state_dim > 0; }

  std::int64_t num_held_out(std::int64_t member) const override {
    return counts_.num_held_out(member);
  }
  RewardRange reward_range(std::int64_t member) const override {
    return counts_.reward_range(member, ring_.num_filled);  // it is filled from slot 0 on
  }

  std::int64_t size() const override { return ring_.num_filled * ring_.num_envs; }
  std::int64_t capacity() const override { return ring_.num_slots * ring_.num_envs; }
  std::int64_t memory_bytes() const override {
    return static_cast<std::int64_t>(lines_.size() * sizeof(RecordLine));
  }

  void save(std::ostream& out) const override {
    write_replay_header(out, shape_, ring_.num_slots, ring_.num_filled);
    std::vector<RecordLine> chunk = make_chunk();
    for (std::int64_t age = 0; age < ring_.num_filled;) {
      const std::int64_t count = std::min(chunk_slots(), ring_.num_filled - age);
      read_steps(age, count, chunk.data());
      write_replay_bytes(out, chunk.data(), slot_bytes(count));
      age += count;
    }
  }

  void load(std::istream& in) override {
    const std::int64_t num_filled = read_replay_header(in, shape_, ring_.num_slots);
    clear();
    try {
      std::vector<RecordLine> chunk = make_chunk();
      for (std::int64_t slot = 0; slot < num_filled;) {
        const std::int64_t count = std::min(chunk_slots(), num_filled - slot);
        read_replay_bytes(in, chunk.data(), slot_bytes(count));
        append_steps(count, chunk.data());
        slot += count;
      }
    } catch (...) {
      clear();
      throw;
    }
  }

  std::int64_t num_steps() const override { return ring_.num_filled; }
  std::int64_t step_bytes() const override { return static_cast<std::int64_t>(slot_bytes(1)); }

  void read_steps(std::int64_t first, std::int64_t count, void* out) const override {
    if (first < 0 || count < 0 || first > ring_.num_filled - count) {
      throw std::invalid_argument("replay buffer: vector steps that are not stored");
    }
    auto* to = static_cast<std::byte*>(out);
    while (count > 0) {
      const std::int64_t slot = slot_of(first);
      const std::int64_t piece = std::min(count, ring_.num_slots - slot);  // not over the end
      system_.read(to, ring_.record(slot, 0), slot_bytes(piece));
      to += slot_bytes(piece);
      first += piece;
      count -= piece;
    }
  }

  void append_steps(std::int64_t count, const void* records) override {
    const auto* from = static_cast<const float*>(records);
    while (count > 0) {
      const std::int64_t slot = next_slot();
      const std::int64_t piece = std::min(count, ring_.num_slots - slot);  // not over the end
      for (std::int64_t i = 0; i < piece; ++i) check_flags(from + i * slot_lines() * 16);
      system_.write(ring_.record(slot, 0), from, slot_bytes(piece));
      for (std::int64_t i = 0; i < piece; ++i, from += slot_lines() * 16) {
        advance();
        counts_.replace(
            slot + i, [&](std::int64_t lane) { return saved_flags(from, lane); },
            [&](std::int64_t lane) {
              return from[lane * ring_.layout.num_words() + ring_.layout.reward_at()];
            });
      }
      count -= piece;
    }
    store_words();
  }

  void clear() override {
    ring_.num_filled = 0;
    ring_.oldest = 0;
    store_words();
    counts_.clear();
  }

 private:
  void gather(const BatchView& batch, std::uint64_t draw, const std::int64_t* draw_word,
              StreamHandle stream) {
    check_batch(batch);
    for (std::int64_t m = 0; m < ring_.members; ++m) {
      if ((batch.held_out ? counts_.num_held_out(m) : counts_.num_learning(m)) > 0) continue;
      throw std::logic_error(
          "replay buffer: nothing to sample: every stored transition is invalid or on the other "
          "side of buffer.held_out_share");
    }
    const GatherRows<System::kWidth, System::kRows> rows{
        ring_,
        batch,
        thrust::raw_pointer_cast(seeds_.data()),
        thrust::raw_pointer_cast(discounts_.data()),
        draw,
        ring_words(),
        draw_word};
    system_.for_each(rows.num_groups() * System::kWidth, rows, stream);
  }

  RingWords words() const { return {ring_.num_filled, ring_.oldest}; }
  const RingWords* ring_words() const { return thrust::raw_pointer_cast(words_.data()); }
  void store_words() {
    const RingWords now = words();
    system_.write(thrust::raw_pointer_cast(words_.data()), &now, sizeof now);
  }

  std::int64_t slot_lines() const { return ring_.num_lanes() * ring_.layout.num_lines(); }
  std::size_t slot_bytes(std::int64_t num_slots) const {
    return static_cast<std::size_t>(num_slots * slot_lines()) * sizeof(RecordLine);
  }
  /// Slots that are saved or loaded at a time: about 4 MiB.
  std::int64_t chunk_slots() const {
    return std::clamp<std::int64_t>((4 << 20) / static_cast<std::int64_t>(slot_bytes(1)), 1,
                                    ring_.num_slots);
  }
  std::vector<RecordLine> make_chunk() const {
    return std::vector<RecordLine>(static_cast<std::size_t>(chunk_slots() * slot_lines()));
  }
  std::int64_t slot_of(std::int64_t age) const { return (ring_.oldest + age) % ring_.num_slots; }

  /// The slot that the next vector step goes to, and that it is there.
  std::int64_t next_slot() const {
    return ring_.num_filled == ring_.num_slots ? ring_.oldest : slot_of(ring_.num_filled);
  }
  void advance() {
    if (ring_.num_filled == ring_.num_slots) {
      ring_.oldest = slot_of(1);
    } else {
      ++ring_.num_filled;
    }
  }

  /// Flags of a lane's record in one saved vector step.
  std::uint32_t saved_flags(const float* step, std::int64_t lane) const {
    return ring_.layout.flags(step + lane * ring_.layout.num_words());
  }
  void check_flags(const float* step) const {
    for (std::int64_t lane = 0; lane < ring_.num_lanes(); ++lane) {
      if ((saved_flags(step, lane) & ~kKnownFlags) == 0) continue;
      throw std::runtime_error("saved replay buffer: damaged record; use an older checkpoint");
    }
  }

  ReplayShape shape_;
  System system_;
  typename System::template Vector<RecordLine> lines_;
  typename System::template Vector<std::uint64_t> seeds_;
  typename System::template Vector<float> discounts_;
  typename System::template Vector<RingWords> words_;  // one
  RingView ring_;
  SlotCounts counts_;
};

}  // namespace anthill
