/// anthill inspect: what a checkpoint or a run folder holds, and whether it verifies.
#include <cstdio>
#include <filesystem>
#include <functional>

#include "algos/checkpoint/checkpoint.hpp"
#include "algos/checkpoint/checkpoint_store.hpp"
#include "algos/training/run_folder.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

double mebibytes(double bytes) { return bytes / (1 << 20); }

/// Bytes that belong to this checkpoint alone, and all that it needs.
std::pair<double, double> disk_use(const fs::path& folder) {
  double own = 0.0, all = 0.0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto bytes = static_cast<double>(entry.file_size(error));
    all += bytes;
    if (entry.hard_link_count(error) == 1) own += bytes;
  }
  return {own, all};
}

/// One line; false when the checkpoint does not verify.
bool print_line(const fs::path& folder) {
  const std::string name = folder.filename().string();
  try {
    const Checkpoint checkpoint = Checkpoint::open(folder);
    const CheckpointInfo& info = checkpoint.info();
    const auto [own, all] = disk_use(folder);
    std::printf("  %s  verifies  %s  %lld vector steps of replay, %.1f MiB (%.1f its own)\n",
                name.c_str(), info.saved_at.c_str(),
                static_cast<long long>(info.end_step - info.first_step), mebibytes(all),
                mebibytes(own));
    return true;
  } catch (const std::runtime_error& error) {
    std::printf("  %s  DAMAGED  %s\n", name.c_str(), error.what());
    return false;
  }
}

int inspect_checkpoint(const fs::path& folder, bool arrays) {
  const Checkpoint checkpoint = Checkpoint::open(folder);
  const CheckpointInfo& info = checkpoint.info();
  std::printf(
      "%s: format version %lld, anthill %s, saved %s\n"
      "  %lld env steps, %lld gradient updates, %.1f s of wall time, learner on %s, %lld members\n"
      "  environments: %s\n"
      "  replay: vector steps %lld to %lld of %lld bytes in %zu segments\n",
      folder.string().c_str(), static_cast<long long>(info.version), info.anthill_version.c_str(),
      info.saved_at.c_str(), static_cast<long long>(info.env_steps),
      static_cast<long long>(info.gradient_updates), info.wall_time_s, info.device.c_str(),
      static_cast<long long>(info.members), info.env.c_str(),
      static_cast<long long>(info.first_step), static_cast<long long>(info.end_step),
      static_cast<long long>(info.step_bytes), info.segments.size());
  for (const auto& [name, array] : checkpoint.arrays()) {
    if (!arrays) break;
    std::string shape;
    for (const std::int64_t dim : array.shape) {
      shape += (shape.empty() ? "" : " x ") + std::to_string(dim);
    }
    std::printf("  %-44s %s [%s]\n", name.c_str(), array_type_name(array.type), shape.c_str());
  }
  std::puts("  every byte verifies");
  return kExitFinished;
}

int inspect_run(const fs::path& run) {
  const std::optional<RunState> state = run_state_of(run);
  std::printf("%s: %s\n", run.string().c_str(), state ? run_state_name(*state) : "no status.json");
  bool good = true;
  for (const char* place : {"checkpoints", "checkpoints/archive"}) {
    const CheckpointStore store(run / place, 2);
    const std::vector<fs::path> found = store.list();
    std::printf("%s: %zu\n", place, found.size());
    for (const fs::path& checkpoint : found) good = print_line(checkpoint) && good;
  }
  return good ? kExitFinished : kExitFailed;
}

int inspect(const std::string& path, bool arrays) {
  std::error_code error;
  if (fs::exists(fs::path(path) / "manifest.json", error)) return inspect_checkpoint(path, arrays);
  if (fs::is_directory(path, error)) {
    if (fs::exists(fs::path(path) / "checkpoints", error) || run_state_of(path)) {
      return inspect_run(path);
    }
  }
  throw ConfigError("'" + path +
                    "' is neither a run folder nor a checkpoint; name a folder that "
                    "`anthill train` made, or one of its checkpoints/step-*");
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  std::string path;
  bool arrays = false;
  return anthill::run_command(
      argc, argv, "inspect",
      [&](CLI::App& app) {
        app.add_option("path", path, "run folder or checkpoint")->required();
        app.add_flag("--arrays", arrays, "also list every array of a checkpoint");
      },
      [&] { return anthill::inspect(path, arrays); });
}
