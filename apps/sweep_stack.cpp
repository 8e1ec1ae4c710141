#include "apps/sweep_stack.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "algos/checkpoint/checkpoint_store.hpp"
#include "algos/training/file_io.hpp"
#include "apps/sweep_process.hpp"
#include "apps/sweep_status.hpp"
#include "configs/members.hpp"
#include "configs/sweep_identity.hpp"
#include "configs/toml_reader.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

// from SWEEP/.stacks/ID/run to SWEEP: a sweep's folder may be moved
const fs::path kToSweep = "../../..";

bool has_begun(const fs::path& run) {
  std::error_code error;
  return fs::exists(run / "status.json", error);
}

/// Whether anything is there beside what a crash left half written.
bool holds_checkpoints(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name != "archive" && !name.ends_with(kUnfinished)) return true;
  }
  return false;
}

bool has_checkpoints(const fs::path& run) {
  return holds_checkpoints(run / "checkpoints") || holds_checkpoints(run / "checkpoints/archive");
}

/// A folder that holds files of a run, but nothing to go on from.
bool must_begin_anew(const fs::path& run) { return has_begun(run) && !has_checkpoints(run); }

bool is_at_end(const fs::path& run) {
  const std::string state = run_state(run);
  return state == "finished" || state == "diverged";
}

[[noreturn]] void refuse_damaged(const fs::path& file, const std::string& folder) {
  throw ConfigError("'" + file.string() + "' is damaged: \"" + folder +
                    "\" is no run of this sweep; put the file back, or move '" +
                    file.parent_path().string() + "' away");
}

/// "../../../POINT/seed-3"
SweepRun run_of_member(const fs::path& file, const std::string& member) {
  const fs::path place = fs::path(member).lexically_relative(kToSweep);
  SweepRun run{place.parent_path().string(), -1, 0};
  const std::string seed = place.filename().string();
  if (seed.starts_with("seed-")) {
    std::from_chars(seed.data() + 5, seed.data() + seed.size(), run.seed);
  }
  if (run.seed < 0 || run.seed_name() != seed || fs::path(run.point).has_parent_path()) {
    refuse_damaged(file, member);
  }
  return run;
}

SweepStack read_stack(const fs::path& path) {
  SweepStack stack{path, {}};
  const std::string file = stack.members_file().string();
  for (const MemberTable& member : read_member_tables(read_file(file), file)) {
    stack.members.push_back(run_of_member(file, member.folder));
  }
  return stack;
}

std::string members_toml(const SweepFolder& folder, const RunGroup& runs) {
  std::vector<MemberExperiment> members;
  for (const SweepRun& run : runs) {
    const std::string seed = "run.seed=" + std::to_string(run.seed);
    members.push_back({(kToSweep / run.point / run.seed_name()).string(),
                       read_experiment(folder.config_of(run).string(), {seed})});
  }
  return write_members(members);
}

/// The stack of these runs (two or more), with its members.toml written unless it has begun.
SweepStack make_stack(const SweepFolder& folder, const RunGroup& runs) {
  std::string composition;
  for (const SweepRun& run : runs) composition += run.name() + "\n";
  const SweepStack stack{folder.stacks() / short_hash(composition), runs};
  if (has_begun(stack.run())) return stack;
  const std::string text = members_toml(folder, runs);
  make_folder(stack.path);
  replace_file(stack.members_file(), text, true);
  return stack;
}

bool is_running(const SweepFolder& folder, const RunGroup& group) {
  return std::ranges::any_of(group, [&](const SweepRun& run) {
    return report_run(folder, run).progress == RunProgress::running;
  });
}

/// Runs that have not begun, cut into groups of one structure.
void add_new_groups(const SweepFolder& folder, const RunGroup& runs, std::size_t most,
                    std::vector<RunGroup>& groups) {
  std::map<std::string, const FrozenPoint*> points;
  for (const FrozenPoint& point : folder.points()) points[point.folder] = &point;
  std::vector<std::string> order;
  std::map<std::string, RunGroup> together;
  for (const SweepRun& run : runs) {
    const auto point = points.find(run.point);
    const bool alone = most < 2 || point == points.end() || !point->second->alone.empty() ||
                       point->second->structure.empty();
    const std::string key = alone ? run.name() : point->second->structure;
    if (!together.contains(key)) order.push_back(key);
    together[key].push_back(run);
  }
  for (const std::string& key : order) {
    const RunGroup& all = together[key];
    const std::size_t count = (all.size() + most - 1) / most;
    for (std::size_t i = 0; i < count; ++i) {
      const auto place = [&](std::size_t at) {
        return all.begin() + static_cast<std::ptrdiff_t>(at * all.size() / count);
      };
      groups.emplace_back(place(i), place(i + 1));
    }
  }
}

