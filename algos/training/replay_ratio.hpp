/// How many gradient updates a number of transitions has earned.
#pragma once

#include <cmath>
#include <cstdint>

#include "algos/training/training_config.hpp"

namespace anthill {

/// The replay ratio as an invariant: after every learn phase behind learning_starts
///   updates_done = prefill_updates + floor(sum of the replay ratios of the transitions since
///   learning_starts),
/// whatever the number of environments that made the transitions, where the ratio is replay_ratio,
/// or the schedule's from its env steps on. With `burst` > 1 the transitions since learning_starts
/// count in whole multiples of it.
class ReplayRatio {
 public:
  explicit ReplayRatio(const TrainingConfig& config) : config_(config) {}

  /// Updates still owed, >= 0.
  std::int64_t updates_due(std::int64_t env_steps, std::int64_t updates_done) const {
    const std::int64_t transitions = env_steps - config_.learning_starts;
    if (transitions <= 0) return 0;
    const std::int64_t counted = transitions / config_.burst * config_.burst;
    const std::int64_t owed = config_.prefill_updates + earned(counted) - updates_done;
    return owed > 0 ? owed : 0;
  }

  /// updates / transitions since learning started; 0 before.
  double achieved(std::int64_t env_steps, std::int64_t updates_done) const {
    const std::int64_t transitions = env_steps - config_.learning_starts;
    return transitions > 0 ? static_cast<double>(updates_done) / static_cast<double>(transitions)
                           : 0.0;
  }

 private:
  std::int64_t earned(std::int64_t transitions) const {
    const std::int64_t now = config_.learning_starts + transitions;
    std::int64_t begin = config_.learning_starts;
    double ratio = config_.replay_ratio, sum = 0.0;
    for (const std::vector<double>& entry : config_.replay_ratio_schedule) {
      const auto from = static_cast<std::int64_t>(entry[0]);
      if (from >= now) break;
      if (from > begin) {
        sum += ratio * static_cast<double>(from - begin);
        begin = from;
      }
      ratio = entry[1];
    }
    // a ratio such as 0.29 is stored slightly too small: four units in the last place make 0.29 *
    // 100 earn 29
    constexpr double kSlack = 1.0 + 0x1p-50;
    return static_cast<std::int64_t>(
        std::floor((sum + ratio * static_cast<double>(now - begin)) * kSlack));
  }

  TrainingConfig config_;
};

/// Whether a multiple of `period` lies in (before, after]; never for period 0.
inline bool period_is_due(std::int64_t before, std::int64_t after, std::int64_t period) {
  return period > 0 && after / period > before / period;
}

}  // namespace anthill
