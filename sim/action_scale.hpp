/// From normalised actions to environment units.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/env.hpp"

namespace anthill {

/// a -> a * scale + bias, an exact identity for bounds of +-1 and for the index of a discrete
/// action.
class ActionScale {
 public:
  explicit ActionScale(const EnvSpec& spec);

  bool is_identity() const { return identity_; }

  /// `action` (A) normalised -> `out` (A) in environment units. False when a value is not finite
  /// or, on a discrete task, no index in [0, num_actions).
  bool apply(std::span<const float> action, std::span<float> out) const {
    return write(action, out, !identity_);
  }

  /// The same check on an action that is in environment units already.
  bool copy(std::span<const float> action, std::span<float> out) const {
    return write(action, out, false);
  }

 private:
  bool write(std::span<const float> action, std::span<float> out, bool scaled) const;
  bool is_index(float action) const;

  std::int64_t num_actions_;  // 0: continuous
  std::vector<float> scale_, bias_;
  bool identity_ = true;
};

}  // namespace anthill
