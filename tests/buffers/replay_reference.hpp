/// A replay buffer on std::deque that follows the documented rule in the plainest way.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <deque>
#include <span>
#include <sstream>
#include <type_traits>
#include <vector>

#include "buffers/permutation.hpp"
#include "buffers/philox.hpp"
#include "tests/buffers/replay_rows.hpp"

namespace anthill::testing {

/// The differential reference.
class DequeBuffer {
 public:
  explicit DequeBuffer(const ReplayShape& shape)
      : shape_(shape), seeds_(make_seeds(shape.members)) {}

  void insert(const TransitionView& view) {
    const auto row_of = []<class T>(std::span<T> values, std::size_t lane, std::int64_t dim) {
      const auto part =
          values.subspan(lane * static_cast<std::size_t>(dim), static_cast<std::size_t>(dim));
      return std::vector<std::remove_const_t<T>>(part.begin(), part.end());
    };
    std::vector<Row> step;
    for (std::size_t lane = 0; lane < view.reward.size(); ++lane) {
      step.push_back({row_of(view.observation, lane, shape_.observation_dim),
                      row_of(view.action, lane, shape_.action_dim), view.reward[lane],
                      row_of(view.next_observation, lane, shape_.observation_dim),
                      view.terminated[lane] != 0, view.truncated[lane] != 0,
                      view.invalid[lane] != 0, !view.held_out.empty() && view.held_out[lane] != 0,
                      row_of(view.state, lane, shape_.state_dim)});
    }
    steps_.push_back(std::move(step));
    if (static_cast<std::int64_t>(steps_.size()) > shape_.capacity / shape_.num_envs) {
      steps_.pop_front();
    }
  }

  std::int64_t size() const { return static_cast<std::int64_t>(steps_.size()) * shape_.num_envs; }

  std::int64_t num_usable(std::int64_t member, bool held_out) const {
    std::int64_t count = 0;
    for (std::int64_t row = 0; row < size(); ++row) count += at(member, row).usable(held_out);
    return count;
  }

  bool can_sample(bool held_out) const {
    for (std::int64_t m = 0; m < shape_.members; ++m) {
      if (num_usable(m, held_out) == 0) return false;
    }
    return true;
  }

  HostBatch sample(std::int64_t num_batches, std::int64_t batch_size, std::uint64_t draw,
                   bool held_out) const {
    HostBatch batch(shape_, 0, 0);
    batch.num_batches = num_batches;
    batch.batch_size = batch_size;
    for (std::int64_t k = 0; k < num_batches; ++k) {
      for (std::int64_t m = 0; m < shape_.members; ++m) {
        for (std::int64_t b = 0; b < batch_size; ++b) {
          const std::int64_t row =
              drawn(m, draw + static_cast<std::uint64_t>(k), b, batch_size, held_out);
          append(batch, walked(m, row, held_out));
        }
      }
    }
    return batch;
  }

  /// Whether the buffer's read_row() and reward_range() say the same.
  bool agrees_with(const ReplayBuffer& buffer) const {
    for (std::int64_t m = 0; m < shape_.members; ++m) {
      RewardRange range;
      for (std::int64_t row = 0; row < size(); ++row) {
        const Row& expected = at(m, row);
        std::vector<float> observation(expected.observation.size()), action(expected.action.size());
        std::vector<double> state(expected.state.size());
        const bool usable = expected.usable(false);
        if (buffer.read_row(m, row, {observation, action, state}) != usable) return false;
        if (!usable) continue;
        range = {std::min(range.low, expected.reward), std::max(range.high, expected.reward)};
        if (observation != expected.observation || action != expected.action ||
            state != expected.state) {
          return false;
        }
      }
      const RewardRange actual = buffer.reward_range(m);
      if (actual.low != range.low || actual.high != range.high) return false;
      if (buffer.num_held_out(m) != num_usable(m, true)) return false;
    }
    return true;
  }

 private:
  struct Row {
    std::vector<float> observation, action;
    float reward;
    std::vector<float> next_observation;
    bool terminated, truncated, invalid, held_out;
    std::vector<double> state;
    float discount = 1.0f;  // what it bootstraps with

    bool usable(bool of_held_out) const { return !invalid && held_out == of_held_out; }
  };

  const Row& at(std::int64_t member, std::int64_t row) const {
    return steps_[static_cast<std::size_t>(row / shape_.num_envs)]
                 [static_cast<std::size_t>(member * shape_.num_envs + row % shape_.num_envs)];
  }

