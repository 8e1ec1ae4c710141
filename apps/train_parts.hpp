/// What a run alone and a stack of members share on their way into `anthill train`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "algos/training/run_checkpoints.hpp"
#include "algos/training/run_folder.hpp"
#include "algos/training/trainer.hpp"

namespace anthill {

/// The command line of `anthill train`.
struct TrainArguments {
  std::string config;
  std::string run;
  std::string members;  // empty: one run
  bool resume = false, fresh = false, overwrite = false, force_unlock = false;
  std::vector<std::string> overrides;
  std::vector<std::string> command_line;
};

/// Trains the members of the file arguments.members; an exit code.
int train_members(const TrainArguments& arguments);

/// Throws ConfigError for flags that contradict each other.
void check_flags(const TrainArguments& arguments);

/// "8", with what training.replay_ratio_schedule and prefill_updates say behind it.
std::string replay_ratio_text(const TrainingConfig& training);

/// runs/<stem of the configuration>-<UTC time>, with -2, -3, ... behind it where that is taken.
std::string default_run_folder(const std::string& config);

ProvenanceInputs provenance_inputs(const TrainArguments& arguments, const RunConfig& run,
                                   const Trainer& trainer);

/// Whether a checkpoint that is there is to be used: asked for, or inside of a batch job.
bool wants_resume(const TrainArguments& arguments);

/// The checkpoint that the run goes on from; nothing for a new run.
std::optional<Checkpoint> find_start(const TrainArguments& arguments, RunCheckpoints& checkpoints);

/// Clears what a new run replaces: what --overwrite says, or a start that never came to a step.
void make_room(const TrainArguments& arguments, const std::string& run);

void load_start(Trainer& trainer, const Checkpoint& checkpoint);

/// Ends the process with exit code 1: not even a destructor may write, the folder is another's.
[[noreturn]] void leave(const FolderLost& lost);

std::optional<ResumedRun> resumed_run(const std::optional<Checkpoint>& start);

}  // namespace anthill
