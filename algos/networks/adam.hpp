/// Adam (Kingma & Ba, 2015) with decoupled weight decay (Loshchilov & Hutter, 2019) on flat
/// parameters, and Polyak averaging of a target in the same pass.
#pragma once

#include <cstdint>
#include <vector>

#include "algos/checkpoint/state.hpp"
#include "algos/tensor.hpp"

namespace anthill {

struct AdamSettings {
  std::vector<double> learning_rate;  // (M)
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0.0;       // p -= learning_rate * weight_decay * p
  double max_gradient_norm = 0.0;  // each member's gradient is scaled down to it; 0: never
};

/// A target that follows: target += tau * (parameters - target), after the step.
struct PolyakTarget {
  Tensor flat;              // as the parameters
  std::vector<double> tau;  // (M)
  Tensor device_tau = {};   // (M) the same on the parameters' GPU
};

/// One optimiser for one flat float32 tensor [M, ...]; moments are owned here. PyTorch's
/// arithmetic: p -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps).
class Adam {
 public:
  Adam() = default;
  Adam(const Tensor& parameters, AdamSettings settings);

  /// Updates `parameters` in place from `gradient`, both shaped as at construction. Waits for
  /// nothing, allocates nothing.
  void step(const Tensor& parameters, const Tensor& gradient, const PolyakTarget& target = {});

  /// As at construction: no steps, moments 0.
  void reset();

  const Tensor& first_moment() const { return first_moment_; }
  const Tensor& second_moment() const { return second_moment_; }
  /// Steps so far. On a GPU it waits for the device, which counts them itself, so that a captured
  /// graph goes on counting.
  std::int64_t num_steps() const;

  /// What the latest step added to `parameters`, worked out from the moments; 0 before the first.
  /// Waits for the device.
  Tensor last_step(const Tensor& parameters) const;

  /// The optimiser of one member, with moments in shared memory: to look at, not to step.
  Adam member(std::int64_t index) const;

  /// Both moments and the number of steps; synchronise.
  void save(StateWriter state) const;
  void load(const StateReader& state);

 private:
  void step_cpu(float* parameters, const float* gradient, float* target,
                const std::vector<double>& tau);
  void step_cuda(const Tensor& parameters, const Tensor& gradient, const PolyakTarget& target);

  AdamSettings settings_;
  std::int64_t num_steps_ = 0;
  Tensor first_moment_, second_moment_;
  // on a GPU: what a captured graph reads instead of host numbers
  Tensor device_num_steps_, device_learning_rate_, step_words_;
};

/// The same without a step: target.flat += tau * (online - target.flat), member by member.
void follow(const PolyakTarget& target, const Tensor& online);

/// target += tau * (online - target), in place; contiguous float32 of the same shape.
void polyak_update(const Tensor& target, const Tensor& online, double tau);

}  // namespace anthill
