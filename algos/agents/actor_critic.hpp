/// What a value probe asks of an agent: a policy, its critics, and what their target
/// weighs.
#pragma once

#include <cstdint>

#include "algos/tensor.hpp"

namespace anthill {

/// A frozen view: nothing here changes the agent. B rows, E critics; float32 on device(); actions
/// are normalised. One owner thread.
class ActorCritic {
 public:
  virtual ~ActorCritic() = default;

  virtual at::Device device() const = 0;
  virtual std::int64_t action_dim() const = 0;  // A

  struct Sample {
    Tensor action;    // (B x A)
    Tensor log_prob;  // (B)
  };
  /// a ~ pi(.|s) from standard normal `noise` (B x A); `observation` (B x D).
  virtual Sample sample(const Tensor& observation, const Tensor& noise) const = 0;
  /// The deterministic policy's action, (B x A).
  virtual Tensor mode(const Tensor& observation) const = 0;

  /// Q_j(s, a), (E x B), of the critics and of their target networks.
  virtual Tensor q(const Tensor& observation, const Tensor& action) const = 0;
  virtual Tensor target_q(const Tensor& observation, const Tensor& action) const = 0;

  /// Weight of the entropy in the critics' target; 0 where they learn the hard value.
  virtual double alpha() const = 0;
  virtual double discount() const = 0;
  /// Factor on rewards in the critics' target.
  virtual double reward_scale() const = 0;
};

}  // namespace anthill
