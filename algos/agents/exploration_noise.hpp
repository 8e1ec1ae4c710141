/// Noise on the actions of a stack of agents.
#pragma once

#include <cstdint>
#include <vector>

#include "algos/agents/agent_config.hpp"
#include "algos/checkpoint/state.hpp"
#include "algos/tensor.hpp"
#include "buffers/philox.hpp"

namespace anthill {

/// White noise, or the stationary Ornstein-Uhlenbeck process
///   x_t = rho x_(t-1) + sqrt(1 - rho^2) noise_t,   rho = exp(-1 / correlation_steps),
/// which has unit variance like the noise that it is made of and does not restart with episodes.
class ExplorationNoise {
 public:
  /// The next value, [M, N, A] as `like`; (seeds, stream, counter) choose what is added. Only the
  /// stream `exploration_noise` is a process: evaluations get white noise.
  Tensor next(const ExplorationConfig& config, const Tensor& like,
              const std::vector<std::uint64_t>& seeds, RandomStream stream, std::uint64_t counter);

  void save(StateWriter state) const;
  void load(const StateReader& state, at::Device device);

 private:
  Tensor process_;  // (M x N x A) undefined before its first value
};

}  // namespace anthill
