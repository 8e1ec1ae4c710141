#include "algos/training/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace anthill {
namespace {

constexpr double kLivePeriod_s = 0.2;
constexpr double kRateWindow_s = 10.0;

/// 12,345,678
std::string grouped(std::int64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool start = i == 0 || digits[i - 1] == '-';
    if (!start && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// Three or four significant digits: enough to watch, short enough for a line.
std::string short_number(double value) {
  std::array<char, 32> text;
  const double size = std::abs(value);
  const char* format = size >= 1e6 || (size > 0.0 && size < 1e-3) ? "%.2e"
                       : size >= 100.0                            ? "%.0f"
                       : size >= 10.0                             ? "%.1f"
                                                                  : "%.3g";
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

/// 45s, 12m05s, 3h07m, 2d04h
std::string duration(double seconds) {
  std::array<char, 32> text;
  const auto total = static_cast<long long>(std::min(seconds, 1e12) + 0.5);
  if (total < 60) {
    std::snprintf(text.data(), text.size(), "%llds", total);
  } else if (total < 3600) {
    std::snprintf(text.data(), text.size(), "%lldm%02llds", total / 60, total % 60);
  } else if (total < 86400) {
    std::snprintf(text.data(), text.size(), "%lldh%02lldm", total / 3600, total / 60 % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%lldd%02lldh", total / 86400, total / 3600 % 24);
  }
  return text.data();
}

/// The fields of the line, most important first.
std::vector<std::string> fields(const ProgressState& state, const ProgressRates& rates) {
  std::vector<std::string> list;
  std::string steps = grouped(state.env_steps) + "/" + grouped(state.total_env_steps);
  if (state.total_env_steps > 0) {
    // rounded down: 100 % only at the end
    steps += ' ';
    steps += std::to_string(100 * state.env_steps / state.total_env_steps);
    steps += '%';
  }
  list.push_back(steps);
  const auto add = [&list](double value, const std::string& text) {
    if (!std::isnan(value)) list.push_back(text);
  };
  add(rates.remaining_s, "ETA " + duration(rates.remaining_s));
  add(rates.env_steps_per_s, short_number(rates.env_steps_per_s) + " steps/s");
  add(rates.updates_per_s, short_number(rates.updates_per_s) + " updates/s");
  add(state.replay_ratio, "RR " + short_number(state.replay_ratio));
  add(state.evaluation_return, "eval " + short_number(state.evaluation_return));
  add(state.q_mean, "Q " + short_number(state.q_mean));
  add(state.alpha, "alpha " + short_number(state.alpha));
  return list;
}

int terminal_width(int descriptor) {
  struct winsize size {};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

bool variable_is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool is_live(int descriptor) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

std::string progress_line(const ProgressState& state, const ProgressRates& rates, int width,
                          bool color) {
  const auto limit = static_cast<std::size_t>(std::max(width, 0));
  std::string line;
  std::size_t columns = 0;
  bool first = true;
  for (const std::string& field : fields(state, rates)) {
    const std::size_t needed = field.size() + (first ? 0 : 2);
    if (columns + needed > limit) {
      if (first) line = field.substr(0, limit);
      break;
    }
    if (first) {
      line = color ? "\x1b[36m" + field + "\x1b[0m" : field;
    } else {
      line += "  " + field;
    }
    columns += needed;
    first = false;
  }
  return line;
}

Progress::Progress(double period_s, int descriptor)
    : period_s_(period_s),
      descriptor_(descriptor),
      live_(is_live(descriptor)),
      color_(live_ && !variable_is_set("NO_COLOR")),
      last_draw_(Clock::now()) {}

Progress::~Progress() { finish(); }

void Progress::update(const ProgressState& state) {
  const Clock::time_point now = Clock::now();
  if (samples_.empty()) samples_.push_back({now, state.env_steps, state.gradient_updates});
  state_ = state;
  pending_ = true;
  const std::chrono::duration<double> age = now - last_draw_;
  if (age.count() >= (live_ ? kLivePeriod_s : period_s_)) draw();
}

void Progress::message(std::string_view text) {
  std::string line = drawn_ ? "\r\x1b[K" : "";
  line += text;
  line += '\n';
  write(line);
  drawn_ = false;
}

void Progress::finish() {
  if (pending_) draw();
  if (drawn_) write("\n");
  drawn_ = false;
}

ProgressRates Progress::rates(const ProgressState& state) const {
  ProgressRates result;
  if (samples_.empty()) return result;
  const Sample& first = samples_.front();
  const double seconds = std::chrono::duration<double>(Clock::now() - first.time).count();
  const auto steps = static_cast<double>(state.env_steps - first.env_steps);
  if (seconds <= 0.0 || steps <= 0.0) return result;
  result.env_steps_per_s = steps / seconds;
  result.updates_per_s =
      static_cast<double>(state.gradient_updates - first.gradient_updates) / seconds;
  result.remaining_s =
      static_cast<double>(state.total_env_steps - state.env_steps) / result.env_steps_per_s;
  return result;
}

void Progress::draw() {
  const ProgressRates now = rates(state_);
  const Clock::time_point time = Clock::now();
  if (live_) {
    // the last column stays free: some terminals wrap when it is written
    std::string line = "\r";
    line += progress_line(state_, now, terminal_width(descriptor_) - 1, color_);
    line += "\x1b[K";
    write(line);
    drawn_ = true;
  } else {
    write(progress_line(state_, now, std::numeric_limits<int>::max(), false) + "\n");
  }
  pending_ = false;
  last_draw_ = time;
  samples_.push_back({time, state_.env_steps, state_.gradient_updates});
  // keep one sample that is older than the window
  const auto older = [time](const Sample& sample) {
    return std::chrono::duration<double>(time - sample.time).count() > kRateWindow_s;
  };
  while (samples_.size() > 2 && older(samples_[1])) samples_.pop_front();
}

void Progress::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace anthill
