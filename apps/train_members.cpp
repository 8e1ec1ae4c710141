// anthill train --members: several runs side by side in one process.
#include <cstdio>
#include <filesystem>
#include <set>

#include "algos/networks/device.hpp"
#include "algos/training/file_io.hpp"
#include "algos/training/stack_recorder.hpp"
#include "algos/training/stop_signal.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/train_parts.hpp"
#include "configs/members.hpp"
#include "configs/resume_rules.hpp"
#include "generated/build_info.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

/// Everything that is known before anything is made.
struct Stack {
  std::string run;  // the stack's own folder
  std::vector<MemberExperiment> members;
  std::vector<fs::path> folders;                  // of the members' runs
  std::unique_ptr<RunOwner> owner;                // of a stack's folder that was there before
  std::vector<std::unique_ptr<RunOwner>> owners;  // the same of the members' folders
};

void print_warnings(const std::vector<MemberExperiment>& members) {
  std::set<std::string> warnings;
  for (const MemberExperiment& member : members) {
    for (const auto& text : check_experiment(member.experiment, num_available_cores())) {
      if (warnings.insert(text).second) print_message("warning: " + text);
    }
  }
}

std::unique_ptr<RunOwner> own(const fs::path& folder, const TrainArguments& arguments) {
  if (!fs::is_directory(folder)) return nullptr;
  return std::make_unique<RunOwner>(folder, arguments.force_unlock);
}

Stack read_stack(const TrainArguments& arguments) {
  Stack stack;
  stack.members = read_members(arguments.config, arguments.overrides, arguments.members);
  print_warnings(stack.members);
  stack.run = arguments.run.empty() ? default_run_folder(arguments.config) : arguments.run;
  for (const MemberExperiment& member : stack.members) {
    stack.folders.push_back((fs::path(stack.run) / member.folder).lexically_normal());
  }
  stack.owner = own(stack.run, arguments);
  for (const fs::path& folder : stack.folders) stack.owners.push_back(own(folder, arguments));
  if (stack.owner) stack.owner->await_former(print_message);
  for (const auto& owner : stack.owners) {
    if (owner) owner->await_former(print_message);
  }
  return stack;
}

/// Says what a resumed stack changes; throws ConfigError for what it must not change.
void check_start(const Stack& stack, const Checkpoint& checkpoint) {
  const StateReader recorder = checkpoint.state().part("recorder");
  if (checkpoint.info().members != std::ssize(stack.members) || !recorder.has("0")) {
    throw ConfigError("'" + checkpoint.folder().string() + "' is no checkpoint of a stack of " +
                      std::to_string(stack.members.size()) +
                      " members; resume with the members that it was saved with");
  }
  std::set<std::string> changes;
  for (std::size_t m = 0; m < stack.members.size(); ++m) {
    const std::string saved = recorder.part(std::to_string(m)).text("config");
    const std::string where = checkpoint.folder().string() + ", " + stack.members[m].folder;
    for (const auto& change : check_resume(stack.members[m].experiment, saved, where)) {
      changes.insert(change);
    }
  }
  for (const std::string& change : changes) print_message("resuming with another " + change);
}

bool is_finished(const Stack& stack, const Checkpoint& checkpoint) {
  const TrainingConfig& training = stack.members[0].experiment.config.training;
  const std::optional<RunState> state = run_state_of(stack.run);
  return (state == RunState::finished || state == RunState::diverged) &&
         checkpoint.info().env_steps >= training.total_env_steps;
}

/// Clears what the new stack replaces. Members' folders first: they may lie inside of the stack's.
void make_room(const TrainArguments& arguments, Stack& stack) {
  const bool abandoned = wants_resume(arguments) && is_abandoned_start(stack.run);
  for (std::size_t m = 0; m < stack.folders.size(); ++m) {
    const fs::path& folder = stack.folders[m];
    if (!fs::is_directory(folder)) continue;
    if (abandoned || arguments.overwrite) {
      remove_run_files(folder);
      stack.owners[m].reset();
      std::error_code not_empty;
      fs::remove(folder, not_empty);
    }
    if (run_state_of(folder)) {
      throw ConfigError("run folder '" + folder.string() +
                        "' of a member holds a run; choose another, go on with --resume, or start "
                        "anew with --fresh --overwrite");
    }
  }
  make_room(arguments, stack.run);
}

