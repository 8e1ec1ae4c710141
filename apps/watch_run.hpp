/// A run folder as anthill watch sees it: from outside, while another process writes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/watch_csv.hpp"

namespace anthill {

/// What a run is doing. The first three are told from what its status.json does not say.
enum class Health {
  waiting,  // a folder without a status: not started yet
  silent,   // running, but its heartbeat is late
  crashed,  // its process is gone, or another machine's was not heard of for a minute
  starting,
  running,
  finished,
  stopped,
  failed,
  diverged,
};
inline constexpr int kNumHealths = 9;

/// "waiting", "silent", ...
const char* health_name(Health health);

/// Whether nothing more will happen in the folder by itself.
bool is_over(Health health);

/// status.json.
struct WatchedStatus {
  std::string state, reason, host, updated_at;
  std::int64_t env_steps = 0, total_env_steps = 0, gradient_updates = 0, pid = 0;
  double wall_time_s = 0.0;
};

/// One run folder. Only reads; throws nothing after construction: what is wrong with a file becomes
/// a warning.
class WatchedRun {
 public:
  /// `name`: what the screen calls it.
  WatchedRun(std::filesystem::path folder, std::string name);

  /// Reads what is new.
  void poll();

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& name() const { return name_; }
  const WatchedStatus& status() const { return status_; }
  Health health() const { return health_; }
  double heartbeat_age_s() const { return age_s_; }

  /// "Ant-v5  sac  seed 3" as resolved.toml says; "" while it is not there.
  const std::string& settings() const { return settings_; }

  /// One line each, the most urgent first.
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// Per second of the run's own clock over its latest rows; NaN while unknown, or once it is over.
  double env_steps_per_s() const { return rate(status_.env_steps, "env_steps"); }
  double updates_per_s() const { return rate(status_.gradient_updates, "gradient_updates"); }
  double remaining_s() const;

  const CsvTail& train() const { return train_; }
  const CsvTail& evaluations() const { return evaluations_; }
  const CsvTail& episodes() const { return episodes_; }
  const CsvTail& probes() const { return probes_; }

 private:
  using Clock = std::chrono::steady_clock;
  void read_status();
  void read_settings();
  void judge();
  void collect_warnings();
  void warn_of_learner();
  void warn_of_bias();
  double rate(std::int64_t now, const std::string& column) const;

  std::filesystem::path folder_;
  std::string name_, settings_, status_text_, status_trouble_;
  WatchedStatus status_;
  Health health_ = Health::waiting;
  double age_s_ = 0.0;
  std::optional<Clock::time_point> changed_at_;  // when status.json was last seen to change
  CsvTail train_, evaluations_, episodes_, probes_;
  std::vector<std::string> warnings_;
  bool is_process_here_ = false;  // alive on this machine
  bool is_read_ = false;          // of a run that is over: nothing is new
};

/// The newest value that is a number; NaN when there is none.
double latest(const std::vector<double>& values);

/// `path` itself when it is a run's folder or empty (a run that has not begun), else all runs of
/// the sweep whose folder it is, also those that have not begun, else the runs below it, up to four
/// levels down (ARM/seed-3), in natural order; a folder seed-N counts once its run begins. Throws
/// ConfigError when there is none.
std::vector<std::filesystem::path> find_runs(const std::filesystem::path& path);

}  // namespace anthill
