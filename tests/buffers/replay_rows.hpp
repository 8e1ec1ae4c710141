/// Random vector steps for the replay buffer's tests, and batches on the host.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "buffers/replay_buffer.hpp"
#include "buffers/staging.hpp"

namespace anthill::testing {

inline std::vector<std::uint64_t> make_seeds(std::int64_t members) {
  std::vector<std::uint64_t> seeds;
  for (std::int64_t m = 0; m < members; ++m) {
    seeds.push_back(0x123456789abcdefull * static_cast<std::uint64_t>(m + 1));
  }
  return seeds;
}

inline std::unique_ptr<ReplayBuffer> make_buffer(const ReplayShape& shape,
                                                 DeviceSystem system = DeviceSystem::cpp) {
  return make_replay_buffer(shape, make_seeds(shape.members).data(), system);
}

/// Vector steps with random content. Every reward is the number of its row, from 0: row r belongs
/// to lane r % L.
class RowMaker {
 public:
  explicit RowMaker(const ReplayShape& shape, bool pinned = false)
      : staging_(shape.members * shape.num_envs, shape.observation_dim, shape.action_dim, pinned),
        state_(static_cast<std::size_t>(shape.members * shape.num_envs * shape.state_dim)),
        held_out_(static_cast<std::size_t>(shape.members * shape.num_envs)) {}

  /// The next step; valid until the next call.
  TransitionView next(double invalid_share = 0.1, double held_out_share = 0.0) {
    TransitionView rows = staging_.back();
    rows.state = state_;
    for (double& value : state_) value = std::normal_distribution<double>()(generator_);
    std::normal_distribution<float> normal;
    std::bernoulli_distribution ended(0.2), broken(invalid_share);
    for (float& value : rows.observation) value = normal(generator_);
    for (float& value : rows.action) value = normal(generator_);
    for (float& value : rows.next_observation) value = normal(generator_);
    for (float& value : rows.reward) value = static_cast<float>(num_rows_++);
    for (auto& value : rows.terminated) value = ended(generator_);
    for (auto& value : rows.truncated) value = ended(generator_);
    for (auto& value : rows.invalid) value = broken(generator_);
    if (held_out_share > 0.0) {
      std::bernoulli_distribution held_out(held_out_share);
      for (auto& value : held_out_) value = held_out(generator_);
      rows.held_out = held_out_;
    }
    return rows;
  }

 private:
  Staging staging_;
  std::vector<double> state_;
  std::vector<std::uint8_t> held_out_;
  std::mt19937_64 generator_{7};
  std::int64_t num_rows_ = 0;
};

/// A batch in host memory.
struct HostBatch {
  HostBatch(const ReplayShape& shape, std::int64_t batches, std::int64_t size)
      : num_batches(batches), batch_size(size) {
    const auto rows = static_cast<std::size_t>(num_batches * shape.members * batch_size);
    observation.resize(rows * static_cast<std::size_t>(shape.observation_dim), kUnset);
    action.resize(rows * static_cast<std::size_t>(shape.action_dim), kUnset);
    reward.resize(rows, kUnset);
    next_observation.resize(observation.size(), kUnset);
    bootstrap.resize(rows, kUnset);
  }

  BatchView view() {
    return {num_batches,     batch_size,    observation.data(),
            action.data(),   reward.data(), next_observation.data(),
            bootstrap.data()};
  }
  bool operator==(const HostBatch&) const = default;

  static constexpr float kUnset = -7777.0f;
  std::int64_t num_batches, batch_size;
  std::vector<float> observation, action, reward, next_observation, bootstrap;
};

inline HostBatch sample(ReplayBuffer& buffer, const ReplayShape& shape, std::int64_t num_batches,
                        std::int64_t batch_size, std::uint64_t draw, bool held_out = false) {
  HostBatch batch(shape, num_batches, batch_size);
  BatchView view = batch.view();
  view.held_out = held_out;
  buffer.sample_into(view, draw);
  return batch;
}

}  // namespace anthill::testing
