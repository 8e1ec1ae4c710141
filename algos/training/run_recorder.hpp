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

/// One owner thread, the trainer's. While training goes on, errors of the file system are warnings.
class RunRecorder final : public TrainingObserver {
 public:
  /// `folder` and `checkpoints` must outlive it. `reward_terms` are the task's (EnvSpec).
  /// `resumed`: what save() wrote, when a run goes on from a checkpoint.
  RunRecorder(const ExperimentConfig& config, RunFolder& folder, RunCheckpoints& checkpoints,
              std::span<const std::string> reward_terms, const StateReader* resumed = nullptr);

  void on_tick(const Counters& counters) override;
  void on_step(const Counters& counters, const TransitionView& rows,
               const VectorEnv& envs) override;
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
  void message(const std::string& text) { progress_.message(text); }

 private:
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
  void record_episodes(const Counters& counters, const VectorEnv& envs);
  void warn_invalid(const VectorEnv& envs);
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
  RunCheckpoints& checkpoints_;
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
