/// A sweep as Slurm array jobs. Programs of Slurm are called with arguments as they are; values
/// never pass through a shell.
///
///     SWEEP/.jobs/0001/job.json      what each task of the array runs, and how it was submitted
///     SWEEP/.jobs/0001/script        scripts/slurm_task
///     SWEEP/.jobs/0001/job_id        Slurm's number, once there is one
///     SWEEP/.jobs/0001/cancelled     made by `cancel`: its tasks begin no more runs
///     SWEEP/.jobs/0001/task-3.out    output of a task
///     SWEEP/.jobs/0001/task-3.json   its continuations so far
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/sweep_folder.hpp"

namespace anthill {

struct SubmitOptions {
  std::vector<std::string> sbatch;    // "partition=gpu", "exclusive": site's options
  std::vector<std::string> launcher;  // words before the command in the script; none: exec
  std::string template_file;          // own copy of scripts/slurm_task; empty: that
  std::string anthill;                // the command on the nodes
  int limit = 0;                      // tasks of an array at a time; 0: no limit
  int pack = 1;                       // processes per task, side by side
  int stack = 1;                      // runs per process, at most
  int max_array_size = 0;             // 0: as Slurm says, else 1001
  int margin_s = 180;                 // between the warning and the time limit
  int max_continuations = 100;        // of a task that the time limit stops
};

/// What one array job runs: its tasks' processes.
using ArrayTasks = std::vector<std::vector<RunGroup>>;

/// Packs processes into tasks, and tasks into arrays that Slurm accepts.
std::vector<ArrayTasks> plan_arrays(const std::vector<RunGroup>& groups,
                                    const SubmitOptions& options);

/// Throws ConfigError for an option of sbatch that submit sets itself, or that is none.
void check_submit_options(const SubmitOptions& options);

/// The command that submits an array job from the folder `job`. `after`: number of the array that
/// must end first; empty: none.
std::vector<std::string> sbatch_command(const SweepFolder& folder, const std::filesystem::path& job,
                                        std::size_t num_tasks, const SubmitOptions& options,
                                        const std::string& after);

/// The script that it submits.
std::string task_script(const SubmitOptions& options);

/// Makes the job's folder, submits it and returns Slurm's number. Throws std::runtime_error, and
/// leaves nothing behind, when Slurm refuses it.
std::string submit_array(const SweepFolder& folder, const ArrayTasks& tasks,
                         const SubmitOptions& options, const std::string& after);

/// The number that the next job's folder will have.
std::filesystem::path next_job_folder(const SweepFolder& folder);

/// All job folders, oldest first.
std::vector<std::filesystem::path> job_folders(const SweepFolder& folder);

struct ArrayJob {
  ArrayTasks tasks;
  SubmitOptions options;
};

/// Reads job.json. Throws ConfigError when it is missing or damaged.
ArrayJob read_job(const std::filesystem::path& job);

struct QueuedTask {
  std::filesystem::path job;
  std::string array_id, state;  // "12", "PD"
  int index = 0;
};

/// This user's tasks of this sweep in Slurm's queue, by whatever path it was submitted; nothing
/// where squeue is missing or the controller does not answer.
std::optional<std::vector<QueuedTask>> ask_queue(const SweepFolder& folder);

/// Their runs: "POINT/seed-3" -> "12_3 (PD)".
std::map<std::string, std::string> queued_runs(const std::vector<QueuedTask>& tasks);

}  // namespace anthill
