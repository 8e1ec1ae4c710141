#include "apps/probe_runs.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "algos/checkpoint/checkpoint_store.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace fs = std::filesystem;

namespace {

bool is_run(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / "resolved.toml", error) &&
         fs::is_regular_file(folder / "status.json", error);
}

/// "step-000000012000-update-000000003000" -> 12000; -1 for another name.
std::int64_t env_steps_of(const std::string& name) {
  constexpr std::string_view kPrefix = "step-";
  if (!name.starts_with(kPrefix)) return -1;
  std::int64_t value = -1;
  const char* first = name.data() + kPrefix.size();
  const auto [end, error] = std::from_chars(first, name.data() + name.size(), value);
  return error == std::errc() && *end == '-' ? value : -1;
}

std::string text_of(const std::vector<ListedCheckpoint>& listed) {
  std::string text;
  for (const ListedCheckpoint& checkpoint : listed) {
    text += (text.empty() ? "" : ", ") + std::to_string(checkpoint.env_steps);
  }
  return text;
}

void check_name(const std::string& name) {
  if (name.find_first_of(",\"\r\n") == std::string::npos) return;
  throw ConfigError("the run '" + name +
                    "' has a comma, a quote or a line end in its name, which the tables cannot "
                    "hold; rename the folder");
}

}  // namespace

std::vector<ProbedRun> find_runs(const fs::path& path) {
  std::vector<ProbedRun> runs;
  std::error_code error;
  if (is_run(path)) {
    const fs::path clean = fs::absolute(path).lexically_normal();
    runs.push_back({path, (clean.has_filename() ? clean : clean.parent_path()).filename()});
  } else if (fs::is_directory(path, error)) {
    auto entry = fs::recursive_directory_iterator(path, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      // what begins with a dot belongs to a sweep, not to a run
      if (entry->path().filename().string().starts_with('.')) entry.disable_recursion_pending();
      if (!entry->is_directory() || !is_run(entry->path())) continue;
      runs.push_back({entry->path(), entry->path().lexically_relative(path).string()});
      entry.disable_recursion_pending();
    }
    std::ranges::sort(runs, {}, &ProbedRun::name);
  }
  if (runs.empty()) {
    throw ConfigError("'" + path.string() +
                      "' is neither a run nor a folder of runs; name what `anthill train` made");
  }
  for (const ProbedRun& run : runs) check_name(run.name);
  return runs;
}

std::vector<ListedCheckpoint> list_checkpoints(const fs::path& run) {
  std::map<std::string, ListedCheckpoint> by_name;
  for (const char* place : {"checkpoints/archive", "checkpoints"}) {
    for (const fs::path& folder : CheckpointStore(run / place, 2).list()) {
      const std::string name = folder.filename().string();
      const std::int64_t env_steps = env_steps_of(name);
      if (env_steps >= 0) by_name.try_emplace(name, ListedCheckpoint{folder, env_steps});
    }
  }
  std::vector<ListedCheckpoint> listed;
  for (const auto& [name, checkpoint] : by_name) listed.push_back(checkpoint);
  return listed;
}

std::vector<std::int64_t> parse_checkpoints(const std::string& text) {
  std::vector<std::int64_t> env_steps;
  if (text == "all") return env_steps;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    std::int64_t value = -1;
    const char* last = text.data() + comma;
    const auto [end, error] = std::from_chars(text.data() + begin, last, value);
    if (error != std::errc() || end != last || value < 0) {
      throw ConfigError("--checkpoints: '" + text +
                        "' is neither \"all\" nor a list of env steps such as 10000,20000");
    }
    env_steps.push_back(value);
    begin = comma + 1;
  }
  return env_steps;
}

std::vector<ListedCheckpoint> choose_checkpoints(const fs::path& run,
                                                 const std::vector<std::int64_t>& env_steps) {
  const std::vector<ListedCheckpoint> listed = list_checkpoints(run);
  if (listed.empty()) {
    throw ConfigError("'" + run.string() +
                      "' has no checkpoint to probe; train with checkpoint.archive_period > 0");
  }
  if (env_steps.empty()) return listed;
  std::vector<ListedCheckpoint> chosen;
  for (const ListedCheckpoint& checkpoint : listed) {
    if (std::ranges::count(env_steps, checkpoint.env_steps) > 0) chosen.push_back(checkpoint);
  }
  for (const std::int64_t wanted : env_steps) {
    if (std::ranges::count(listed, wanted, &ListedCheckpoint::env_steps) > 0) continue;
    throw ConfigError("'" + run.string() + "' has no checkpoint at env step " +
                      std::to_string(wanted) + "; it has " + text_of(listed));
  }
  return chosen;
}

fs::path donor_checkpoint(const fs::path& source, std::int64_t env_steps) {
  std::error_code error;
  if (fs::is_regular_file(source / "manifest.json", error)) return source;
  if (!is_run(source)) {
    throw ConfigError("'" + source.string() +
                      "' is neither a run nor a checkpoint; name what `anthill train` made");
  }
  return choose_checkpoints(source, {env_steps}).back().folder;
}

}  // namespace anthill
