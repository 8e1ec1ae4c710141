/// How many gradient updates a number of transitions has earned.
#pragma once

#include <cmath>
#include <cstdint>

namespace anthill {

/// The replay ratio as an invariant: after every learn phase
///   updates_done = floor(replay_ratio * max(0, env_steps - learning_starts)),
/// whatever the number of environments that made the transitions. With `burst` > 1 the transitions
/// since learning_starts count in whole multiples of it.
class ReplayRatio {
 public:
  ReplayRatio(double replay_ratio, std::int64_t learning_starts, std::int64_t burst = 1)
      : replay_ratio_(replay_ratio), learning_starts_(learning_starts), burst_(burst) {}

  /// Updates still owed, >= 0.
  std::int64_t updates_due(std::int64_t env_steps, std::int64_t updates_done) const {
    const std::int64_t transitions = env_steps - learning_starts_;
    if (transitions <= 0) return 0;
    const std::int64_t owed = earned(transitions / burst_ * burst_) - updates_done;
    return owed > 0 ? owed : 0;
  }

  /// updates / transitions since learning started; 0 before.
  double achieved(std::int64_t env_steps, std::int64_t updates_done) const {
    const std::int64_t transitions = env_steps - learning_starts_;
    return transitions > 0 ? static_cast<double>(updates_done) / static_cast<double>(transitions)
                           : 0.0;
  }

 private:
  std::int64_t earned(std::int64_t transitions) const {
    // a ratio such as 0.29 is stored slightly too small: four units in the last place make 0.29 *
    // 100 earn 29
    constexpr double kSlack = 1.0 + 0x1p-50;
    return static_cast<std::int64_t>(
        std::floor(replay_ratio_ * static_cast<double>(transitions) * kSlack));
  }

  double replay_ratio_;
  std::int64_t learning_starts_;
  std::int64_t burst_;
};

/// Whether a multiple of `period` lies in (before, after]; never for period 0.
inline bool period_is_due(std::int64_t before, std::int64_t after, std::int64_t period) {
  return period > 0 && after / period > before / period;
}

}  // namespace anthill
