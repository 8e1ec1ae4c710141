#include "apps/render_policy.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "algos/checkpoint/checkpoint.hpp"
#include "algos/checkpoint/checkpoint_store.hpp"
#include "algos/training/policy_file.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The env steps in "step-000000012000-update-000000003000"; -1 for another name.
std::int64_t env_steps_of(const fs::path& checkpoint) {
  const std::string name = checkpoint.filename().string();
  constexpr std::size_t begin = 5;  // behind "step-"
  if (!name.starts_with("step-")) return -1;
  return whole_number(name.substr(begin, name.find('-', begin) - begin)).value_or(-1);
}

/// Oldest first; archived ones too.
std::vector<fs::path> all_checkpoints(const fs::path& run) {
  std::vector<fs::path> found;
  for (const char* place : {"checkpoints/archive", "checkpoints"}) {
    for (const fs::path& path : CheckpointStore(run / place, 2).list()) found.push_back(path);
  }
  std::ranges::stable_sort(found, {},
                           [](const fs::path& path) { return path.filename().string(); });
  return found;
}

fs::path find_checkpoint(const fs::path& run, const std::string& wanted) {
  std::error_code error;
  if (fs::exists(fs::path(wanted) / "manifest.json", error)) return wanted;
  const std::vector<fs::path> found = all_checkpoints(run);
  const std::optional<std::int64_t> steps = whole_number(wanted);
  for (auto path = found.rbegin(); path != found.rend(); ++path) {
    if (wanted == "latest" || path->filename() == wanted) return *path;
    if (steps && env_steps_of(*path) == *steps) return *path;
  }
  std::string there;
  for (const fs::path& path : found) {
    const std::string name = std::to_string(env_steps_of(path));
    if (!there.ends_with(" " + name)) there += (there.empty() ? " " : ", ") + name;
  }
  throw ConfigError("--checkpoint " + wanted + ": '" + run.string() + "' has no such checkpoint" +
                    (there.empty() ? " (it has none)" : "; it has env steps" + there));
}

}  // namespace

fs::path load_agent(const fs::path& run, const std::string& checkpoint, Agent& agent) {
  if (checkpoint.empty()) {
    load_policy(run / "policy.safetensors", agent);
    return run / "policy.safetensors";
  }
  const fs::path folder = find_checkpoint(run, checkpoint);
  agent.load(Checkpoint::open(folder).state().part("agent"));
  return folder;
}

}  // namespace anthill
