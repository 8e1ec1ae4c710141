#include "algos/networks/adam.hpp"

#include <cmath>
#include <stdexcept>

#include "algos/networks/cpu_kernels.hpp"
#include "algos/networks/cuda_kernels.hpp"
#include "algos/networks/device.hpp"
#include "algos/networks/learner_team.hpp"

namespace anthill {

Adam::Adam(const Tensor& parameters, AdamSettings settings)
    : settings_(std::move(settings)),
      first_moment_(at::zeros_like(parameters)),
      second_moment_(at::zeros_like(parameters)) {
  if (static_cast<std::int64_t>(settings_.learning_rate.size()) != parameters.size(0)) {
    throw std::invalid_argument("Adam: one learning rate per member is needed");
  }
  if (!parameters.is_cuda()) return;
  device_num_steps_ = at::zeros({1}, parameters.options().dtype(at::kLong).requires_grad(false));
  device_learning_rate_ = at::tensor(settings_.learning_rate, at::kFloat).to(parameters.device());
  step_words_ = at::empty({parameters.size(0), 2}, device_learning_rate_.options());
}

void Adam::step(const Tensor& parameters, const Tensor& gradient, const PolyakTarget& target) {
  at::NoGradGuard no_grad;
  ++num_steps_;
  const Tensor dense = gradient.contiguous();
  if (parameters.is_cuda()) {
    step_cuda(parameters, dense, target);
    return;
  }
  float* target_data = target.flat.defined() ? target.flat.data_ptr<float>() : nullptr;
  step_cpu(parameters.data_ptr<float>(), dense.data_ptr<float>(), target_data, target.tau);
}

void Adam::reset() {
  num_steps_ = 0;
  if (device_num_steps_.defined()) device_num_steps_.zero_();
  first_moment_.zero_();
  second_moment_.zero_();
}

std::int64_t Adam::num_steps() const {
  return device_num_steps_.defined() ? device_num_steps_.item<std::int64_t>() : num_steps_;
}

Tensor Adam::last_step(const Tensor& parameters) const {
  const auto t = static_cast<double>(num_steps());
  if (t == 0.0) return at::zeros_like(parameters);
  std::vector<std::int64_t> per_member(static_cast<std::size_t>(parameters.dim()), 1);
  per_member[0] = parameters.size(0);
  const Tensor learning_rate =
      at::tensor(settings_.learning_rate, at::kFloat).to(parameters.device()).view(per_member);
  const Tensor denominator =
      second_moment_.sqrt() / std::sqrt(1.0 - std::pow(settings_.beta2, t)) + settings_.eps;
  const Tensor adam =
      learning_rate / (1.0 - std::pow(settings_.beta1, t)) * first_moment_ / denominator;
  if (settings_.weight_decay == 0.0) return -adam;
  const Tensor decay = learning_rate * settings_.weight_decay;
  return -adam - decay * (parameters + adam) / (1.0 - decay);
}

Adam Adam::member(std::int64_t index) const {
  Adam one = *this;
  one.settings_.learning_rate = {settings_.learning_rate.at(static_cast<std::size_t>(index))};
  one.first_moment_ = first_moment_.narrow(0, index, 1);
  one.second_moment_ = second_moment_.narrow(0, index, 1);
  return one;
}

void Adam::save(StateWriter state) const {
  state.integer("num_steps", num_steps());
  state.tensor("first_moment", first_moment_);
  state.tensor("second_moment", second_moment_);
}

void Adam::load(const StateReader& state) {
  num_steps_ = state.integer("num_steps");
  if (device_num_steps_.defined()) device_num_steps_.fill_(num_steps_);
  state.tensor("first_moment", first_moment_);
  state.tensor("second_moment", second_moment_);
}

void Adam::step_cuda(const Tensor& parameters, const Tensor& gradient, const PolyakTarget& target) {
  const std::int64_t members = parameters.size(0);
  Tensor scale;
  if (settings_.max_gradient_norm > 0) {
    const Tensor norm = gradient.view({members, -1}).norm(2, 1);
    scale = (settings_.max_gradient_norm / (norm + 1e-6)).clamp_max(1.0);
  }
  CudaAdam step{.members = members,
                .size = parameters.numel() / members,
                .parameters = parameters.data_ptr<float>(),
                .first_moment = first_moment_.data_ptr<float>(),
                .second_moment = second_moment_.data_ptr<float>(),
                .gradient = gradient.data_ptr<float>(),
                .num_steps = device_num_steps_.data_ptr<std::int64_t>(),
                .learning_rate = device_learning_rate_.data_ptr<float>(),
                .gradient_scale = scale.defined() ? scale.data_ptr<float>() : nullptr,
                .step_words = step_words_.data_ptr<float>(),
                .beta1 = settings_.beta1,
                .beta2 = settings_.beta2,
                .eps = settings_.eps,
                .weight_decay = settings_.weight_decay};
  if (target.flat.defined()) {
    step.target = target.flat.data_ptr<float>();
    step.tau = target.device_tau.data_ptr<float>();
  }
  adam_cuda(step, current_stream(parameters.device()));
}

/// In two halves per member, so that two threads can share the work.
void Adam::step_cpu(float* parameters, const float* gradient, float* target,
                    const std::vector<double>& tau) {
  const auto& kernels = cpu_kernels<float>();
  const auto members = static_cast<std::int64_t>(settings_.learning_rate.size());
  const std::int64_t size = first_moment_.numel() / members, middle = size / 2;
  const double t = static_cast<double>(num_steps_);
  learner_team().run(2 * members, [&](std::int64_t item) {
    const std::int64_t m = item / 2, begin = m * size + item % 2 * middle;
    const double learning_rate = settings_.learning_rate[static_cast<std::size_t>(m)];
    double scale = 1.0;
    if (settings_.max_gradient_norm > 0) {
      const double norm = std::sqrt(kernels.sum_squares(gradient + m * size, size));
      scale = std::min(1.0, settings_.max_gradient_norm / (norm + 1e-6));
    }
    AdamStep<float> step{
        .size = item % 2 == 0 ? middle : size - middle,
        .parameters = parameters + begin,
        .first_moment = first_moment_.data_ptr<float>() + begin,
        .second_moment = second_moment_.data_ptr<float>() + begin,
        .gradient = gradient + begin,
        .target = target != nullptr ? target + begin : nullptr,
        .gradient_scale = static_cast<float>(scale),
        .decay = static_cast<float>(learning_rate * settings_.weight_decay),
        .step_size = static_cast<float>(learning_rate / (1.0 - std::pow(settings_.beta1, t))),
        .inverse_correction =
            static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(settings_.beta2, t))),
        .beta1 = static_cast<float>(settings_.beta1),
        .rest1 = static_cast<float>(1.0 - settings_.beta1),
        .beta2 = static_cast<float>(settings_.beta2),
        .rest2 = static_cast<float>(1.0 - settings_.beta2),
        .eps = static_cast<float>(settings_.eps),
        .tau = target != nullptr ? static_cast<float>(tau[static_cast<std::size_t>(m)]) : 0.0f};
    kernels.adam(step);
  });
}

void follow(const PolyakTarget& target, const Tensor& online) {
  const Tensor from = online.detach();
  for (std::size_t m = 0; m < target.tau.size(); ++m) {
    const auto member = static_cast<std::int64_t>(m);
    polyak_update(target.flat[member], from[member], target.tau[m]);
  }
}

void polyak_update(const Tensor& target, const Tensor& online, double tau) {
  at::NoGradGuard no_grad;
  if (target.is_cuda()) {
    target.lerp_(online, tau);
    return;
  }
  cpu_kernels<float>().polyak(target.data_ptr<float>(), online.data_ptr<float>(),
                              static_cast<float>(tau), target.numel());
}

}  // namespace anthill
