/// The folder of one run, and the files in it that explain the run: config.toml, resolved.toml,
/// provenance.json and status.json.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "algos/training/provenance.hpp"
#include "algos/training/run_owner.hpp"

namespace anthill {

enum class RunState {
  starting,
  running,
  finished,  // total_env_steps reached
  stopped,   // asked to stop (signal); everything is written
  failed,    // an error ended it
  diverged,  // the learner's numbers are no longer finite
};

/// The state in the status.json of `path`; nothing when there is none or it cannot be read.
std::optional<RunState> run_state_of(const std::filesystem::path& path);

/// Whether `path` holds a run that ended before its first vector step: nothing in it is of value.
bool is_abandoned_start(const std::filesystem::path& path);

/// Removes everything that a run writes into its folder, and nothing else. Throws
/// std::runtime_error.
void remove_run_files(const std::filesystem::path& path);

/// "starting", "running", ...
const char* run_state_name(RunState state);

struct LastEvaluation {
  std::int64_t env_steps = 0;
  std::int64_t num_episodes = 0;
  double return_mean = 0.0;
  double return_std = 0.0;
};

/// What status.json says beside process id, host and times.
struct RunStatus {
  RunState state = RunState::starting;
  std::string reason = "";  // why it stopped or failed; one line
  std::int64_t env_steps = 0;
  std::int64_t gradient_updates = 0;
  std::int64_t total_env_steps = 0;
  std::optional<LastEvaluation> last_evaluation = std::nullopt;
};

/// What a run that goes on from a checkpoint brings along.
struct ResumedRun {
  std::string checkpoint;    // its name
  double wall_time_s = 0.0;  // used before
};

/// How a process takes its run folder.
struct FolderUse {
  std::optional<ResumedRun> resumed = std::nullopt;  // the folder is this run's already
  bool among_other_files = false;                    // a new run, beside files that are no run's
  std::unique_ptr<RunOwner> owner = nullptr;         // of a folder that was there before
};

/// One owner thread. Files are replaced whole (temporary file, then rename): a reader never sees
/// half of one.
class RunFolder {
 public:
  /// Creates `path` with its parents and writes the four files; status is "starting". Throws
  /// ConfigError when the folder exists and is not empty, or cannot be created or written.
  ///
  /// `resumed`: the folder is a run's already. Its files are replaced; provenance.json keeps what
  /// it said about earlier processes in "earlier".
  RunFolder(std::filesystem::path path, const std::string& config_toml,
            const std::string& resolved_toml, const ProvenanceInputs& inputs, FolderUse use = {});

  const std::filesystem::path& path() const { return path_; }

  /// Seconds that the run has used, in earlier processes too.
  double wall_time_s() const;

  /// Writes status.json when the state has changed or the last write is heartbeat_period_s old;
  /// cheap enough to call every iteration. Throws std::runtime_error when it cannot be written, and
  /// FolderLost once another process has taken the folder.
  void update_status(const RunStatus& status);

  /// Throws FolderLost once another process has taken the folder (RunOwner::check).
  void check_owner() const { owner_->check(); }

  /// The same for other threads. The folder is given back when the last of these is gone.
  std::function<void()> owner_check() const {
    return [owner = owner_] { owner->check(); };
  }

  /// The end of the run, in a final state: writes status.json and the end time in provenance.json.
  void finish(const RunStatus& status);

  static constexpr double heartbeat_period_s = 2.0;

 private:
  void write_status(const RunStatus& status);

  std::filesystem::path path_;
  std::shared_ptr<RunOwner> owner_;
  std::string started_at_;
  std::string provenance_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_write_;
  RunState last_state_ = RunState::starting;
};

}  // namespace anthill
