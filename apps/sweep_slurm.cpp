#include "apps/sweep_slurm.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "algos/training/file_io.hpp"
#include "apps/sweep_process.hpp"
#include "generated/slurm_template.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kDefaultMaxArraySize = 1001;

int max_array_size(const SubmitOptions& options) {
  if (options.max_array_size > 0) return options.max_array_size;
  std::istringstream lines(capture({"scontrol", "show", "config"}).output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("MaxArraySize")) continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const int size = std::atoi(line.c_str() + equals + 1);
    if (size > 1) return size;
  }
  return kDefaultMaxArraySize;
}

Json options_json(const SubmitOptions& options) {
  return {{"sbatch", options.sbatch},
          {"launcher", options.launcher},
          {"template_file", options.template_file},
          {"anthill", options.anthill},
          {"limit", options.limit},
          {"pack", options.pack},
          {"stack", options.stack},
          {"max_array_size", options.max_array_size},
          {"margin_s", options.margin_s},
          {"max_continuations", options.max_continuations}};
}

SubmitOptions options_of(const Json& json) {
  return {json.at("sbatch"),           json.at("launcher"),       json.at("template_file"),
          json.at("anthill"),          json.at("limit"),          json.at("pack"),
          json.value("stack", 1),      json.at("max_array_size"), json.at("margin_s"),
          json.at("max_continuations")};
}

Json run_json(const SweepRun& run) {
  return {{"point", run.point}, {"seed", run.seed}, {"total_env_steps", run.total_env_steps}};
}

SweepRun run_of(const Json& json) {
  return {json.at("point"), json.at("seed"), json.at("total_env_steps")};
}

/// A run, or a list of the runs of a stack.
RunGroup group_of(const Json& json) {
  if (!json.is_array()) return {run_of(json)};
  RunGroup group;
  for (const Json& run : json) group.push_back(run_of(run));
  if (group.empty()) throw std::runtime_error("an empty stack");
  return group;
}

