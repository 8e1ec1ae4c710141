/// anthill sweep resume: what is not finished goes on.
#include <algorithm>
#include <memory>
#include <optional>

#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/sweep_commands.hpp"
#include "apps/sweep_stack.hpp"
#include "apps/sweep_status.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

struct ResumeArguments {
  std::string folder;
  bool failed = false, unfinished = false, here = false;
  int jobs = 0, stack = 0;  // 0: not given
};

int resume(const ResumeArguments& arguments) {
  if (arguments.failed == arguments.unfinished) {
    throw ConfigError(
        "resume needs --failed (what an error ended) or --unfinished (all that is "
        "not finished)");
  }
  const SweepFolder folder = SweepFolder::open(arguments.folder);
  const std::vector<fs::path> jobs = job_folders(folder);
  const bool here = arguments.here || arguments.jobs > 0 || jobs.empty();
  std::optional<SweepLock> lock;  // until the queue has what is submitted
  if (!here) lock.emplace(folder.path());
  const auto queue = ask_queue(folder);
  if (!queue && !here) refuse_unknown_queue();
  const std::map<std::string, std::string> queued =
      queued_runs(queue.value_or(std::vector<QueuedTask>()));
  std::vector<SweepRun> runs;
  int elsewhere = 0;
  for (const RunReport& report : report_runs(folder)) {
    const bool wanted = arguments.failed ? report.progress == RunProgress::failed
                                         : report.progress != RunProgress::finished &&
                                               report.progress != RunProgress::running;
    if (report.progress == RunProgress::running) ++elsewhere;
    if (wanted && !queued.contains(report.run.name())) runs.push_back(report.run);
  }
  SubmitOptions options = here ? SubmitOptions{} : read_job(jobs.back()).options;
  if (arguments.stack > 0) options.stack = arguments.stack;
  std::vector<RunGroup> groups = plan_groups(folder, runs, options.stack);
  if (!here) std::erase_if(groups, [&](const RunGroup& group) { return is_over(folder, group); });
  if (groups.empty()) {
    print_message("nothing to resume");
    return kExitFinished;
  }
  if (here) return run_here(folder, groups, std::max(1, arguments.jobs), elsewhere);
  return submit_groups(folder, groups, options);
}

}  // namespace

void add_resume_command(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<ResumeArguments>();
  CLI::App* command = app.add_subcommand(
      "resume", "go on with what is not finished: through Slurm where it was submitted, else here");
  command->add_option("SWEEP", arguments->folder, "folder of the sweep")->required();
  command->add_flag("--failed", arguments->failed, "runs that an error ended");
  command->add_flag("--unfinished", arguments->unfinished,
                    "all runs that are not finished and not running");
  command->add_flag("--here", arguments->here, "on this machine also where it was submitted");
  command->add_option("-j,--jobs", arguments->jobs, "on this machine, so many side by side")
      ->check(CLI::Range(1, 1024));
  add_stack_option(*command, arguments->stack, "as they were submitted, here each in its own");
  command->callback([&chosen, arguments] { chosen = [=] { return resume(*arguments); }; });
}

}  // namespace anthill
