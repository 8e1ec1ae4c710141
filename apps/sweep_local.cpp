/// anthill sweep expand, run, status and collect: what needs no batch system.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "algos/training/file_io.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/sweep_collect.hpp"
#include "apps/sweep_commands.hpp"
#include "apps/sweep_engine.hpp"
#include "apps/sweep_estimate.hpp"
#include "apps/sweep_process.hpp"
#include "apps/sweep_stack.hpp"
#include "apps/sweep_status.hpp"
#include "configs/toml_text.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

struct SweepArguments {
  std::string file, out, table = "eval";
  std::vector<std::string> overrides;
  int jobs = 1, stack = 1;
  bool all = false;
};

std::string settings_text(const SweepPoint& point) {
  std::string text;
  for (const Setting& setting : point.settings) {
    if (!text.empty()) text += ' ';
    text += setting.field->key() + "=" + toml_value(setting.value);
  }
  return text.empty() ? "(base)" : text;
}

int expand(const SweepArguments& arguments) {
  const SweepFile sweep = read_sweep(arguments.file, arguments.overrides);
  const std::vector<SweepPoint> points = expand_sweep(sweep);
  std::set<std::string> warnings;
  RunEstimate sum, largest;
  std::printf("%6s  %-12s  %12s  %10s  %8s  settings\n", "index", "id", "env steps", "time", "MiB");
  for (std::size_t i = 0; i < points.size(); ++i) {
    const ResolvedExperiment experiment = resolve_point(sweep, points[i]);
    for (const std::string& warning : check_experiment(experiment, 0)) warnings.insert(warning);
    const RunEstimate estimate = estimate_run(experiment.config);
    sum.seconds += estimate.seconds;
    largest.memory_mib = std::max(largest.memory_mib, estimate.memory_mib);
    std::printf("%6zu  %-12s  %12lld  %10s  %8.0f  %s\n", i, points[i].id.c_str(),
                static_cast<long long>(experiment.config.training.total_env_steps),
                duration_text(estimate.seconds).c_str(), estimate.memory_mib,
                settings_text(points[i]).c_str());
  }
  const std::size_t num_seeds = sweep.seeds.size();
  std::printf("%zu points x %zu seeds = %zu runs, about %.1f core hours; up to %.0f MiB a run\n",
              points.size(), num_seeds, points.size() * num_seeds,
              sum.seconds * static_cast<double>(num_seeds) / 3600.0, largest.memory_mib);
  for (const std::string& warning : warnings) print_message("warning: " + warning);
  return kExitFinished;
}

int run(const SweepArguments& arguments) {
  const SweepFile sweep = read_sweep(arguments.file, arguments.overrides);
  const std::vector<SweepPoint> points = expand_sweep(sweep);
  const std::filesystem::path out =
      arguments.out.empty() ? default_sweep_folder(sweep) : std::filesystem::path(arguments.out);
  const SweepFolder folder = [&] {
    const SweepLock lock(out);
    return SweepFolder::freeze(sweep, points, out);
  }();
  std::vector<SweepRun> runs;
  int elsewhere = 0;
  for (const RunReport& report : report_runs(folder)) {
    if (report.progress == RunProgress::running) {
      print_message(report.run.name() + " is running already; left out");
      ++elsewhere;
    } else {
      runs.push_back(report.run);
    }
  }
  print_alone(folder, arguments.stack);
  return run_here(folder, plan_groups(folder, runs, arguments.stack), arguments.jobs, elsewhere);
}

/// Points that an edit of the sweep file has removed are counted nowhere: that is said.
void print_former_points(const SweepFolder& folder) {
  const std::size_t number = folder.former_points().size();
  if (number == 0) return;
  print_message(std::to_string(number) + (number == 1 ? " point that is" : " points that are") +
                " no longer in the sweep file left out; the folders stay as they are");
}

/// "POINT/seed-3" -> what its last task wrote, for runs of array jobs.
std::map<std::string, fs::path> task_outputs(const SweepFolder& folder) {
  std::map<std::string, fs::path> outputs;
  for (const fs::path& job : job_folders(folder)) {
    std::error_code error;
    if (!fs::exists(job / "job_id", error) || fs::exists(job / "cancelled", error)) continue;
    const ArrayTasks tasks = read_job(job).tasks;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      for (const RunGroup& group : tasks[i]) {
        for (const SweepRun& run : group) {
          outputs[run.name()] = job / ("task-" + std::to_string(i) + ".out");
        }
      }
    }
  }
  return outputs;
}

/// "POINT/seed-3" -> "stack ID", for stacks that have begun.
std::map<std::string, std::string> stack_names(const SweepFolder& folder) {
  std::map<std::string, std::string> names;
  for (const SweepStack& stack : begun_stacks(folder)) {
    for (const SweepRun& run : stack.members) names.emplace(run.name(), "stack " + stack.id());
  }
  return names;
}

