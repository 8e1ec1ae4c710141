/// One table for all runs of a sweep that go on on this machine.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "apps/sweep_folder.hpp"

namespace anthill {

/// On a terminal a table that is drawn anew every second; otherwise a line now and then. On stderr.
class SweepProgress {
 public:
  SweepProgress(const SweepFolder& folder, double period_s);

  /// Cheap: looks at the clock first.
  void show(const std::vector<SweepRun>& active, int finished, int failed, int waiting);

  /// A line of its own above the table.
  void say(const std::string& line);

  /// Takes the table away.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  const SweepFolder& folder_;
  bool terminal_;
  std::chrono::duration<double> period_;
  Clock::time_point next_;
  int lines_ = 0;  // of the table on the screen
};

}  // namespace anthill
