/// anthill train: one configuration file in, one run folder out.
#include <cstdio>
#include <filesystem>
#include <optional>

#include "algos/networks/device.hpp"
#include "algos/training/post_mortem.hpp"
#include "algos/training/run_recorder.hpp"
#include "algos/training/stop_signal.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/train_parts.hpp"
#include "configs/experiment.hpp"
#include "configs/resume_rules.hpp"
#include "generated/build_info.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {
namespace {

void print_start(const ExperimentConfig& config, const Trainer& trainer, const std::string& run) {
  const ThreadPlan& threads = trainer.threads();
  const std::string learner = trainer.device().is_cuda()
                                  ? gpu_name(trainer.device())
                                  : std::to_string(threads.learner) +
                                        (threads.learner == 1 ? " CPU thread" : " CPU threads");
  std::fprintf(stderr,
               "anthill: %s on %s x %lld, %lld env steps, replay ratio %s, seed %lld\n"
               "anthill: %d simulation threads, learner on %s, replay buffer %.1f MiB\n"
               "anthill: writing %s\n",
               config.agent.algorithm.c_str(), config.sim.env.c_str(),
               static_cast<long long>(config.sim.num_envs),
               static_cast<long long>(config.training.total_env_steps),
               replay_ratio_text(config.training).c_str(), static_cast<long long>(config.run.seed),
               threads.simulation, learner.c_str(),
               static_cast<double>(trainer.buffer().memory_bytes()) / (1024.0 * 1024.0),
               run.c_str());
}

/// Says what a resumed run changes; throws ConfigError for what it must not change.
void check_start(const ResolvedExperiment& experiment, const Checkpoint& checkpoint) {
  const std::string saved = (checkpoint.folder() / checkpoint.info().config.name).string();
  for (const std::string& change : check_resume(experiment, checkpoint.config_toml(), saved)) {
    print_message("resuming with another " + change);
  }
}

/// "solved: mean return -361.2 over 100 episodes"; empty where it is not.
std::string solved_text(const Trainer& trainer) {
  const std::optional<double> mean = trainer.solved_with();
  if (!mean) return "";
  char text[96];
  std::snprintf(text, sizeof text, "solved: mean return %.5g of the last training episodes", *mean);
  return text;
}

int finish_run(RunRecorder& recorder, Trainer& trainer, TrainingEnd end, const StopSignal& stop,
               RunFolder& folder, RunCheckpoints& checkpoints) {
  const std::string run = folder.path().string();
  const Counters& counters = trainer.counters();
  switch (end) {
    case TrainingEnd::finished: {
      const std::string reason = solved_text(trainer);
      recorder.finish(RunState::finished, reason, counters, &trainer.agent());
      print_message("finished" + (reason.empty() ? "" : ", " + reason) +
                    "; try: anthill evaluate " + run);
      return kExitFinished;
    }
    case TrainingEnd::stopped:
      recorder.finish(RunState::stopped, stop.name(), counters, &trainer.agent());
      print_message(std::string("stopped by ") + stop.name() + "; everything is written" +
                    (checkpoints.enabled() ? "; go on with --resume" : ""));
      return kExitStopped;
    case TrainingEnd::diverged:
      break;
  }
  const std::string reason = "the learner diverged: non-finite values at update " +
                             std::to_string(counters.gradient_updates);
  folder.check_owner();
  const std::string look = (write_post_mortem(run, trainer, checkpoints) / "diagnosis.md").string();
  recorder.finish(RunState::diverged, reason, counters, nullptr);
  print_message(reason + "; read " + look + "; policy.safetensors is from the last evaluation");
  return kExitDiverged;
}

/// A run that has ended at total_env_steps needs nothing more.
bool is_finished(const std::string& run, const Checkpoint& checkpoint,
                 const ExperimentConfig& config) {
  return run_state_of(run) == RunState::finished &&
         checkpoint.info().env_steps >= config.training.total_env_steps;
}

void emplace_recorder(std::optional<RunRecorder>& recorder, const ExperimentConfig& config,
                      RunFolder& folder, RunCheckpoints& checkpoints, const Trainer& trainer,
                      const std::optional<Checkpoint>& start) {
  const std::vector<std::string>& terms = trainer.env().spec().reward_terms;
  if (!start) {
    recorder.emplace(config, folder, checkpoints, terms);
    return;
  }
  const StateReader state = start->state().part("recorder");
  recorder.emplace(config, folder, checkpoints, terms, &state);
}

int train(const TrainArguments& arguments) {
  check_flags(arguments);
  StopSignal stop;
  const ResolvedExperiment experiment = read_experiment(arguments.config, arguments.overrides);
  for (const std::string& warning : check_experiment(experiment, num_available_cores())) {
    print_message("warning: " + warning);
  }
  const std::string run =
      arguments.run.empty() ? default_run_folder(arguments.config) : arguments.run;

  // whatever can be wrong with the input is found before the folder is made
  RunCheckpoints checkpoints(experiment.config.checkpoint, run, write_experiment(experiment, false),
                             kVersion);
  std::unique_ptr<RunOwner> owner;
  if (std::filesystem::is_directory(run)) {
    owner = std::make_unique<RunOwner>(run, arguments.force_unlock);
    owner->await_former(print_message);
  }
  std::optional<Checkpoint> start = find_start(arguments, checkpoints);
  if (start) check_start(experiment, *start);
  if (start && is_finished(run, *start, experiment.config)) {
    print_message("finished already; raise training.total_env_steps to go on");
    return kExitFinished;
  }
  Trainer trainer(experiment.config);
  if (start) load_start(trainer, *start);
  if (start && trainer.solved_with() && run_state_of(run) == RunState::finished) {
    print_message("finished already: the task is solved");
    return kExitFinished;
  }
  if (!start) make_room(arguments, run);
  RunFolder folder(run, experiment.verbatim, write_experiment(experiment, true),
                   provenance_inputs(arguments, experiment.config.run, trainer),
                   {resumed_run(start), arguments.overwrite, std::move(owner)});
  checkpoints.set_owner_check(folder.owner_check());
  print_start(experiment.config, trainer, run);
  std::optional<RunRecorder> recorder;
  try {
    emplace_recorder(recorder, experiment.config, folder, checkpoints, trainer, start);
    start.reset();
    return finish_run(*recorder, trainer, trainer.run(stop.flag(), *recorder), stop, folder,
                      checkpoints);
  } catch (const FolderLost& lost) {
    leave(lost);
  } catch (const std::exception& error) {
    try {
      if (recorder) {
        recorder->finish(RunState::failed, error.what(), trainer.counters(), nullptr);
      } else {
        folder.finish({.state = RunState::failed, .reason = error.what()});
      }
    } catch (const FolderLost& lost) {
      leave(lost);
    }
    throw;
  }
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  anthill::TrainArguments arguments;
  arguments.command_line.assign(argv, argv + argc);
  return anthill::run_command(
      argc, argv, "train",
      [&](CLI::App& app) {
        app.add_option("config", arguments.config, "configuration file (TOML)")->required();
        app.add_option("--members", arguments.members,
                       "train several runs side by side: a TOML file with a [[members]] table for "
                       "each (docs/members.md)");
        app.add_option("--run", arguments.run,
                       "folder to create for the run; default runs/<config>-<UTC time>");
        app.add_flag("--resume", arguments.resume,
                     "go on from the newest checkpoint of the run folder; start where there is "
                     "none (the default inside of a batch job)");
        app.add_flag("--fresh", arguments.fresh, "start anew in an empty or missing run folder");
        app.add_flag("--overwrite", arguments.overwrite,
                     "with --fresh: first remove the run that is there, checkpoints too");
        app.add_flag("--force-unlock", arguments.force_unlock,
                     "take the run folder from a process that still seems to hold it");
        anthill::add_set_option(app, arguments.overrides);
      },
      [&] {
        return arguments.members.empty() ? anthill::train(arguments)
                                         : anthill::train_members(arguments);
      });
}
