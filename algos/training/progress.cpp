#include "algos/training/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "algos/training/human_text.hpp"

namespace anthill {
namespace {

constexpr double kLivePeriod_s = 0.2;
constexpr double kRateWindow_s = 10.0;

/// 950, 1.2k, 12k, 200k, 9.9M
std::string short_count(std::int64_t value) {
  if (value < 1000) return std::to_string(value);
  double scaled = static_cast<double>(value);
  const char* unit = "";
  for (const char* next : {"k", "M", "G", "T"}) {
    // 999.5k would be written as 1000k
    if (scaled < 999.5) break;
    scaled /= 1000.0;
    unit = next;
  }
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), scaled < 9.95 ? "%.1f%s" : "%.0f%s", scaled, unit);
  return text.data();
}

std::string steps_field(const ProgressState& state) {
  std::string steps = grouped(state.env_steps) + "/" + grouped(state.total_env_steps);
  if (state.total_env_steps > 0) {
    // rounded down: 100 % only at the end
    steps += ' ';
    steps += std::to_string(100 * state.env_steps / state.total_env_steps);
    steps += '%';
  }
  return steps;
}

/// The fields of the line, most important first; `brief`: for a narrow terminal.
std::vector<std::string> fields(const ProgressState& state, const ProgressRates& rates,
                                bool brief) {
  std::vector<std::string> list = {brief ? short_count(state.env_steps) + "/" +
                                               short_count(state.total_env_steps)
                                         : steps_field(state)};
  const auto add = [&list](double value, const std::string& text) {
    if (!std::isnan(value)) list.push_back(text);
  };
  add(rates.remaining_s, "ETA " + duration(rates.remaining_s));
  add(rates.env_steps_per_s, short_number(rates.env_steps_per_s) + " steps/s");
  add(rates.updates_per_s, short_number(rates.updates_per_s) + (brief ? " upd/s" : " updates/s"));
  add(state.replay_ratio, "RR " + short_number(state.replay_ratio));
  add(state.evaluation_return, "eval " + short_number(state.evaluation_return));
  add(state.q_mean, "Q " + short_number(state.q_mean));
  add(state.alpha, "alpha " + short_number(state.alpha));
  return list;
}

std::size_t joined_size(const std::vector<std::string>& list, std::size_t gap) {
  std::size_t size = gap * (list.size() - 1);
  for (const std::string& field : list) size += field.size();
  return size;
}

double clock_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
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
  std::vector<std::string> list = fields(state, rates, false);
  std::size_t gap = 2;
  if (joined_size(list, gap) > limit) {
    list = fields(state, rates, true);
    gap = 1;
  }
  while (list.size() > 1 && joined_size(list, gap) > limit) list.pop_back();
  list[0].resize(std::min(list[0].size(), limit));
  std::string line = color && limit > 0 ? "\x1b[36m" + list[0] + "\x1b[0m" : list[0];
  for (std::size_t i = 1; i < list.size(); ++i) line += std::string(gap, ' ') + list[i];
  return line;
}

ProgressRates progress_rates(const std::deque<ProgressSample>& samples, const ProgressState& state,
                             double now_s) {
  ProgressRates result;
  if (samples.empty()) return result;
  const auto per_second = [&](std::int64_t value, std::int64_t before, double since_s) {
    return now_s > since_s && value > before
               ? static_cast<double>(value - before) / (now_s - since_s)
               : ProgressState::kUnknown;
  };
  const ProgressSample& first = samples.front();
  result.env_steps_per_s = per_second(state.env_steps, first.env_steps, first.time_s);
  result.updates_per_s = per_second(state.gradient_updates, first.gradient_updates, first.time_s);

  const std::int64_t updates_left = state.total_gradient_updates - state.gradient_updates;
  if (updates_left <= 0) {
    result.remaining_s =
        static_cast<double>(state.total_env_steps - state.env_steps) / result.env_steps_per_s;
    return result;
  }
  auto begin = samples.begin();
  while (begin + 1 != samples.end() && (begin + 1)->gradient_updates == 0) ++begin;
  result.remaining_s = static_cast<double>(updates_left) /
                       per_second(state.gradient_updates, begin->gradient_updates, begin->time_s);
  return result;
}

Progress::Progress(double period_s, int descriptor)
    : period_s_(period_s),
      descriptor_(descriptor),
      live_(is_live(descriptor)),
      color_(live_ && !variable_is_set("NO_COLOR")),
      last_draw_s_(clock_s()) {}

Progress::~Progress() { finish(); }

void Progress::update(const ProgressState& state) {
  const double now = clock_s();
  if (samples_.empty()) samples_.push_back({now, state.env_steps, state.gradient_updates});
  state_ = state;
  pending_ = true;
  if (now - last_draw_s_ >= (live_ ? kLivePeriod_s : period_s_)) draw();
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

void Progress::draw() {
  const double now = clock_s();
  const ProgressRates rates = progress_rates(samples_, state_, now);
  if (live_) {
    // the last column stays free: some terminals wrap when it is written
    std::string line = "\r";
    line += progress_line(state_, rates, terminal_width(descriptor_) - 1, color_);
    line += "\x1b[K";
    write(line);
    drawn_ = true;
  } else {
    write(progress_line(state_, rates, std::numeric_limits<int>::max(), false) + "\n");
  }
  pending_ = false;
  last_draw_s_ = now;
  samples_.push_back({now, state_.env_steps, state_.gradient_updates});
  // keep one sample that is older than the window
  while (samples_.size() > 2 && now - samples_[1].time_s > kRateWindow_s) samples_.pop_front();
}

void Progress::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace anthill
