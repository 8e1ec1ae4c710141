#include "sim/action_scale.hpp"

#include <cmath>

namespace anthill {

ActionScale::ActionScale(const EnvSpec& spec) : num_actions_(spec.num_actions) {
  for (std::size_t i = 0; num_actions_ == 0 && i < spec.action_low.size(); ++i) {
    scale_.push_back((spec.action_high[i] - spec.action_low[i]) / 2);
    bias_.push_back((spec.action_high[i] + spec.action_low[i]) / 2);
    identity_ = identity_ && scale_[i] == 1 && bias_[i] == 0;
  }
}

/// Whether `action` is the index of a discrete action; false for nan.
bool ActionScale::is_index(float action) const {
  return action >= 0 && action < static_cast<float>(num_actions_) && action == std::trunc(action);
}

bool ActionScale::write(std::span<const float> action, std::span<float> out, bool scaled) const {
  bool valid = true;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = scaled ? action[i] * scale_[i] + bias_[i] : action[i];
    valid = valid && (num_actions_ > 0 ? is_index(out[i]) : std::isfinite(out[i]));
  }
  return valid;
}

}  // namespace anthill
