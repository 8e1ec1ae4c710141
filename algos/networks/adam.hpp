/// Adam (Kingma & Ba, 2015) on flat parameters, and Polyak averaging.
#pragma once

#include <cstdint>

#include "algos/tensor.hpp"

namespace anthill {

/// One optimiser for one flat tensor [M, ...]; moments are owned here. PyTorch's arithmetic:
/// p -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps).
class Adam {
 public:
  Adam() = default;
  Adam(const Tensor& parameters, double learning_rate, double beta1 = 0.9, double beta2 = 0.999,
       double eps = 1e-8);

  /// Updates `parameters` in place from `gradient`, both shaped as at construction.
  void step(const Tensor& parameters, const Tensor& gradient);

  const Tensor& first_moment() const { return first_moment_; }
  const Tensor& second_moment() const { return second_moment_; }
  std::int64_t num_steps() const { return num_steps_; }

 private:
  double learning_rate_ = 0.0, beta1_ = 0.9, beta2_ = 0.999, eps_ = 1e-8;
  std::int64_t num_steps_ = 0;
  Tensor first_moment_, second_moment_;
};

/// target += tau * (online - target), in place.
void polyak_update(const Tensor& target, const Tensor& online, double tau);

}  // namespace anthill
