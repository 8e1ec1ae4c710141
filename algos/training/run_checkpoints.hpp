/// When a run is saved, and the saving beside the training.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "algos/checkpoint/checkpoint.hpp"
#include "algos/checkpoint/checkpoint_store.hpp"
#include "algos/checkpoint/write_behind.hpp"
#include "algos/training/trainer.hpp"

namespace anthill {

/// What RunCheckpoints needs of the rest of a run.
struct RunParts {
  std::function<void(StateWriter)> save_recorder;  // log positions, sums of the current period
  std::vector<std::filesystem::path> logs;         // on the disk before a checkpoint refers to them
  std::function<void(const std::string&)> warn;    // a line for the user
  double wall_time_s = 0.0;
};

/// One owner thread, the trainer's. A checkpoint is copied into memory while training waits, and
/// written by a thread of its own; one at a time.
class RunCheckpoints {
 public:
  /// `run`: the run folder. `config_toml`: what every checkpoint keeps as its configuration.
  RunCheckpoints(const CheckpointConfig& config, const std::filesystem::path& run,
                 std::string config_toml, std::string anthill_version);

  /// The newest checkpoint that verifies (CheckpointStore::open_newest), from which the run will go
  /// on; nothing when there is none.
  std::optional<Checkpoint> open_newest(const std::function<void(const std::string&)>& report);

  /// `check` throws once the folder is another process's (RunFolder::owner_check): before anything
  /// is published or removed, on the writing thread too.
  void set_owner_check(const std::function<void()>& check);

  /// Whether this run saves checkpoints at all.
  bool enabled() const {
    return config_.period > 0 || config_.period_s > 0 || config_.archive_period > 0;
  }

  /// Reports what went wrong with the checkpoint being written, once it is over. Cheap.
  void poll(const std::function<void(const std::string&)>& warn);

  /// Whether a checkpoint should be saved at this safe point (TrainingObserver::on_safe_point): by
  /// the periods, and whenever 128 MiB of new rows have come together.
  bool is_due(const Trainer& trainer, bool last) const;

  /// Saves one, but never one of numbers that are not finite: the last good one stays. With `last`,
  /// and for the first of a run, it is on the disk when this returns. A
  /// file system that fails is reported through `parts.warn` and tried again later; with `last` it
  /// is a std::runtime_error.
  void save(const Trainer& trainer, const RunParts& parts, bool last);

  /// Links the files of the newest checkpoint into the new folder `to`; false when there is none.
  bool link_newest(const std::filesystem::path& to);

  /// Seconds that training waited for the last save(), and at most for one.
  double stopped_s() const { return stopped_s_; }
  double longest_stop_s() const { return longest_stop_s_; }

 private:
  using Clock = std::chrono::steady_clock;
  bool archive_is_due(const Counters& counters) const;
  CheckpointSnapshot take_snapshot(const Trainer& trainer, const RunParts& parts) const;
  std::shared_ptr<const CheckpointSnapshot> copy_state(const Trainer& trainer,
                                                       const RunParts& parts);
  void note(const std::string& error);
  std::string finish_writing();
  void report(const std::string& error, const std::function<void(const std::string&)>& warn) const;

  CheckpointConfig config_;
  std::function<void()> check_owner_ = [] {};
  CheckpointStore store_;  // the writing thread's while writer_ is busy
  std::string config_toml_, anthill_version_;
  std::int64_t saved_env_steps_ = -1;  // of the last snapshot; -1: none yet
  std::int64_t archived_env_steps_ = -1;
  Clock::time_point saved_at_ = Clock::now();
  Clock::time_point retry_at_ = Clock::now();
  std::chrono::seconds back_off_{0};
  double stopped_s_ = 0.0, longest_stop_s_ = 0.0;
  WriteBehind writer_;  // the last member: it ends before the store
};

}  // namespace anthill
