/// anthill train: one configuration file in, one run folder out.
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>

#include "algos/networks/device.hpp"
#include "algos/training/run_recorder.hpp"
#include "algos/training/stop_signal.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "configs/experiment.hpp"
#include "generated/build_info.hpp"
#include "sim/mujoco_info.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {
namespace {

struct Arguments {
  std::string config;
  std::string run;
  std::vector<std::string> overrides;
  std::vector<std::string> command_line;
};

/// runs/<stem of the configuration>-<UTC time>
std::string default_run_folder(const std::string& config) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &utc);
  return "runs/" + std::filesystem::path(config).stem().string() + "-" + stamp;
}

ProvenanceInputs provenance_inputs(const Arguments& arguments, const RunConfig& run,
                                   const Trainer& trainer) {
  ProvenanceInputs inputs;
  inputs.run_name =
      run.name.empty() ? std::filesystem::path(arguments.config).stem().string() : run.name;
  inputs.anthill_version = kVersion;
  inputs.compiler = kCompiler;
  inputs.compiler_flags = kFlags;
  inputs.build_type = kBuildType;
  inputs.source_dir = kSourceDir;
  inputs.mujoco_version = mujoco_version();
  inputs.libtorch_version = torch_version();
  inputs.cuda_version = cuda_version().empty() ? "none" : cuda_version();
  inputs.device = trainer.device().is_cuda() ? "cuda" : "cpu";
  inputs.gpu_name = trainer.device().is_cuda() ? gpu_name(trainer.device()) : "none";
  const std::string model = trainer.env().model_path();
  inputs.model_xml_path = model.empty() ? "none" : model;
  inputs.arguments = arguments.command_line;
  inputs.simulation_threads = trainer.threads().simulation;
  inputs.learner_threads = trainer.threads().learner;
  return inputs;
}

void print_start(const ExperimentConfig& config, const Trainer& trainer, const std::string& run) {
  const ThreadPlan& threads = trainer.threads();
  const std::string learner = trainer.device().is_cuda()
                                  ? gpu_name(trainer.device())
                                  : std::to_string(threads.learner) +
                                        (threads.learner == 1 ? " CPU thread" : " CPU threads");
  std::fprintf(
      stderr,
      "anthill: %s on %s x %lld, %lld env steps, replay ratio %g, seed %lld\n"
      "anthill: %d simulation threads, learner on %s, replay buffer %.1f MiB\n"
      "anthill: writing %s\n",
      config.agent.algorithm.c_str(), config.sim.env.c_str(),
      static_cast<long long>(config.sim.num_envs),
      static_cast<long long>(config.training.total_env_steps), config.training.replay_ratio,
      static_cast<long long>(config.run.seed), threads.simulation, learner.c_str(),
      static_cast<double>(trainer.buffer().memory_bytes()) / (1024.0 * 1024.0), run.c_str());
}

int finish_run(RunRecorder& recorder, Trainer& trainer, TrainingEnd end, const StopSignal& stop,
               const std::string& run) {
  const Counters& counters = trainer.counters();
  switch (end) {
    case TrainingEnd::finished:
      recorder.finish(RunState::finished, "", counters, &trainer.agent());
      print_message("finished; try: anthill evaluate " + run);
      return kExitFinished;
    case TrainingEnd::stopped:
      recorder.finish(RunState::stopped, stop.name(), counters, &trainer.agent());
      print_message(std::string("stopped by ") + stop.name() + "; everything is written");
      return kExitStopped;
    case TrainingEnd::diverged:
      break;
  }
  const std::string reason = "the learner diverged: non-finite values at update " +
                             std::to_string(counters.gradient_updates);
  recorder.finish(RunState::diverged, reason, counters, nullptr);
  print_message(
      reason +
      "; everything up to here is written, policy.safetensors is from the last evaluation");
  return kExitDiverged;
}

int train(const Arguments& arguments) {
  const ResolvedExperiment experiment = read_experiment(arguments.config, arguments.overrides);
  for (const std::string& warning : check_experiment(experiment, num_available_cores())) {
    print_message("warning: " + warning);
  }
  const std::string run =
      arguments.run.empty() ? default_run_folder(arguments.config) : arguments.run;

  // whatever can be wrong with the input is found before the folder is made
  StopSignal stop;
  Trainer trainer(experiment.config);
  RunFolder folder(run, experiment.verbatim, write_experiment(experiment, true),
                   provenance_inputs(arguments, experiment.config.run, trainer));
  print_start(experiment.config, trainer, run);
  std::optional<RunRecorder> recorder;
  try {
    recorder.emplace(experiment.config, folder, trainer.env().spec().reward_terms);
    return finish_run(*recorder, trainer, trainer.run(stop.flag(), *recorder), stop, run);
  } catch (const std::exception& error) {
    if (recorder) {
      recorder->finish(RunState::failed, error.what(), trainer.counters(), nullptr);
    } else {
      folder.finish({.state = RunState::failed, .reason = error.what()});
    }
    throw;
  }
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  anthill::Arguments arguments;
  arguments.command_line.assign(argv, argv + argc);
  return anthill::run_command(
      argc, argv, "train",
      [&](CLI::App& app) {
        app.add_option("config", arguments.config, "configuration file (TOML)")->required();
        app.add_option("--run", arguments.run,
                       "folder to create for the run; default runs/<config>-<UTC time>");
        anthill::add_set_option(app, arguments.overrides);
      },
      [&] { return anthill::train(arguments); });
}
