/// Stacks of a sweep: runs that differ in what members may own and train in one process
/// (docs/members.md). Each keeps the run folder that it would have alone.
///
///     SWEEP/.stacks/ID/members.toml   its runs in their order: a stack goes on with these alone
///     SWEEP/.stacks/ID/run/           the stack's own run folder: status and checkpoints
///     SWEEP/.stacks/ID/stack.log      what it said
///
/// A stack is only a plan until its run folder is there. From then on its runs belong to it,
/// whatever else is asked for; a run that has begun alone goes on alone.
#pragma once

#include <filesystem>
#include <vector>

#include "apps/sweep_folder.hpp"

namespace anthill {

struct SweepStack {
  std::filesystem::path path;
  RunGroup members;

  std::string id() const { return path.filename().string(); }
  std::filesystem::path run() const { return path / "run"; }
  std::filesystem::path members_file() const { return path / "members.toml"; }
  std::filesystem::path log() const { return path / "stack.log"; }
};

/// All stacks that have begun, by id. Throws ConfigError when one's members.toml is damaged.
std::vector<SweepStack> begun_stacks(const SweepFolder& folder);

/// The groups as the files let them start: runs of a stack that has begun as that whole stack, runs
/// that have begun alone each alone, and what is left of each group together. No run twice.
std::vector<RunGroup> startable(const SweepFolder& folder, const std::vector<RunGroup>& groups);

/// `runs` as processes: what has begun as startable() says, the others in stacks of at most `most`
/// runs of one structure, as even as possible. Left out: stacks that are running.
std::vector<RunGroup> plan_groups(const SweepFolder& folder, const std::vector<SweepRun>& runs,
                                  int most);

/// Whether a process for the group would have nothing to do: all is finished or, in a stack,
/// diverged.
bool is_over(const SweepFolder& folder, const RunGroup& group);

/// What is started for a group, with files of a stack written.
struct Launch {
  std::string name;                            // "POINT/seed-3", "stack ID (8 runs)"
  std::vector<std::string> command;            // program and arguments
  std::filesystem::path log;                   // both its outputs
  std::vector<std::filesystem::path> folders;  // which its process will hold
};

/// Throws ConfigError when a stack cannot go on with all its runs, or would remove one that has
/// trained without it.
Launch launch_of(const SweepFolder& folder, const RunGroup& group);

}  // namespace anthill
