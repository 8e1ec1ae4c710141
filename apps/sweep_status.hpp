/// What the files of a sweep say about its runs.
#pragma once

#include <string>
#include <vector>

#include "apps/sweep_folder.hpp"

namespace anthill {

enum class RunProgress { finished, running, waiting, stopped, failed };

const char* progress_name(RunProgress progress);

struct RunReport {
  SweepRun run;
  RunProgress progress = RunProgress::waiting;
  std::string reason;  // why it stopped or failed
  std::int64_t env_steps = 0;
  std::int64_t total_env_steps = 0;
  double wall_time_s = 0.0;  // used so far
  double return_mean = 0.0;  // of the last evaluation; NaN: none

  double share() const {
    return total_env_steps > 0
               ? static_cast<double>(env_steps) / static_cast<double>(total_env_steps)
               : 0.0;
  }
  /// Seconds to go at the rate so far; NaN before the first step.
  double remaining_s() const;
};

/// The state in a run folder's status.json ("finished", "diverged", ...); empty: none.
std::string run_state(const std::filesystem::path& run);

/// Reads status.json of the run, its owner's sign of life and how its last process ended. These
/// files are the truth; nothing else is asked.
RunReport report_run(const SweepFolder& folder, const SweepRun& run);

std::vector<RunReport> report_runs(const SweepFolder& folder);

/// "7 finished, 2 running, 3 waiting": the kinds that occur.
std::string count_text(const std::vector<RunReport>& reports);

/// One line of a table: progress, point, seed, share, steps, time to go or reason.
std::string report_line(const RunReport& report);

/// "01:02:03", or "--" for NaN.
std::string duration_text(double seconds);

/// How a process of a run ended, for result_of().
void write_result(const SweepFolder& folder, const SweepRun& run, int exit_code,
                  const std::string& reason);

}  // namespace anthill
