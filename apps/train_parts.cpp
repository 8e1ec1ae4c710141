#include "apps/train_parts.hpp"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <sstream>

#include "algos/networks/device.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "generated/build_info.hpp"
#include "sim/errors.hpp"
#include "sim/mujoco_info.hpp"

namespace anthill {

void check_flags(const TrainArguments& arguments) {
  if (arguments.resume && (arguments.fresh || arguments.overwrite)) {
    throw ConfigError("--resume goes on and --fresh starts anew; give one of them");
  }
  if (arguments.overwrite && !arguments.fresh) {
    throw ConfigError("--overwrite removes the run that is there; give --fresh with it");
  }
}

std::string replay_ratio_text(const TrainingConfig& training) {
  std::ostringstream text;
  text << training.replay_ratio;
  for (const std::vector<double>& entry : training.replay_ratio_schedule) {
    text << ", " << entry[1] << " from " << static_cast<std::int64_t>(entry[0]) << " env steps on";
  }
  if (training.prefill_updates > 0) {
    text << ", primed by " << training.prefill_updates << " updates";
  }
  return text.str();
}

std::string default_run_folder(const std::string& config) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &utc);
  const std::string first = "runs/" + std::filesystem::path(config).stem().string() + "-" + stamp;
  std::string folder = first;
  for (int i = 2; std::filesystem::exists(folder); ++i) folder = first + "-" + std::to_string(i);
  return folder;
}

ProvenanceInputs provenance_inputs(const TrainArguments& arguments, const RunConfig& run,
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

bool wants_resume(const TrainArguments& arguments) {
  return arguments.resume || (!arguments.fresh && !batch_job().empty());
}

std::optional<Checkpoint> find_start(const TrainArguments& arguments, RunCheckpoints& checkpoints) {
  if (!wants_resume(arguments)) return std::nullopt;
  return checkpoints.open_newest(print_message);
}

void make_room(const TrainArguments& arguments, const std::string& run) {
  const bool abandoned = wants_resume(arguments) && is_abandoned_start(run);
  if (arguments.overwrite || abandoned) remove_run_files(run);
}

void load_start(Trainer& trainer, const Checkpoint& checkpoint) {
  trainer.load(checkpoint);
  const std::string device = trainer.device().is_cuda() ? "cuda" : "cpu";
  if (checkpoint.info().device == device) return;
  print_message("the checkpoint was saved on " + checkpoint.info().device + ": on " + device +
                " the run goes on from the same state, but rounds differently");
}

void leave(const FolderLost& lost) {
  print_message(lost.what());
  std::_Exit(kExitFailed);
}

std::optional<ResumedRun> resumed_run(const std::optional<Checkpoint>& start) {
  if (!start) return std::nullopt;
  const std::string name = start->folder().filename().string();
  print_message("resuming from " + name);
  return ResumedRun{name, start->info().wall_time_s};
}

}  // namespace anthill
