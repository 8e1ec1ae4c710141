/// The learner's input: what the buffer's gather writes straight into.
#pragma once

#include <cstdint>

#include "algos/tensor.hpp"
#include "buffers/replay_buffer.hpp"

namespace anthill {

/// Static tensors, float32, allocated once. M = members, B = batch_size.
struct Batch {
  Tensor observation;       // (M x B x D)
  Tensor action;            // (M x B x A)
  Tensor reward;            // (M x B)
  Tensor next_observation;  // (M x B x D)
  Tensor bootstrap;         // (M x B) 1 - terminated, times discount^(n_step - 1)

  Batch(std::int64_t members, std::int64_t batch_size, std::int64_t observation_dim,
        std::int64_t action_dim, at::Device device)
      : observation(make({members, batch_size, observation_dim}, device)),
        action(make({members, batch_size, action_dim}, device)),
        reward(make({members, batch_size}, device)),
        next_observation(make({members, batch_size, observation_dim}, device)),
        bootstrap(make({members, batch_size}, device)) {}

  /// Another batch of the same sizes on the same device.
  Batch copy_shape() const {
    return Batch(reward.size(0), reward.size(1), observation.size(2), action.size(2),
                 reward.device());
  }

  /// The pointers for ReplayBuffer::sample_into; valid while this Batch lives.
  BatchView view() const {
    return {.num_batches = 1,
            .batch_size = reward.size(1),
            .observation = observation.data_ptr<float>(),
            .action = action.data_ptr<float>(),
            .reward = reward.data_ptr<float>(),
            .next_observation = next_observation.data_ptr<float>(),
            .bootstrap = bootstrap.data_ptr<float>()};
  }

 private:
  static Tensor make(at::IntArrayRef shape, at::Device device) {
    return at::zeros(shape, at::TensorOptions(device).dtype(at::kFloat));
  }
};

}  // namespace anthill