/// Throws ConfigError for what must not be started.
void check_stack(const SweepFolder& folder, const SweepStack& stack) {
  for (const SweepRun& run : stack.members) {
    const fs::path place = folder.run_folder(run);
    if (is_at_end(stack.run()) && !is_at_end(place)) {
      throw ConfigError("stack " + stack.id() + " has ended, but not " + run.name() +
                        "; to train it again, move it and '" + stack.path.string() + "' away");
    }
    // begins anew, but never over a run that has trained alone
    if (must_begin_anew(stack.run()) && (has_checkpoints(place) || is_at_end(place))) {
      throw ConfigError("stack " + stack.id() + " has no checkpoint, and its run " + run.name() +
                        " has trained alone; move '" + stack.path.string() +
                        "' away, then its other runs begin anew");
    }
  }
}

/// `groups` without what has begun, which becomes groups of its own in `begun`.
std::vector<RunGroup> take_begun(const SweepFolder& folder, std::vector<RunGroup> groups,
                                 std::vector<RunGroup>& begun) {
  const std::vector<SweepStack> stacks = begun_stacks(folder);
  std::map<std::string, const SweepStack*> stack_of;
  for (const SweepStack& stack : stacks) {
    for (const SweepRun& run : stack.members) stack_of.emplace(run.name(), &stack);
  }
  std::set<std::string> seen;
  for (RunGroup& group : groups) {
    std::erase_if(group, [&](const SweepRun& run) {
      const auto stack = stack_of.find(run.name());
      if (stack != stack_of.end()) {
        if (seen.insert(stack->second->id()).second) begun.push_back(stack->second->members);
        return true;
      }
      if (!seen.insert(run.name()).second) return true;
      if (!has_begun(folder.run_folder(run))) return false;
      begun.push_back({run});
      return true;
    });
  }
  std::erase_if(groups, [](const RunGroup& group) { return group.empty(); });
  return groups;
}

}  // namespace

std::vector<SweepStack> begun_stacks(const SweepFolder& folder) {
  std::vector<SweepStack> stacks;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder.stacks(), error)) {
    if (has_begun(entry.path() / "run")) stacks.push_back(read_stack(entry.path()));
  }
  std::ranges::sort(stacks, {}, &SweepStack::path);
  return stacks;
}

std::vector<RunGroup> startable(const SweepFolder& folder, const std::vector<RunGroup>& groups) {
  std::vector<RunGroup> found;
  const std::vector<RunGroup> rest = take_begun(folder, groups, found);
  found.insert(found.end(), rest.begin(), rest.end());
  return found;
}

std::vector<RunGroup> plan_groups(const SweepFolder& folder, const std::vector<SweepRun>& runs,
                                  int most) {
  std::vector<RunGroup> groups;
  const std::vector<RunGroup> rest = take_begun(folder, {runs}, groups);
  std::erase_if(
      groups, [&](const RunGroup& group) { return group.size() > 1 && is_running(folder, group); });
  if (!rest.empty()) add_new_groups(folder, rest[0], static_cast<std::size_t>(most), groups);
  return groups;
}

bool is_over(const SweepFolder& folder, const RunGroup& group) {
  return std::ranges::all_of(group, [&](const SweepRun& run) {
    const std::string state = run_state(folder.run_folder(run));
    return state == "finished" || (group.size() > 1 && state == "diverged");
  });
}

Launch launch_of(const SweepFolder& folder, const RunGroup& group) {
  const SweepRun& first = group.at(0);
  for (const SweepRun& run : group) folder.check_unchanged(run.point);
  Launch launch{first.name(), {}, folder.log_of(first), {folder.run_folder(first)}};
  std::vector<std::string> settings = {"--set", "run.seed=" + std::to_string(first.seed)};
  if (group.size() > 1) {
    const SweepStack stack = make_stack(folder, group);
    check_stack(folder, stack);
    launch = {"stack " + stack.id() + " (" + std::to_string(group.size()) + " runs)",
              {},
              stack.log(),
              {stack.run()}};
    for (const SweepRun& run : group) launch.folders.push_back(folder.run_folder(run));
    settings = {"--members", stack.members_file().string()};
  }
  const fs::path& run = launch.folders[0];
  launch.command = {(program_folder() / "anthill-train").string(), folder.config_of(first).string(),
                    "--run", run.string()};
  if (must_begin_anew(run)) {
    launch.command.insert(launch.command.end(), {"--fresh", "--overwrite"});
  } else {
    launch.command.emplace_back("--resume");
  }
  launch.command.insert(launch.command.end(), settings.begin(), settings.end());
  return launch;
}

}  // namespace anthill
