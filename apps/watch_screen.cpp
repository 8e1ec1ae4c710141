#include "apps/watch_screen.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "algos/training/human_text.hpp"

namespace anthill {
namespace {

constexpr int kLabel = 15, kValue = 9, kRange = 24;
constexpr double kLogAbove = 30.0;  // a positive series that spans more than this factor

Color color_of(Health health) {
  switch (health) {
    case Health::running:
    case Health::finished:
      return Color::green;
    case Health::crashed:
    case Health::failed:
    case Health::diverged:
      return Color::red;
    case Health::silent:
    case Health::stopped:
      return Color::yellow;
    case Health::waiting:
    case Health::starting:
      return Color::gray;
  }
  return Color::none;
}

std::string number_or_dash(double value) { return std::isnan(value) ? "-" : short_number(value); }

/// Rounded down: 100 only at the end. -1: the total is not known.
int percent_of(const WatchedStatus& status) {
  if (status.total_env_steps <= 0) return -1;
  return static_cast<int>(
      std::min<std::int64_t>(100 * status.env_steps / status.total_env_steps, 100));
}

std::string bar(int percent, int width, bool unicode) {
  std::string text;
  for (int i = 0; i < width; ++i) {
    const bool full = 100 * (i + 1) <= percent * width;
    text += full ? (unicode ? "█" : "#") : (unicode ? "░" : ".");
  }
  return text;
}

Line status_line(const WatchedRun& run, const TerminalStyle& style) {
  Line line(style);
  line.add(health_name(run.health()), color_of(run.health()));
  const WatchedStatus& status = run.status();
  if (!is_over(run.health()) && !status.host.empty()) {
    line.add("  on " + status.host + ", process " + std::to_string(status.pid));
    line.add("  heartbeat " + duration(run.heartbeat_age_s()) + " ago");
  }
  if (status.wall_time_s > 0.0) line.add("  after " + duration(status.wall_time_s));
  return line;
}

Line progress_line(const WatchedRun& run, const TerminalStyle& style) {
  const WatchedStatus& status = run.status();
  Line line(style);
  const int percent = percent_of(status);
  if (percent >= 0) line.add(bar(percent, 20, style.unicode)).add(" ");
  line.add(grouped(status.env_steps));
  if (percent >= 0) {
    line.add("/").add(grouped(status.total_env_steps)).add("  " + std::to_string(percent) + "%");
  }
  line.add(" env steps");
  if (!std::isnan(run.remaining_s())) line.add("  ETA " + duration(run.remaining_s()), Color::bold);
  return line;
}

Line rates_line(const WatchedRun& run, const TerminalStyle& style) {
  Line line(style);
  const auto add = [&line](double value, const std::string& unit) {
    if (std::isnan(value)) return;
    line.add((line.columns() > 0 ? "  " : "") + short_number(value) + unit);
  };
  add(run.env_steps_per_s(), " env steps/s");
  add(run.updates_per_s(), " updates/s");
  line.add((line.columns() > 0 ? "  " : "") + grouped(run.status().gradient_updates) + " updates");
  const double ratio = latest(run.train().column("replay_ratio"));
  if (!std::isnan(ratio)) line.add("  replay ratio " + short_number(ratio));
  add(latest(run.train().column("memory_mib")), " MiB");
  return line;
}

/// What one row of a run's screen shows.
struct Series {
  std::string label;
  const CsvTail* table;
  std::string column;
  std::string nothing;  // instead of values
};

/// Whether a logarithm shows more: all positive, over more than a decade and a half.
bool wants_log(double low, double high) { return low > 0.0 && high > kLogAbove * low; }

Line series_line(const Series& series, double end, const TerminalStyle& style) {
  Line line(style);
  line.field(series.label, kLabel);
  const std::vector<double>& values = series.table->column(series.column);
  const double last = latest(values);
  if (std::isnan(last)) return line.add(series.nothing, Color::gray);
  double low = INFINITY, high = -INFINITY;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const bool log = wants_log(low, high);
  line.right(number_or_dash(last), kValue, Color::bold).add("  ");
  const int width = std::max(style.width - kLabel - kValue - kRange - 4, 8);
  line.add(sparkline(series.table->column("env_steps"), values, end, width, log, style.unicode),
           Color::blue);
  if (low <= high) {
    line.add("  " + short_number(low) + " to " + short_number(high) + (log ? " log" : ""),
             Color::gray);
  }
  return line;
}

/// A name's place in the table of runs: those that need attention first.
int urgency(Health health) {
  constexpr std::array<int, kNumHealths> order = {5, 2, 0, 3, 4, 6, 2, 1, 1};
  return order[static_cast<std::size_t>(health)];
}

/// "12 runs: 3 running, 8 finished, 1 diverged"
std::string count_of(const std::vector<const WatchedRun*>& runs) {
  std::array<int, kNumHealths> counts{};
  for (const WatchedRun* run : runs) ++counts[static_cast<std::size_t>(run->health())];
  std::string text;
  for (int i = 0; i < kNumHealths; ++i) {
    const int count = counts[static_cast<std::size_t>(i)];
    if (count == 0) continue;
    text += text.empty() ? "" : ", ";
    text += std::to_string(count) + " " + health_name(static_cast<Health>(i));
  }
  return text;
}

// columns of the table of runs behind the name
constexpr int kState = 8, kPercent = 5, kEta = 7, kSpark = 8, kNumber = 7;
constexpr int kBehindName = kState + kPercent + kEta + kSpark + 4 * kNumber + 4;

/// In fewer columns than kNumber, so that two numbers never touch.
std::string fitted(double value) {
  const std::string text = number_or_dash(value);
  if (columns_of(text) < kNumber) return text;
  std::array<char, 32> shorter;
  std::snprintf(shorter.data(), shorter.size(), "%.0e", value);
  return shorter.data();
}

/// A sweep's "ID-short-overrides/seed-3" without the ID, which says nothing to a reader.
std::string without_id(const std::string& name) {
  const std::size_t end = name.find_first_not_of("0123456789abcdef");
  return end == 12 && name[end] == '-' ? name.substr(end + 1) : name;
}

Line run_line(const WatchedRun& run, int name_width, const TerminalStyle& style) {
  Line line(style);
  line.field(shortened(without_id(run.name()), name_width), name_width).add(" ");
  line.field(health_name(run.health()), kState, color_of(run.health()));
  const int percent = percent_of(run.status());
  line.right(percent < 0 ? "-" : std::to_string(percent) + "%", kPercent);
  line.right(std::isnan(run.remaining_s()) ? "" : duration(run.remaining_s()), kEta);
  const CsvTail& evaluations = run.evaluations();
  line.right(fitted(latest(evaluations.column("return_mean"))), kNumber).add(" ");
  const auto end = static_cast<double>(run.status().env_steps);
  line.add(sparkline(evaluations.column("env_steps"), evaluations.column("return_mean"), end,
                     kSpark, false, style.unicode),
           Color::blue);
  line.right(fitted(latest(run.train().column("q_mean"))), kNumber);
  const double bias = latest(run.probes().column("bias_reward"));
  const bool overestimates = latest(run.probes().column("bias_reward_low")) > 0.0;
  line.right(fitted(bias), kNumber, overestimates ? Color::yellow : Color::none);
  line.right(fitted(latest(run.train().column("alpha"))), kNumber);
  if (!run.warnings().empty()) line.add(" !", Color::yellow);
  return line;
}

Line summary_line(const std::string& folder, const std::vector<const WatchedRun*>& runs,
                  const TerminalStyle& style) {
  Line line(style);
  double remaining = NAN;
  for (const WatchedRun* run : runs) remaining = std::fmax(remaining, run->remaining_s());
  const std::string counts = "  " + std::to_string(runs.size()) + " runs: " + count_of(runs) +
                             (std::isnan(remaining) ? "" : "  ETA " + duration(remaining));
  line.add(shortened(folder, std::max(style.width - columns_of(counts), 12)), Color::bold);
  return line.add(counts);
}

}  // namespace

std::vector<std::string> run_screen(const WatchedRun& run, const TerminalStyle& style) {
  std::vector<std::string> lines;
  Line head(style);
  head.add(shortened(run.name(), std::max(style.width - 40, 30)), Color::bold);
  if (!run.settings().empty()) head.add("  " + run.settings());
  lines.push_back(head.text());
  lines.push_back(status_line(run, style).text());
  lines.push_back(progress_line(run, style).text());
  lines.push_back(rates_line(run, style).text());
  lines.emplace_back();
  const std::array<Series, 8> rows = {{
      {"eval return", &run.evaluations(), "return_mean", "no evaluation yet"},
      {"train return", &run.episodes(), "episode_return", "no episode has ended"},
      {"mean batch Q", &run.train(), "q_mean", "no update yet"},
      {"bias B_r", &run.probes(), "bias_reward", "not probed (overestimation.period)"},
      {"alpha", &run.train(), "alpha", "none"},
      {"entropy", &run.train(), "entropy", "none"},
      {"critic loss", &run.train(), "critic_loss", "no update yet"},
      {"actor loss", &run.train(), "actor_loss", "none"},
  }};
  const auto end = static_cast<double>(run.status().env_steps);
  for (const Series& series : rows) lines.push_back(series_line(series, end, style).text());
  if (run.health() == Health::finished && !run.status().reason.empty()) {
    lines.emplace_back();
    for (const std::string& part : wrapped(run.status().reason, "", style.width)) {
      lines.push_back(part);
    }
  }
  if (!run.warnings().empty()) lines.emplace_back();
  for (const std::string& warning : run.warnings()) {
    for (const std::string& part : wrapped(warning, "! ", style.width)) {
      lines.push_back(Line(style).add(part, Color::yellow).text());
    }
  }
  return lines;
}

std::vector<std::string> sweep_screen(const std::string& folder,
                                      const std::vector<std::unique_ptr<WatchedRun>>& runs,
                                      const TerminalStyle& style) {
  std::vector<const WatchedRun*> all, hidden;
  for (const auto& run : runs) all.push_back(run.get());
  std::vector<std::string> lines = {summary_line(folder, all, style).text()};
  std::vector<const WatchedRun*> shown = all;
  const std::size_t room =
      style.height > 0 ? static_cast<std::size_t>(std::max(style.height - 5, 1)) : all.size();
  if (shown.size() > room) {
    std::ranges::stable_sort(shown, {},
                             [](const WatchedRun* run) { return urgency(run->health()); });
    hidden.assign(shown.begin() + static_cast<std::ptrdiff_t>(room), shown.end());
    shown.resize(room);
  }
  const int name_width = std::max(style.width - kBehindName, 8);
  Line heading(style);
  heading.field("run", name_width, Color::gray).add(" ");
  heading.field("state", kState, Color::gray).right("done", kPercent, Color::gray);
  heading.right("ETA", kEta, Color::gray).right("return", kNumber, Color::gray).add(" ");
  heading.field("", kSpark).right("Q", kNumber, Color::gray).right("B_r", kNumber, Color::gray);
  heading.right("alpha", kNumber, Color::gray);
  lines.push_back(heading.text());
  for (const WatchedRun* run : shown) lines.push_back(run_line(*run, name_width, style).text());
  if (!hidden.empty()) {
    Line rest(style);
    rest.add("and " + std::to_string(hidden.size()) + " more: " + count_of(hidden), Color::gray);
    lines.push_back(rest.text());
  }
  return lines;
}

std::vector<std::string> screen_of(const std::string& folder,
                                   const std::vector<std::unique_ptr<WatchedRun>>& runs,
                                   const TerminalStyle& style) {
  return runs.size() == 1 ? run_screen(*runs.front(), style) : sweep_screen(folder, runs, style);
}

}  // namespace anthill
