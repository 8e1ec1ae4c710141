// Going on from what an earlier process has written.
#include <algorithm>

#include "algos/checkpoint/checkpoint.hpp"
#include "algos/checkpoint/checkpoint_store.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace fs = std::filesystem;

constexpr const char* kDamaged = ".damaged";

std::optional<Checkpoint> CheckpointStore::open_newest(
    const std::function<void(const std::string&)>& report) const {
  std::vector<fs::path> folders = list();
  std::reverse(folders.begin(), folders.end());
  for (const fs::path& path : folders) {
    try {
      return Checkpoint::open(path);
    } catch (const DamagedCheckpoint& error) {
      report("warning: damaged checkpoint " + path.filename().string() + ": " + error.what());
    }
  }
  if (folders.empty()) return std::nullopt;
  throw ConfigError("'" + folder_.string() + "': none of " + std::to_string(folders.size()) +
                    " checkpoints verifies; restore one from a copy, or start anew with --fresh "
                    "--overwrite");
}

void CheckpointStore::continue_from(const Checkpoint& checkpoint) {
  remove_unfinished();
  std::error_code error;
  for (const fs::path& path : list()) {
    if (path.filename() <= checkpoint.folder().filename()) continue;
    fs::path aside = path;
    aside += kDamaged;
    fs::remove_all(aside, error);
    fs::rename(path, aside, error);
  }
  latest_ = checkpoint.folder();
  segments_ = checkpoint.info().segments;
}

}  // namespace anthill
