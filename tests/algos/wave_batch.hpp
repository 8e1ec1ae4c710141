/// A batch of numbers that no generator makes; shared by the tests of the algorithms.
#pragma once

#include "algos/agents/batch.hpp"

namespace anthill {

/// Actions within (-1, 1), or with `discrete` the indices 0, 1, 2 in one column; nothing
/// terminates.
inline Batch wave_batch(std::int64_t members, std::int64_t rows, std::int64_t observation_dim,
                        std::int64_t action_dim, bool discrete) {
  Batch batch(members, rows, observation_dim, discrete ? 1 : action_dim, at::kCPU);
  const auto wave = [](const Tensor& to, double phase) {
    to.copy_(at::sin(at::arange(to.numel(), at::kFloat) * 1.3 + phase).view(to.sizes()));
  };
  wave(batch.observation, 0.1);
  wave(batch.action, 0.2);
  if (discrete) batch.action.copy_(((batch.action + 1.0) * 1.49).floor());
  wave(batch.reward, 0.3);
  wave(batch.next_observation, 0.4);
  batch.bootstrap.fill_(1.0);
  return batch;
}

}  // namespace anthill
