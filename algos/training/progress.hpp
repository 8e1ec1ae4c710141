/// What a waiting person sees on stderr: one live line on a terminal, otherwise a plain line every
/// few seconds.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>

namespace anthill {

/// Where a run is. NaN: not known yet, and left out of the line.
struct ProgressState {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  std::int64_t env_steps = 0;
  std::int64_t total_env_steps = 0;
  std::int64_t gradient_updates = 0;
  std::int64_t total_gradient_updates = 0;  // that all steps will have earned; 0: none
  double replay_ratio = kUnknown;           // achieved
  double evaluation_return = kUnknown;      // mean of the last evaluation
  double q_mean = kUnknown;
  double alpha = kUnknown;
};

/// What Progress works out from successive states.
struct ProgressRates {
  double env_steps_per_s = ProgressState::kUnknown;
  double updates_per_s = ProgressState::kUnknown;
  double remaining_s = ProgressState::kUnknown;
};

/// A state and when it was, in seconds of any clock.
struct ProgressSample {
  double time_s = 0.0;
  std::int64_t env_steps = 0;
  std::int64_t gradient_updates = 0;
};

/// Rates from the first of `samples` (oldest first) to `state` at `now_s`. While updates are still
/// to be made, what remains is counted in updates and timed by the samples since the first update:
/// steps before it cost next to nothing and say nothing about the others.
ProgressRates progress_rates(const std::deque<ProgressSample>& samples, const ProgressState& state,
                             double now_s);

/// The line, without line end, in at most `width` columns. What does not fit in full is shortened
/// (12k for 12,345); fields that do not fit even so are left out, the last ones first. `color`:
/// with ANSI colour codes, which take no columns.
std::string progress_line(const ProgressState& state, const ProgressRates& rates, int width,
                          bool color);

/// One owner thread. Failed writes are ignored: progress is a courtesy, and a closed stderr must
/// not end a run (SIGPIPE is StopSignal's business).
class Progress {
 public:
  /// `period_s`: between plain lines. Live when `descriptor` is a terminal and TERM is not "dumb";
  /// no colour when NO_COLOR is set.
  explicit Progress(double period_s, int descriptor = 2);
  ~Progress();  // finish()
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Call as often as you like; draws when due (live: 5 times a second).
  void update(const ProgressState& state);

  /// Prints a line of its own (a warning, say) without disturbing the live one.
  void message(std::string_view text);

  /// Draws the last state once more and ends the line. update() may follow and starts a new one.
  void finish();

 private:
  void draw();
  void write(std::string_view text);

  double period_s_;
  int descriptor_;
  bool live_;
  bool color_;
  bool drawn_ = false;    // the cursor stands behind a live line
  bool pending_ = false;  // a state is not drawn yet
  double last_draw_s_;
  std::deque<ProgressSample> samples_;  // the last seconds, for the rates
  ProgressState state_;
};

}  // namespace anthill
