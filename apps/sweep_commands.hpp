/// The subcommands of `anthill sweep`. Each adds itself to the parser; when it was chosen, `chosen`
/// is set to what runs it and returns the exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <vector>

#include "apps/sweep_slurm.hpp"

namespace anthill {

using Chosen = std::function<int()>;

void add_expand_command(CLI::App& app, Chosen& chosen);   // table of points
void add_run_command(CLI::App& app, Chosen& chosen);      // on this machine
void add_status_command(CLI::App& app, Chosen& chosen);   // what the runs do
void add_collect_command(CLI::App& app, Chosen& chosen);  // one CSV
void add_resume_command(CLI::App& app, Chosen& chosen);   // what is not finished
void add_submit_command(CLI::App& app, Chosen& chosen);   // Slurm arrays
void add_cancel_command(CLI::App& app, Chosen& chosen);   // takes them back
void add_task_command(CLI::App& app, Chosen& chosen);     // one task of an array, inside of a job

/// Runs these processes on this machine, `jobs` side by side, and says how it went; returns the
/// exit code: 0 when all of them and none of `elsewhere` runs (those of other processes) are left.
int run_here(const SweepFolder& folder, const std::vector<RunGroup>& groups, int jobs,
             int elsewhere = 0);

/// Throws std::runtime_error where Slurm's controller, and not squeue, is missing.
void refuse_unknown_queue();

/// Submits these processes to Slurm and says under which numbers; returns the exit code.
int submit_groups(const SweepFolder& folder, const std::vector<RunGroup>& groups,
                  const SubmitOptions& options);

/// The option --stack K; `otherwise`: what happens without it.
void add_stack_option(CLI::App& command, int& stack, const std::string& otherwise);

/// Says which runs cannot be in a stack, and why, where one of more than one run is asked for.
void print_alone(const SweepFolder& folder, int stack);

}  // namespace anthill
