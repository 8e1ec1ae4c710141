/// anthill sweep task: one task of an array job, on a node (scripts/slurm_task calls it).
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "algos/training/file_io.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/sweep_commands.hpp"
#include "apps/sweep_engine.hpp"
#include "apps/sweep_process.hpp"
#include "apps/sweep_slurm.hpp"
#include "apps/sweep_stack.hpp"
#include "apps/sweep_status.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct TaskArguments {
  std::string job;
  int index = 0;
  bool requeue = false;
};

/// How often the time limit has stopped this task, and how far each of its runs had come the last
/// time.
struct Continuations {
  int count = 0;
  std::map<std::string, std::int64_t> env_steps;
};

fs::path continuations_file(const TaskArguments& arguments) {
  return fs::path(arguments.job) / ("task-" + std::to_string(arguments.index) + ".json");
}

Continuations read_continuations(const TaskArguments& arguments) {
  const fs::path file = continuations_file(arguments);
  std::error_code error;
  if (!fs::exists(file, error)) return {};
  const Json json = Json::parse(read_file(file), nullptr, false);
  try {
    return {json.at("continuations").get<int>(),
            json.at("env_steps").get<std::map<std::string, std::int64_t>>()};
  } catch (const Json::exception& problem) {
    throw ConfigError("'" + file.string() + "' is damaged (" + problem.what() +
                      "); anthill sweep resume --unfinished goes on");
  }
}

std::map<std::string, std::int64_t> env_steps_of(const SweepFolder& folder,
                                                 const std::vector<SweepRun>& runs) {
  std::map<std::string, std::int64_t> steps;
  for (const SweepRun& run : runs) steps[run.name()] = report_run(folder, run).env_steps;
  return steps;
}

/// The task will not go on by itself: its runs' results say why.
int give_up(const SweepFolder& folder, const std::vector<SweepRun>& runs,
            const std::string& reason) {
  for (const SweepRun& run : runs) {
    if (report_run(folder, run).progress == RunProgress::stopped) {
      write_result(folder, run, kExitFailed, reason);
    }
  }
  print_message(reason);
  return kExitFailed;
}

/// Puts this task, and no other of its array, back into the queue.
void put_back() {
  const char* array = std::getenv("SLURM_ARRAY_JOB_ID");
  const char* index = std::getenv("SLURM_ARRAY_TASK_ID");
  if (array == nullptr || index == nullptr) return;
  const Captured answer = capture({"scontrol", "requeue", std::string(array) + "_" + index});
  if (answer.exit_code == 0) return;
  print_message(answer.exit_code == 127
                    ? std::string("no scontrol here: anthill sweep resume --unfinished goes on")
                    : "scontrol requeue: " + answer.errors);
}

/// `runs`: all of the task, also those that are over.
int go_on_later(const SweepFolder& folder, const std::vector<SweepRun>& runs,
                const TaskArguments& arguments, int most) {
  Continuations before = read_continuations(arguments);
  const std::map<std::string, std::int64_t> env_steps = env_steps_of(folder, runs);
  if (before.count >= most) {
    return give_up(folder, runs,
                   "the time limit has stopped this task " + std::to_string(before.count + 1) +
                       " times; raise --max-continuations, or go on with anthill sweep resume "
                       "--failed");
  }
  // one that failed may be further back than it was
  const bool none = std::ranges::all_of(before.env_steps, [&](const auto& run) {
    const auto now = env_steps.find(run.first);
    return now == env_steps.end() || now->second <= run.second;
  });
  if (before.count > 0 && none) {
    return give_up(folder, runs,
                   "no env step was made between two time limits; submit with a longer time");
  }
  const Json json = {{"continuations", before.count + 1}, {"env_steps", env_steps}};
  replace_file(continuations_file(arguments), json.dump() + "\n", true);
  print_message("the time limit comes; saved, to be continued (" +
                std::to_string(before.count + 1) + ")");
  if (arguments.requeue) put_back();
  return kExitStopped;
}

/// Whether nothing of the group is left to be done, and something of it has failed.
bool has_failed(const SweepFolder& folder, const RunGroup& group) {
  bool failed = false;
  for (const SweepRun& run : group) {
    const RunProgress progress = report_run(folder, run).progress;
    if (progress != RunProgress::failed && progress != RunProgress::finished) return false;
    failed = failed || progress == RunProgress::failed;
  }
  return failed;
}

std::vector<SweepRun> all_runs(const std::vector<RunGroup>& groups) {
  std::vector<SweepRun> runs;
  for (const RunGroup& group : groups) runs.insert(runs.end(), group.begin(), group.end());
  return runs;
}

int task(const TaskArguments& arguments) {
  const fs::path place = fs::absolute(arguments.job).lexically_normal();
  const ArrayJob job = read_job(place);
  if (arguments.index < 0 || static_cast<std::size_t>(arguments.index) >= job.tasks.size()) {
    throw ConfigError("'" + place.string() + "' has no task " + std::to_string(arguments.index));
  }
  std::error_code error;
  if (fs::exists(place / "cancelled", error)) {
    print_message("this array job was cancelled");
    return kExitStopped;
  }
  const SweepFolder folder = SweepFolder::open(place.parent_path().parent_path());
  const std::vector<RunGroup>& all = job.tasks[static_cast<std::size_t>(arguments.index)];
  std::vector<RunGroup> groups = startable(folder, all);
  std::size_t failed_before = 0;
  if (read_continuations(arguments).count > 0) {
    // what failed before the time limit would fail again
    failed_before =
        std::erase_if(groups, [&](const RunGroup& group) { return has_failed(folder, group); });
  }
  const EngineResult result =
      run_engine(folder, groups, {std::max(1, static_cast<int>(groups.size())), 60.0, true});
  if (result.stopped > 0 && result.time_is_up) {
    return go_on_later(folder, all_runs(all), arguments, job.options.max_continuations);
  }
  if (result.stopped > 0) return kExitStopped;
  return result.failed + failed_before > 0 ? kExitFailed : kExitFinished;
}

}  // namespace

void add_task_command(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<TaskArguments>();
  CLI::App* command =
      app.add_subcommand("task", "run one task of an array job (inside of a batch job)");
  command->add_option("JOB", arguments->job, "folder of the array job")->required();
  command->add_option("INDEX", arguments->index, "which task, from 0")->required();
  command->add_flag("--requeue", arguments->requeue,
                    "at the time limit, put the task back into the queue");
  command->callback([&chosen, arguments] { chosen = [=] { return task(*arguments); }; });
}

}  // namespace anthill