std::vector<StackMember> make_folders(const TrainArguments& arguments, Stack& stack,
                                      const Trainer& trainer,
                                      const std::optional<ResumedRun>& resumed) {
  std::vector<StackMember> members;
  for (std::size_t m = 0; m < stack.members.size(); ++m) {
    const ResolvedExperiment& experiment = stack.members[m].experiment;
    members.push_back(
        {stack.members[m].folder, experiment.config, write_experiment(experiment, false), nullptr});
    if (trainer.has_diverged(static_cast<std::int64_t>(m))) continue;
    members.back().folder = std::make_unique<RunFolder>(
        stack.folders[m], experiment.verbatim, write_experiment(experiment, true),
        provenance_inputs(arguments, experiment.config.run, trainer),
        FolderUse{resumed, arguments.overwrite, std::move(stack.owners[m])});
  }
  return members;
}

void print_start(const Stack& stack, const Trainer& trainer) {
  const ExperimentConfig& config = stack.members[0].experiment.config;
  const ThreadPlan& threads = trainer.threads();
  const std::string learner = trainer.device().is_cuda()
                                  ? gpu_name(trainer.device())
                                  : std::to_string(threads.learner) + " CPU threads";
  std::fprintf(stderr,
               "anthill: %zu members: %s on %s x %lld each, %lld env steps, replay ratio %s\n"
               "anthill: %d simulation threads, learner on %s, replay buffer %.1f MiB\n"
               "anthill: writing %s\n",
               stack.members.size(), config.agent.algorithm.c_str(), config.sim.env.c_str(),
               static_cast<long long>(config.sim.num_envs),
               static_cast<long long>(config.training.total_env_steps),
               replay_ratio_text(config.training).c_str(), threads.simulation, learner.c_str(),
               static_cast<double>(trainer.buffer().memory_bytes()) / (1024.0 * 1024.0),
               stack.run.c_str());
}

int finish_stack(StackRecorder& recorder, const Trainer& trainer, TrainingEnd end,
                 const StopSignal& stop, bool saves_checkpoints) {
  if (end == TrainingEnd::stopped) {
    recorder.finish(RunState::stopped, stop.name(), trainer);
    print_message(std::string("stopped by ") + stop.name() + "; everything is written" +
                  (saves_checkpoints ? "; go on with --resume" : ""));
    return kExitStopped;
  }
  recorder.finish(RunState::finished, "", trainer);
  if (const std::string lost = recorder.diverged_members(); !lost.empty()) {
    print_message(lost + "; read post_mortem/diagnosis.md in their folders");
    return kExitDiverged;
  }
  print_message("finished; every member has a run folder of its own");
  return kExitFinished;
}

}  // namespace

int train_members(const TrainArguments& arguments) {
  check_flags(arguments);
  StopSignal stop;
  Stack stack = read_stack(arguments);
  const ResolvedExperiment& first = stack.members[0].experiment;
  RunCheckpoints checkpoints(first.config.checkpoint, stack.run, write_experiment(first, false),
                             kVersion);
  std::optional<Checkpoint> start = find_start(arguments, checkpoints);
  if (start) check_start(stack, *start);
  if (start && is_finished(stack, *start)) {
    print_message("finished already; raise training.total_env_steps to go on");
    return kExitFinished;
  }
  std::vector<ExperimentConfig> configs;
  for (const MemberExperiment& member : stack.members) configs.push_back(member.experiment.config);
  Trainer trainer(configs);
  if (start) load_start(trainer, *start);
  if (!start) make_room(arguments, stack);

  const std::optional<ResumedRun> resumed = resumed_run(start);
  RunFolder folder(stack.run, first.verbatim, write_experiment(first, true),
                   provenance_inputs(arguments, first.config.run, trainer),
                   {resumed, arguments.overwrite, std::move(stack.owner)});
  checkpoints.set_owner_check(folder.owner_check());
  std::optional<StackRecorder> recorder;
  try {
    replace_file(fs::path(stack.run) / "members.toml", read_config_file(arguments.members), false);
    std::vector<StackMember> members = make_folders(arguments, stack, trainer, resumed);
    print_start(stack, trainer);
    std::optional<StateReader> saved;
    if (start) saved = start->state().part("recorder");
    recorder.emplace(std::move(members), folder, checkpoints, trainer.env().spec().reward_terms,
                     saved ? &*saved : nullptr);
    start.reset();
    return finish_stack(*recorder, trainer, trainer.run(stop.flag(), *recorder), stop,
                        checkpoints.enabled());
  } catch (const FolderLost& lost) {
    leave(lost);
  } catch (const std::exception& error) {
    try {
      if (recorder) {
        recorder->finish(RunState::failed, error.what(), trainer);
      } else {
        folder.finish({.state = RunState::failed, .reason = error.what()});
      }
    } catch (const FolderLost& lost) {
      leave(lost);
    }
    throw;
  }
}

}  // namespace anthill