std::string job_json(const ArrayTasks& tasks, const SubmitOptions& options) {
  Json list = Json::array();
  for (const std::vector<RunGroup>& task : tasks) {
    Json groups = Json::array();
    for (const RunGroup& group : task) {
      Json runs = Json::array();
      for (const SweepRun& run : group) runs.push_back(run_json(run));
      groups.push_back(group.size() == 1 ? runs[0] : runs);
    }
    list.push_back(groups);
  }
  const Json json = {{"version", 1}, {"options", options_json(options)}, {"tasks", list}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Also where links lead to one of the paths.
bool is_same_folder(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return a == b || fs::equivalent(a, b, error);
}

/// Makes the next folder; two submitters never get the same one.
fs::path claim_job_folder(const SweepFolder& folder) {
  make_folder(folder.jobs());
  while (true) {
    const fs::path job = next_job_folder(folder);
    std::error_code error;
    if (fs::create_directory(job, error)) return job;
    if (error)
      throw std::runtime_error(std::string("cannot make '") + job.string() +
                               "': " + error.message());
  }
}

}  // namespace

std::vector<ArrayTasks> plan_arrays(const std::vector<RunGroup>& groups,
                                    const SubmitOptions& options) {
  const auto pack = static_cast<std::size_t>(options.pack);
  // indices are below MaxArraySize
  const auto most = static_cast<std::size_t>(max_array_size(options));
  std::vector<ArrayTasks> arrays;
  for (std::size_t i = 0; i < groups.size(); i += pack) {
    if (arrays.empty() || arrays.back().size() == most) arrays.emplace_back();
    const std::size_t end = std::min(groups.size(), i + pack);
    arrays.back().emplace_back(groups.begin() + static_cast<std::ptrdiff_t>(i),
                               groups.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return arrays;
}

void check_submit_options(const SubmitOptions& options) {
  const std::vector<std::string> ours = {"array",    "chdir", "output",   "error",  "open-mode",
                                         "parsable", "wrap",  "job-name", "signal", "dependency"};
  for (const std::string& text : options.sbatch) {
    const std::string key = text.substr(0, text.find('='));
    if (key.empty() || key.starts_with('-') ||
        key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
      throw ConfigError("--set-sbatch " + text +
                        ": write a long option of sbatch without dashes: partition=gpu");
    }
    if (std::ranges::count(ours, key) > 0) {
      throw ConfigError("--set-sbatch " + text + ": submit sets --" + key + " itself");
    }
  }
}

std::vector<std::string> sbatch_command(const SweepFolder& folder, const fs::path& job,
                                        std::size_t num_tasks, const SubmitOptions& options,
                                        const std::string& after) {
  std::string array = "--array=0-" + std::to_string(num_tasks - 1);
  if (options.limit > 0) array.append("%").append(std::to_string(options.limit));
  // Slurm looks for patterns in all of the output's path: then the script writes it
  const bool plain = job.string().find_first_of("%\\") == std::string::npos;
  std::vector<std::string> command = {"sbatch",
                                      "--parsable",
                                      array,
                                      "--job-name=" + folder.name(),
                                      "--chdir=" + job.string(),
                                      plain ? "--output=task-%a.out" : "--output=/dev/null",
                                      "--open-mode=append",
                                      "--requeue",
                                      "--signal=B:USR1@" + std::to_string(options.margin_s)};
  // one limit for all arrays of the sweep: they come one behind the other
  if (!after.empty()) command.push_back("--dependency=afterany:" + after);
  for (const std::string& option : options.sbatch) command.push_back("--" + option);
  command.insert(command.end(), {(job / "script").string(), options.anthill, job.string(),
                                 options.launcher.empty() ? "exec" : "wait"});
  command.insert(command.end(), options.launcher.begin(), options.launcher.end());
  return command;
}

std::string task_script(const SubmitOptions& options) {
  return options.template_file.empty() ? kSlurmTemplate : read_file(options.template_file);
}

std::string submit_array(const SweepFolder& folder, const ArrayTasks& tasks,
                         const SubmitOptions& options, const std::string& after) {
  const fs::path job = claim_job_folder(folder);
  std::string problem;
  try {
    replace_file(job / "job.json", job_json(tasks, options), true);
    replace_file(job / "script", task_script(options), true);
    const Captured answer = capture(sbatch_command(folder, job, tasks.size(), options, after));
    const std::string id = answer.output.substr(0, answer.output.find_first_of(";\n"));
    if (answer.exit_code == 0 && !id.empty() &&
        id.find_first_not_of("0123456789") == std::string::npos) {
      replace_file(job / "job_id", id + "\n", true);
      return id;
    }
    problem = answer.exit_code == 127 ? "there is no sbatch on this machine; run it where Slurm is"
                                      : "Slurm refused the job: " + answer.errors;
  } catch (...) {
    remove_folder(job);
    throw;
  }
  remove_folder(job);
  throw std::runtime_error(problem);
}

fs::path next_job_folder(const SweepFolder& folder) {
  const std::vector<fs::path> jobs = job_folders(folder);
  const int last = jobs.empty() ? 0 : std::atoi(jobs.back().filename().c_str());
  char name[16];
  std::snprintf(name, sizeof name, "%04d", last + 1);
  return folder.jobs() / name;
}

std::vector<fs::path> job_folders(const SweepFolder& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder.jobs(), error)) {
    if (entry.is_directory(error)) found.push_back(entry.path());
  }
  std::ranges::sort(found, {}, [](const fs::path& path) {
    const std::string name = path.filename().string();
    return std::pair(name.size(), name);
  });
  return found;
}

ArrayJob read_job(const fs::path& job) {
  const fs::path file = job / "job.json";
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    throw ConfigError("'" + job.string() + "' is no array job's folder (it has no job.json)");
  }
  try {
    const Json json = Json::parse(read_file(file));
    ArrayJob found;
    found.options = options_of(json.at("options"));
    for (const Json& task : json.at("tasks")) {
      found.tasks.emplace_back();
      for (const Json& group : task) found.tasks.back().push_back(group_of(group));
    }
    return found;
  } catch (const std::exception& problem) {
    throw ConfigError("'" + file.string() + "' is damaged (" + problem.what() +
                      "); submit the sweep again");
  }
}

std::optional<std::vector<QueuedTask>> ask_queue(const SweepFolder& folder) {
  std::vector<QueuedTask> found;
  const Captured answer = capture({"squeue", "--noheader", "--array", "--user",
                                   std::to_string(::getuid()), "--format", "%F|%K|%t|%Z"});
  if (answer.exit_code != 0) return std::nullopt;
  std::istringstream lines(answer.output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::string array_id, index, state, place;
    std::getline(cells, array_id, '|');
    std::getline(cells, index, '|');
    std::getline(cells, state, '|');
    std::getline(cells, place);
    const bool is_number = !index.empty() && std::ranges::all_of(index, ::isdigit);
    if (is_number && is_same_folder(fs::path(place).parent_path(), folder.jobs())) {
      const fs::path job = folder.jobs() / fs::path(place).filename();
      found.push_back({job, array_id, state, std::atoi(index.c_str())});
    }
  }
  return found;
}

std::map<std::string, std::string> queued_runs(const std::vector<QueuedTask>& tasks) {
  std::map<std::string, std::string> found;
  std::map<fs::path, ArrayJob> jobs;
  for (const QueuedTask& task : tasks) {
    if (!jobs.contains(task.job)) jobs.emplace(task.job, read_job(task.job));
    const ArrayTasks& all = jobs.at(task.job).tasks;
    if (static_cast<std::size_t>(task.index) >= all.size()) continue;
    const std::string where =
        task.array_id + "_" + std::to_string(task.index) + " (" + task.state + ")";
    for (const RunGroup& group : all[static_cast<std::size_t>(task.index)]) {
      for (const SweepRun& run : group) found[run.name()] = where;
    }
  }
  return found;
}

}  // namespace anthill
