#include "algos/networks/adam.hpp"

#include <cmath>

namespace anthill {

Adam::Adam(const Tensor& parameters, double learning_rate, double beta1, double beta2, double eps)
    : learning_rate_(learning_rate),
      beta1_(beta1),
      beta2_(beta2),
      eps_(eps),
      first_moment_(at::zeros_like(parameters)),
      second_moment_(at::zeros_like(parameters)) {}

void Adam::step(const Tensor& parameters, const Tensor& gradient) {
  at::NoGradGuard no_grad;
  ++num_steps_;
  const double t = static_cast<double>(num_steps_);
  const double step_size = learning_rate_ / (1.0 - std::pow(beta1_, t));
  const double second_correction = std::sqrt(1.0 - std::pow(beta2_, t));
  first_moment_.mul_(beta1_).add_(gradient, 1.0 - beta1_);
  second_moment_.mul_(beta2_).addcmul_(gradient, gradient, 1.0 - beta2_);
  const Tensor denominator = second_moment_.sqrt().div_(second_correction).add_(eps_);
  parameters.addcdiv_(first_moment_, denominator, -step_size);
}

void polyak_update(const Tensor& target, const Tensor& online, double tau) {
  at::NoGradGuard no_grad;
  target.lerp_(online, tau);
}

}  // namespace anthill
