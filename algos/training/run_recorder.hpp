/// Writes down what the trainer reports: CSV, events, status, progress, policy.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "algos/training/progress.hpp"
#include "algos/training/run_checkpoints.hpp"
#include "algos/training/run_folder.hpp"
#include "algos/training/run_log.hpp"
#include "algos/training/trainer.hpp"

namespace anthill {

/// A run's place in a stack.
struct RunMember {
  std::int64_t index = 0;
  std::string name;  // stands in its messages
};

/// One owner thread, the trainer's. While training goes on, errors of the file system are warnings.
class RunRecorder final : public TrainingObserver {
 public:
  /// `folder` and `checkpoints` must outlive it. `reward_terms` are the task's (EnvSpec).
  /// `resumed`: what save() wrote, when a run goes on from a checkpoint.
  RunRecorder(const ExperimentConfig& config, RunFolder& folder, RunCheckpoints& checkpoints,
              std::span<const std::string> reward_terms, const StateReader* resumed = nullptr)
      : RunRecorder(config, folder, &checkpoints, {}, reward_terms, resumed) {}

  /// The same for one member of a stack, which saves checkpoints and shows progress itself.
  RunRecorder(const ExperimentConfig& config, RunFolder& folder, RunMember member,
              std::span<const std::string> reward_terms, const StateReader* resumed = nullptr)
      : RunRecorder(config, folder, nullptr, std::move(member), reward_terms, resumed) {}

  void on_tick(const Counters& counters) override;
  void on_step(const Counters& counters, const TransitionView& rows,
               const StepRecords& records) override;
  void on_metrics(const Counters& counters, const std::vector<std::string>& names,
                  const std::vector<double>& means) override;
  void on_evaluation(const Counters& counters, const EvaluationResult& result,
                     Agent& agent) override;
  void on_non_finite(const Counters& counters) override;
  void on_safe_point(const Trainer& trainer, bool last) override;

  /// Positions in the logs and the sums of the current period.
  void save(StateWriter state);
  void on_overestimation(const Counters& counters, const OverestimationResult& result) override;

  /// The end: logs, policy, final status; each is tried, and the status says so when one failed.
  /// Throws std::runtime_error then, but not when `state` is `failed` already.
  void finish(RunState state, const std::string& reason, const Counters& counters,
              const Agent* agent);

  /// A warning on a line of its own.
  void message(const std::string& text);

  /// What the live line shows, and the files of the log.
  const ProgressState& live() const { return live_; }
  std::vector<std::filesystem::path> logs() const { return log_.paths(); }

 private:
  RunRecorder(const ExperimentConfig& config, RunFolder& folder, RunCheckpoints* checkpoints,
              RunMember member, std::span<const std::string> reward_terms,
              const StateReader* resumed);

  /// Runs `write`. A file system that fails is no reason to stop training: it is reported, and the
  /// next write tries again.
  template <class Write>
  void attempt(const Write& write) {
    try {
      write();
    } catch (const FolderLost&) {
      throw;
    } catch (const std::runtime_error& error) {
      report_trouble(error.what());
    }
  }
  void report_trouble(const std::string& error);
  void load(const StateReader& state);
  void record_episodes(const Counters& counters, std::span<const EpisodeRecord> episodes);
  void warn_invalid(std::span<const InvalidRecord> records);
  void write_policy(const Counters& counters, const Agent& agent);

  /// Sums over the current period of train.csv.
  struct Period {
    double wall_time_s = 0.0;  // at its begin
    std::int64_t env_steps = 0, gradient_updates = 0;
    double reward_sum = 0.0, return_sum = 0.0;
    std::int64_t episodes = 0, length_sum = 0;
  };

  ExperimentConfig config_;
  RunFolder& folder_;
  RunCheckpoints* checkpoints_;  // null: the stack's business
  RunMember member_;
  RunLog log_;
  std::vector<std::string> term_columns_;  // of episodes.csv, in the order of the reward terms
  Progress progress_;
  ReplayRatio replay_ratio_;
  RunStatus status_;
  ProgressState live_;
  Period period_;
  std::int64_t sim_warnings_ = 0;
  double probe_seconds_ = 0.0;  // of all probes so far
  std::int64_t non_finite_warnings_ = 0;
  std::chrono::steady_clock::time_point warn_at_ = std::chrono::steady_clock::now();
  std::chrono::seconds warn_period_{10};
  std::string lost_checkpoint_;  // why the last one could not be written
};

/// Resident memory of this process in MiB (/proc/self/statm); NaN where that cannot be read.
double resident_memory_mib();

}  // namespace anthill
