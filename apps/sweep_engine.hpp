/// Runs of a sweep on this machine, several side by side.
#pragma once

#include <vector>

#include "apps/sweep_folder.hpp"

namespace anthill {

struct EngineOptions {
  int jobs = 1;                   // processes side by side; they share out the cores
  double report_period_s = 30.0;  // between progress lines where stderr is no terminal
  bool one_line_each = true;      // say when a run begins and ends (never where the table is drawn)
};

struct EngineResult {
  int finished = 0, failed = 0, stopped = 0;  // runs; stopped: saved, or never begun
  bool time_is_up = false;  // SIGUSR1 has stopped it: the batch system's warning of its time limit
};

/// Runs each group, a process, to its end unless that is reached already. A process that fails
/// harms no other.
/// SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 make the running ones save and stop, and begin no more; a
/// second such signal ends them at once. Blocks those signals and SIGCHLD for good.
EngineResult run_engine(const SweepFolder& folder, const std::vector<RunGroup>& groups,
                        const EngineOptions& options);

}  // namespace anthill
