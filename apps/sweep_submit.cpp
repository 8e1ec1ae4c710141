/// anthill sweep submit and cancel, and resume through Slurm.
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <sstream>

#include "algos/training/file_io.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/sweep_commands.hpp"
#include "apps/sweep_process.hpp"
#include "apps/sweep_slurm.hpp"
#include "apps/sweep_stack.hpp"
#include "apps/sweep_status.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

struct SubmitArguments {
  std::string file, out, launcher;
  std::vector<std::string> overrides;
  SubmitOptions options;
  bool dry_run = false;
};

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

void print_plan(const SweepFolder& folder, const std::vector<ArrayTasks>& arrays,
                const SubmitOptions& options) {
  int number = std::atoi(next_job_folder(folder).filename().c_str());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    char name[16];
    std::snprintf(name, sizeof name, "%04d", number++);
    const std::string after = options.limit > 0 && i > 0 ? "NUMBER_OF_THE_ONE_BEFORE" : "";
    std::string line;
    for (const std::string& word :
         sbatch_command(folder, folder.jobs() / name, arrays[i].size(), options, after)) {
      if (!line.empty()) line += ' ';
      line += shell_quoted(word);
    }
    std::printf("%s\n", line.c_str());
  }
  std::printf("\n# --- the script ---\n%s", task_script(options).c_str());
}

/// Runs that nobody works on, as processes; says what is left out.
std::vector<RunGroup> groups_to_submit(const SweepFolder& folder, int stack, bool dry_run) {
  const auto queue = ask_queue(folder);
  if (!queue && !dry_run) refuse_unknown_queue();
  const std::map<std::string, std::string> queued =
      queued_runs(queue.value_or(std::vector<QueuedTask>()));
  std::vector<SweepRun> runs;
  int finished = 0, busy = 0, failed = 0;
  for (const RunReport& report : report_runs(folder)) {
    if (report.progress == RunProgress::finished) {
      ++finished;
    } else if (report.progress == RunProgress::running || queued.contains(report.run.name())) {
      ++busy;
    } else if (report.progress == RunProgress::failed) {
      ++failed;
    } else {
      runs.push_back(report.run);
    }
  }
  if (finished + busy + failed > 0) {
    print_message("left out: " + std::to_string(finished) + " finished, " + std::to_string(busy) +
                  " running or in the queue, " + std::to_string(failed) + " failed" +
                  (failed > 0 ? " (anthill sweep resume --failed)" : ""));
  }
  print_alone(folder, stack);
  return plan_groups(folder, runs, stack);
}

int submit(const SubmitArguments& arguments) {
  SubmitOptions options = arguments.options;
  options.launcher = words_of(arguments.launcher);
  if (options.anthill.empty()) options.anthill = (program_folder() / "anthill").string();
  if (!options.template_file.empty()) {
    options.template_file = fs::absolute(options.template_file).string();
  }
  check_submit_options(options);
  const SweepFile sweep = read_sweep(arguments.file, arguments.overrides);
  const std::vector<SweepPoint> points = expand_sweep(sweep);
  const fs::path out =
      arguments.out.empty() ? default_sweep_folder(sweep) : fs::path(arguments.out);
  std::optional<SweepLock> lock;  // until the queue has what is submitted
  if (!arguments.dry_run) lock.emplace(out);
  const SweepFolder folder = SweepFolder::freeze(sweep, points, out, !arguments.dry_run);
  const std::vector<RunGroup> groups = groups_to_submit(folder, options.stack, arguments.dry_run);
  if (arguments.dry_run) {
    if (!groups.empty()) print_plan(folder, plan_arrays(groups, options), options);
    return kExitFinished;
  }
  return submit_groups(folder, groups, options);
}

