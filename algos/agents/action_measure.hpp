/// What an algorithm's losses measure actions in (agent.action_units). Policy, buffer and
/// environment exchange actions in [-1, 1] either way.
#pragma once

#include "algos/agents/agent.hpp"

namespace anthill {

/// From [-1, 1] to what the losses see, and back; the identity, to the bit, without units.
struct ActionMeasure {
  Tensor scale, bias;  // (A) undefined: the losses see [-1, 1]

  Tensor measured(const Tensor& normalised) const {
    return scale.defined() ? normalised * scale + bias : normalised;
  }
  Tensor normalised(const Tensor& measured) const {
    return scale.defined() ? (measured - bias) / scale : measured;
  }
  /// A measured action within the action's bounds.
  Tensor clipped(const Tensor& measured) const {
    return scale.defined() ? at::clamp(measured, bias - scale, bias + scale)
                           : measured.clamp(-1.0, 1.0);
  }
};

inline ActionMeasure make_action_measure(const AgentConfig& config, const AgentShape& shape) {
  if (config.action_units == ActionUnits::normalised || shape.action_scale.empty()) return {};
  const auto words = [&](const std::vector<float>& values) {
    return at::tensor(values, at::kFloat).to(shape.device);
  };
  return {words(shape.action_scale), words(shape.action_bias)};
}

}  // namespace anthill
