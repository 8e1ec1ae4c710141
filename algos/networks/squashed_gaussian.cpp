#include "algos/networks/squashed_gaussian.hpp"

#include <cmath>
#include <numbers>

namespace anthill {
namespace {

constexpr double kLogProbEpsilon = 1e-6;

Tensor log_std_of(const ActorConfig& config, const Tensor& raw) {
  const double low = config.log_std_min, high = config.log_std_max;
  if (config.log_std_form == LogStdForm::clamp) return raw.clamp(low, high);
  return low + 0.5 * (high - low) * (1.0 + at::tanh(raw));
}

/// log(1 - tanh(u)^2), per element.
Tensor log_tanh_slope(LogProbForm form, const Tensor& u, const Tensor& action) {
  if (form == LogProbForm::exact) return 2.0 * (std::numbers::ln2 - u - at::softplus(-2.0 * u));
  return at::log(at::relu(1.0 - action.square()) + kLogProbEpsilon);
}

}  // namespace

SquashedSample sample_squashed_gaussian(const ActorConfig& config, const Tensor& head,
                                        const Tensor& noise) {
  const std::int64_t action_dim = noise.size(-1);
  const Tensor mean = head.narrow(-1, 0, action_dim);
  const Tensor log_std = log_std_of(config, head.narrow(-1, action_dim, action_dim));
  const Tensor u = mean + at::exp(log_std) * noise;
  const Tensor action = at::tanh(u);
  const double log_normaliser = 0.5 * std::log(2.0 * std::numbers::pi);
  const Tensor log_density = -0.5 * noise.square() - log_std - log_normaliser;
  return {action, (log_density - log_tanh_slope(config.log_prob_form, u, action)).sum(-1)};
}

Tensor squashed_mean(const Tensor& head) { return at::tanh(head.narrow(-1, 0, head.size(-1) / 2)); }

}  // namespace anthill