int print_status(const SweepArguments& arguments) {
  const SweepFolder folder = SweepFolder::open(arguments.file);
  std::vector<RunReport> reports = report_runs(folder);
  const auto queue = ask_queue(folder);
  const std::map<std::string, std::string> queued =
      queued_runs(queue.value_or(std::vector<QueuedTask>()));
  std::map<std::string, fs::path> outputs;
  if (queue) outputs = task_outputs(folder);
  int in_queue = 0;
  for (RunReport& report : reports) {
    const auto found = queued.find(report.run.name());
    if (report.progress == RunProgress::finished || report.progress == RunProgress::running) {
      continue;
    }
    if (found == queued.end()) {
      const auto output = outputs.find(report.run.name());
      if (report.progress == RunProgress::waiting && output != outputs.end()) {
        report.reason = "its task has ended without beginning it; see " + output->second.string();
      }
      continue;
    }
    // its task goes on with the others
    const bool is_left = report.progress == RunProgress::failed && found->second.ends_with("(R)");
    if (is_left) continue;
    ++in_queue;
    report.progress = RunProgress::waiting;
    report.reason = "in the queue as " + found->second;
  }
  const std::map<std::string, std::string> stacks = stack_names(folder);
  double remaining = 0.0;
  int running = 0;
  for (const RunReport& report : reports) {
    const bool dull = report.progress == RunProgress::finished ||
                      (report.progress == RunProgress::waiting &&
                       (report.reason.empty() || queued.contains(report.run.name())));
    const auto stack = stacks.find(report.run.name());
    if (!dull || arguments.all) {
      std::printf("%s%s\n", report_line(report).c_str(),
                  stack == stacks.end() ? "" : ("  (" + stack->second + ")").c_str());
    }
    if (report.progress != RunProgress::running) continue;
    ++running;
    remaining = std::max(remaining, report.remaining_s());
  }
  std::printf("%s: %zu runs: %s\n", folder.path().c_str(), reports.size(),
              count_text(reports).c_str());
  if (in_queue > 0) std::printf("%d of those waiting are in Slurm's queue\n", in_queue);
  if (running > 0) std::printf("those running take about %s\n", duration_text(remaining).c_str());
  print_former_points(folder);
  return kExitFinished;
}

int collect(const SweepArguments& arguments) {
  const SweepFolder folder = SweepFolder::open(arguments.file);
  std::ostringstream text;
  const CollectedRuns runs = collect_table(folder, arguments.table, text);
  const std::size_t all = folder.runs().size();
  if (arguments.out.empty()) {
    std::fputs(text.str().c_str(), stdout);
  } else {
    replace_file(arguments.out, text.str(), false);
  }
  print_message(std::to_string(runs.found) + " of " + std::to_string(all) + " runs have " +
                arguments.table + ".csv");
  print_former_points(folder);
  return runs.damaged == 0 ? kExitFinished : kExitFailed;
}

CLI::App* add_command(CLI::App& app, Chosen& chosen, const std::string& name,
                      const std::string& about, const std::shared_ptr<SweepArguments>& arguments,
                      int (*body)(const SweepArguments&)) {
  CLI::App* command = app.add_subcommand(name, about);
  command->callback([&chosen, arguments, body] { chosen = [=] { return body(*arguments); }; });
  return command;
}

}  // namespace

void add_stack_option(CLI::App& command, int& stack, const std::string& otherwise) {
  command
      .add_option("--stack", stack,
                  "train runs that differ in seeds and numbers in one process, at most so many "
                  "(docs/members.md); default: " +
                      otherwise)
      ->check(CLI::Range(1, 1024));
}

void print_alone(const SweepFolder& folder, int stack) {
  if (stack < 2) return;
  std::map<std::string, std::size_t> reasons;
  for (const FrozenPoint& point : folder.points()) {
    if (!point.alone.empty()) reasons[point.alone] += folder.seeds().size();
  }
  for (const auto& [reason, number] : reasons) {
    print_message(std::to_string(number) + " runs in no stack: " + reason);
  }
}

int run_here(const SweepFolder& folder, const std::vector<RunGroup>& groups, int jobs,
             int elsewhere) {
  const EngineResult result = run_engine(folder, groups, {jobs, 30.0, true});
  std::string text = std::to_string(result.finished) + " finished, " +
                     std::to_string(result.failed) + " failed, " + std::to_string(result.stopped) +
                     " not finished";
  if (elsewhere > 0) text += ", " + std::to_string(elsewhere) + " running elsewhere";
  const bool stopped = result.stopped > 0;
  text += result.failed > 0 || (elsewhere > 0 && !stopped) ? "; see anthill sweep status "
          : stopped ? "; go on with anthill sweep resume --unfinished "
                    : "; see anthill sweep collect ";
  print_message(text + shell_quoted(folder.path().string()));
  if (stopped || elsewhere > 0) return kExitStopped;
  return result.failed > 0 ? kExitFailed : kExitFinished;
}

void add_expand_command(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<SweepArguments>();
  CLI::App* command = add_command(
      app, chosen, "expand", "print the points of a sweep file with estimates", arguments, expand);
  command->add_option("SWEEP.toml", arguments->file, "sweep file")->required();
  add_set_option(*command, arguments->overrides);
}

void add_run_command(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<SweepArguments>();
  CLI::App* command =
      add_command(app, chosen, "run",
                  "run a sweep on this machine; the same command goes on with it", arguments, run);
  command->add_option("SWEEP.toml", arguments->file, "sweep file")->required();
  command->add_option("-o,--out", arguments->out, "folder of the sweep; default runs/NAME");
  command
      ->add_option("-j,--jobs", arguments->jobs, "processes side by side; the cores are shared out")
      ->check(CLI::Range(1, 1024));
  add_stack_option(*command, arguments->stack, "each in its own");
  add_set_option(*command, arguments->overrides);
}

void add_status_command(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<SweepArguments>();
  CLI::App* command = add_command(app, chosen, "status", "say what the runs of a sweep do",
                                  arguments, print_status);
  command->add_option("SWEEP", arguments->file, "folder of the sweep")->required();
  command->add_flag("--all", arguments->all, "also list finished and waiting runs");
}

void add_collect_command(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<SweepArguments>();
  CLI::App* command = add_command(app, chosen, "collect",
                                  "write one CSV file of a table of all runs", arguments, collect);
  command->add_option("SWEEP", arguments->file, "folder of the sweep")->required();
  command->add_option("--table", arguments->table,
                      "eval (default), train, episodes, overestimation or overestimation_states");
  command->add_option("-o,--out", arguments->out, "file to write; default standard output");
}

}  // namespace anthill
