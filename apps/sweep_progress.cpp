#include "apps/sweep_progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/sweep_status.hpp"

namespace anthill {
namespace {

struct Screen {
  std::size_t width = 80, height = 24;
};

Screen screen_of_terminal() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20 || size.ws_row < 4) {
    return {};
  }
  return {size.ws_col, size.ws_row};
}

}  // namespace

SweepProgress::SweepProgress(const SweepFolder& folder, double period_s)
    : folder_(folder),
      terminal_(::isatty(STDERR_FILENO) == 1),
      period_(terminal_ ? 1.0 : period_s),
      next_(Clock::now() + std::chrono::duration_cast<Clock::duration>(period_)) {}

void SweepProgress::show(const std::vector<SweepRun>& active, int finished, int failed,
                         int waiting) {
  if (Clock::now() < next_) return;
  next_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(period_);
  std::vector<std::string> lines;
  double share = 0.0;
  for (const SweepRun& run : active) {
    RunReport report = report_run(folder_, run);
    if (report.progress != RunProgress::finished) report.progress = RunProgress::running;
    share += report.share();
    lines.push_back(report_line(report));
  }
  char summary[160];
  std::snprintf(summary, sizeof summary,
                "%d finished, %zu running (%.0f %% of them), %d waiting, "
                "%d failed",
                finished, active.size(),
                active.empty() ? 0.0 : 100.0 * share / static_cast<double>(active.size()), waiting,
                failed);
  if (!terminal_) {
    std::fprintf(stderr, "anthill: %s\n", summary);
    return;
  }
  clear();
  const Screen screen = screen_of_terminal();
  const std::size_t width = screen.width - 1;
  lines.insert(lines.begin(), summary);
  // what has left the screen cannot be drawn anew
  if (lines.size() >= screen.height) {
    const std::size_t left_out = lines.size() - (screen.height - 2);
    lines.resize(screen.height - 2);
    lines.push_back("... and " + std::to_string(left_out) + " more");
  }
  for (const std::string& line : lines) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(std::min(width, line.size())), line.c_str());
  }
  lines_ = static_cast<int>(lines.size());
}

void SweepProgress::say(const std::string& line) {
  clear();
  std::fprintf(stderr, "anthill: %s\n", line.c_str());
}

void SweepProgress::clear() {
  if (lines_ > 0) std::fprintf(stderr, "\033[%dA\033[J", lines_);
  lines_ = 0;
}

}  // namespace anthill
