/// The networks and losses again, in double and plain loops, written from the equations.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "algos/networks/mlp.hpp"

namespace reference {

using Vector = std::vector<double>;

inline Vector values(const at::Tensor& t) {
  const at::Tensor flat = t.detach().to(at::kDouble).contiguous().view(-1);
  return Vector(flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
}

inline double activate(anthill::Activation activation, double x) {
  switch (activation) {
    case anthill::Activation::relu:
      return x > 0 ? x : 0;
    case anthill::Activation::tanh:
      return std::tanh(x);
    case anthill::Activation::elu:
      return x > 0 ? x : std::expm1(x);
  }
  return NAN;
}

inline void layer_norm(Vector& x, const Vector& scale, const Vector& shift) {
  double mean = 0, variance = 0;
  for (const double v : x) mean += v / static_cast<double>(x.size());
  for (const double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * scale[i] + shift[i];
  }
}

/// Output of network (m, e) for one input row.
inline Vector mlp(const anthill::MlpShape& shape, const anthill::Parameters& parameters,
                  std::int64_t m, std::int64_t e, Vector x) {
  const auto parameter = [&](const std::string& name) {
    return values(parameters.view(name)[m][e]);
  };
  const auto linear = [&](const std::string& name) {
    const Vector weight = parameter(name + ".weight"), bias = parameter(name + ".bias");
    Vector y = bias;
    for (std::size_t o = 0; o < y.size(); ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) y[o] += weight[o * x.size() + i] * x[i];
    }
    x = y;
  };
  for (std::size_t i = 0; i < shape.hidden_dims.size(); ++i) {
    const std::string number = std::to_string(i);
    linear("hidden_" + number);
    if (shape.layer_norm) {
      layer_norm(x, parameter("layer_norm_" + number + ".weight"),
                 parameter("layer_norm_" + number + ".bias"));
    }
    for (double& v : x) v = activate(shape.activation, v);
  }
  linear("output");
  return x;
}

struct Sample {
  Vector action;
  double log_prob = 0;
};

/// tanh-Gaussian for one row, written from the density of a change of variables.
inline Sample squashed_gaussian(const anthill::ActorConfig& config, const Vector& head,
                                const Vector& noise) {
  Sample sample;
  const std::size_t dim = noise.size();
  for (std::size_t i = 0; i < dim; ++i) {
    const double raw = head[dim + i], low = config.log_std_min, high = config.log_std_max;
    const double log_std = config.log_std_form == anthill::LogStdForm::clamp
                               ? std::fmin(std::fmax(raw, low), high)
                               : low + 0.5 * (high - low) * (1 + std::tanh(raw));
    const double u = head[i] + std::exp(log_std) * noise[i], a = std::tanh(u);
    const double density =
        -0.5 * noise[i] * noise[i] - log_std - 0.5 * std::log(2 * std::acos(-1.0));
    const double slope = config.log_prob_form == anthill::LogProbForm::exact
                             ? -2 * std::log(std::cosh(u))
                             : std::log(std::fmax(1 - a * a, 0.0) + 1e-6);
    sample.action.push_back(a);
    sample.log_prob += density - slope;
  }
  return sample;
}

}  // namespace reference