  /// The transition over up to n_step steps that begins with a row: the list of its steps first,
  /// then their sum.
  Row walked(std::int64_t member, std::int64_t row, bool held_out) const {
    std::vector<const Row*> steps = {&at(member, row)};
    while (std::ssize(steps) < shape_.n_step && !steps.back()->terminated &&
           !steps.back()->truncated) {
      row += shape_.num_envs;
      if (row >= size() || !at(member, row).usable(held_out)) break;
      steps.push_back(&at(member, row));
    }
    Row all = *steps.front();
    for (std::size_t k = 1; k < steps.size(); ++k) {
      all.discount *= shape_.discounts[static_cast<std::size_t>(member)];
      all.reward += all.discount * steps[k]->reward;
    }
    all.next_observation = steps.back()->next_observation;
    all.terminated = steps.back()->terminated;
    return all;
  }

  /// Without replacement: the whole permutation as a list, of which row b takes every B-th place.
  std::int64_t drawn_once(std::int64_t member, std::uint64_t draw, std::int64_t b,
                          std::int64_t batch_size) const {
    const PermutationKey key = permutation_key(seeds_[static_cast<std::size_t>(member)], draw);
    std::vector<std::int64_t> order;
    for (std::int64_t place = 0; place < size(); ++place) {
      order.push_back(static_cast<std::int64_t>(
          permuted(static_cast<std::uint64_t>(place), static_cast<std::uint64_t>(size()), key)));
    }
    std::int64_t row = order[static_cast<std::size_t>(b % size())];
    for (std::int64_t place = b; place < size() && !at(member, row).usable(false);
         place += batch_size) {
      row = order[static_cast<std::size_t>(place)];
    }
    while (!at(member, row).usable(false)) row = (row + 1) % size();
    return row;
  }

  std::int64_t drawn(std::int64_t member, std::uint64_t draw, std::int64_t b,
                     std::int64_t batch_size, bool held_out) const {
    if (!shape_.replacement && !held_out) return drawn_once(member, draw, b, batch_size);
    const RandomStream stream = held_out ? RandomStream::held_out_rows : RandomStream::batch_rows;
    for (std::uint32_t attempt = 0;; ++attempt) {
      const PhiloxWords words = philox(seeds_[static_cast<std::size_t>(member)], stream, draw,
                                       static_cast<std::uint32_t>(b), attempt);
      const auto row =
          philox_below(words.word[0], words.word[1], static_cast<std::uint64_t>(size()));
      if (at(member, static_cast<std::int64_t>(row)).usable(held_out)) {
        return static_cast<std::int64_t>(row);
      }
    }
  }

  static void append(HostBatch& batch, const Row& row) {
    const auto add = [](std::vector<float>& to, const std::vector<float>& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    add(batch.observation, row.observation);
    add(batch.action, row.action);
    add(batch.next_observation, row.next_observation);
    batch.reward.push_back(row.reward);
    batch.bootstrap.push_back(row.terminated ? 0.0f : row.discount);
  }

  ReplayShape shape_;
  std::vector<std::uint64_t> seeds_;
  std::deque<std::vector<Row>> steps_;
};

/// 400 random operations on the ring and on the deque.
inline void compare_with_deque(const ReplayShape& shape, DeviceSystem system) {
  std::unique_ptr<ReplayBuffer> buffer = make_buffer(shape, system);
  DequeBuffer reference(shape);
  RowMaker maker(shape);
  std::mt19937_64 generator(static_cast<std::uint64_t>(shape.capacity));
  const auto number = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(generator);
  };
  for (int operation = 0; operation < 400; ++operation) {
    const std::int64_t kind = number(0, 9);
    if (kind < 6) {
      const TransitionView rows = maker.next(kind == 0 ? 1.0 : 0.2, kind < 3 ? 0.3 : 0.0);
      buffer->insert(rows);
      reference.insert(rows);
    } else if (const bool held_out = kind == 8; kind < 9 && reference.can_sample(held_out)) {
      const std::int64_t num_batches = number(1, 3), batch_size = number(1, 40);
      const auto draw = static_cast<std::uint64_t>(number(0, INT64_MAX));
      BOOST_TEST((sample(*buffer, shape, num_batches, batch_size, draw, held_out) ==
                  reference.sample(num_batches, batch_size, draw, held_out)));
    } else if (kind == 9) {
      std::stringstream file;
      buffer->save(file);
      buffer = make_buffer(shape, system);
      buffer->load(file);
    }
    BOOST_TEST(buffer->size() == reference.size());
    if (operation % 40 == 0) BOOST_TEST(reference.agrees_with(*buffer));
  }
}

}  // namespace anthill::testing