int cancel(const std::string& path) {
  const SweepFolder folder = SweepFolder::open(path);
  const auto queue = ask_queue(folder);
  std::map<fs::path, std::string> ids;
  if (queue) {
    for (const QueuedTask& task : *queue) ids[task.job] = task.array_id;
  } else {  // which of them are over is unknown: all that were ever submitted
    for (const fs::path& job : job_folders(folder)) {
      std::error_code error;
      if (fs::exists(job / "job_id", error)) ids[job] = read_file(job / "job_id");
    }
  }
  std::size_t failures = 0;
  for (auto& [job, id] : ids) {
    while (!id.empty() && id.back() == '\n') id.pop_back();
    replace_file(job / "cancelled", "", false);
    const Captured answer = capture({"scancel", id});
    if (answer.exit_code != 0) {
      ++failures;
      print_message("scancel " + id + ": " +
                    (answer.exit_code == 127 ? "no scancel on this machine" : answer.errors));
    }
  }
  print_message("cancelled " + std::to_string(ids.size() - failures) +
                " array jobs; what had begun is saved");
  return failures == 0 ? kExitFinished : kExitFailed;
}

}  // namespace

void refuse_unknown_queue() {
  if (!is_on_path("squeue")) return;
  throw std::runtime_error(
      "squeue does not answer: what is in the queue would be submitted twice; try again later");
}

int submit_groups(const SweepFolder& folder, const std::vector<RunGroup>& groups,
                  const SubmitOptions& options) {
  if (groups.empty()) {
    print_message("nothing to submit");
    return kExitFinished;
  }
  std::string before;
  for (const ArrayTasks& tasks : plan_arrays(groups, options)) {
    before = submit_array(folder, tasks, options, options.limit > 0 ? before : "");
    print_message("submitted array job " + before + " with " + std::to_string(tasks.size()) +
                  " tasks; see anthill sweep status " + shell_quoted(folder.path().string()));
  }
  return kExitFinished;
}

void add_submit_command(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<SubmitArguments>();
  SubmitOptions& options = arguments->options;
  CLI::App* command =
      app.add_subcommand("submit", "submit what is not done to Slurm, as array jobs");
  command->add_option("SWEEP.toml", arguments->file, "sweep file")->required();
  command->add_option("-o,--out", arguments->out, "folder of the sweep; default runs/NAME");
  command->add_flag("--dry-run", arguments->dry_run, "print commands and script; write nothing");
  command
      ->add_option("--set-sbatch", options.sbatch,
                   "an option for sbatch: partition=gpu, time=12:00:00, gres=gpu:1; repeatable")
      ->allow_extra_args(false);
  command->add_option("--limit", options.limit, "tasks at a time (Slurm's %K); 0: no limit")
      ->check(CLI::Range(0, 1'000'000));
  command
      ->add_option("--pack", options.pack, "processes per task, side by side on its cores or GPU")
      ->check(CLI::Range(1, 1024));
  add_stack_option(*command, options.stack, "each in its own");
  command->add_option(
      "--launcher", arguments->launcher,
      "words before the command, split at spaces: \"srun\", \"apptainer exec x.sif\"");
  command->add_option("--anthill", options.anthill, "the command on the nodes; default: this one");
  command->add_option("--template", options.template_file, "own copy of scripts/slurm_task")
      ->check(CLI::ExistingFile);
  command->add_option("--margin", options.margin_s, "seconds before the time limit to save in")
      ->check(CLI::Range(1, 65'535));
  command
      ->add_option("--max-continuations", options.max_continuations,
                   "how often a task that its time limit stops is put back into the queue")
      ->check(CLI::Range(0, 1'000'000));
  command
      ->add_option("--max-array-size", options.max_array_size,
                   "tasks per array; default: Slurm's MaxArraySize")
      ->check(CLI::Range(1, 4'000'000));
  add_set_option(*command, arguments->overrides);
  command->callback([&chosen, arguments] { chosen = [=] { return submit(*arguments); }; });
}

void add_cancel_command(CLI::App& app, Chosen& chosen) {
  const auto folder = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "cancel", "take a sweep's jobs out of the queue and stop its running tasks");
  command->add_option("SWEEP", *folder, "folder of the sweep")->required();
  command->callback([&chosen, folder] { chosen = [=] { return cancel(*folder); }; });
}

}  // namespace anthill
