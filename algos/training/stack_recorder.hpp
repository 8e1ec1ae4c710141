/// Writes down what a stack of runs reports: every member into a run folder of its own, and status,
/// progress and checkpoints of the whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "algos/training/run_recorder.hpp"

namespace anthill {

/// One member of a stack, as its recorder needs it.
struct StackMember {
  std::string name;  // stands in messages
  ExperimentConfig config;
  std::string config_toml;            // the same as text, for checkpoints
  std::unique_ptr<RunFolder> folder;  // null: it had come to its end before
};

/// One owner thread, the trainer's.
class StackRecorder final : public TrainingObserver {
 public:
  /// `folder` (the stack's own) and `checkpoints` must outlive it. `reward_terms` are the task's.
  /// `resumed`: what save() wrote, when a stack goes on from a checkpoint.
  StackRecorder(std::vector<StackMember> members, RunFolder& folder, RunCheckpoints& checkpoints,
                std::span<const std::string> reward_terms, const StateReader* resumed = nullptr);

  TrainingObserver& member(std::int64_t member) override;
  void on_tick(const Counters& counters) override;
  void on_member_diverged(const Trainer& trainer, std::int64_t member) override;
  void on_safe_point(const Trainer& trainer, bool last) override;

  /// Configurations, and what the members' recorders save; a part "0", "1", ... for each.
  void save(StateWriter state);

  /// "1 of 4 members diverged", or nothing.
  std::string diverged_members() const;

  /// The end of all members that have not come to theirs, and of the stack, which is `diverged`
  /// instead of `finished` where one member is. Everything is tried; throws std::runtime_error when
  /// something could not be written, but not for `failed`.
  void finish(RunState state, const std::string& reason, const Trainer& trainer);

  /// A line of its own on stderr.
  void message(const std::string& text) { progress_.message(text); }

 private:
  template <class Write>
  void attempt(const Write& write);
  template <class Call>
  void for_recorders(const Call& call);
  void show();

  std::vector<StackMember> members_;
  std::vector<std::unique_ptr<RunRecorder>> recorders_;  // null: it has come to its end
  RunFolder& folder_;
  RunCheckpoints& checkpoints_;
  Progress progress_;
  RunStatus status_;
  ProgressState live_;
  std::string lost_checkpoint_;  // why the last one could not be written
};

}  // namespace anthill
