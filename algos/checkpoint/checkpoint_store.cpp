#include "algos/checkpoint/checkpoint_store.hpp"

#include <algorithm>
#include <cstdio>
#include <span>

#include "algos/checkpoint/sha256.hpp"
#include "algos/training/file_io.hpp"

namespace anthill {
namespace fs = std::filesystem;

namespace {

/// Folders called step-* without a suffix, oldest first.
std::vector<fs::path> complete_folders(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.find('.') == std::string::npos) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

StoredFile write_stored(const fs::path& folder, const std::string& name, std::string_view bytes) {
  write_new_file(folder / name, bytes);
  return {name, static_cast<std::int64_t>(bytes.size()), sha256_of(bytes)};
}

std::string_view text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string segment_name(std::int64_t first, std::int64_t end) {
  char name[80];
  std::snprintf(name, sizeof name, "replay-%012lld-%012lld.rows", static_cast<long long>(first),
                static_cast<long long>(end));
  return name;
}

StoredFile write_state(const fs::path& folder, const NamedArrays& arrays) {
  std::vector<ArrayView> views;
  for (const auto& [name, array] : arrays) {
    views.push_back({name, array.type, array.shape, array.bytes.data()});
  }
  return write_stored(folder, "state.safetensors", safetensors_bytes(views, {}));
}

}  // namespace

std::string checkpoint_name(const CheckpointInfo& info) {
  char name[80];
  std::snprintf(name, sizeof name, "step-%012lld-update-%012lld",
                static_cast<long long>(info.env_steps),
                static_cast<long long>(info.gradient_updates));
  return name;
}

CheckpointStore::CheckpointStore(fs::path folder, std::int64_t keep)
    : folder_(std::move(folder)),
      keep_(static_cast<std::size_t>(std::max<std::int64_t>(keep, 2))) {}

std::vector<fs::path> CheckpointStore::list() const { return complete_folders(folder_); }

std::int64_t CheckpointStore::stored_until() const {
  return segments_.empty() ? 0 : segments_.back().end_step();
}

/// Shares the files of the latest checkpoint that still hold rows of the ring, and writes one with
/// the new rows.
std::vector<ReplaySegment> CheckpointStore::link_segments(const CheckpointSnapshot& snapshot,
                                                          const fs::path& to) const {
  const CheckpointInfo& info = snapshot.info;
  std::vector<ReplaySegment> result;
  for (const ReplaySegment& segment : segments_) {
    const bool needed =
        segment.end_step() > info.first_step && segment.end_step() <= snapshot.rows_first;
    if (!needed) continue;
    link_or_copy(latest_ / segment.file.name, to / segment.file.name);
    result.push_back(segment);
  }
  if (snapshot.rows_first < info.end_step) {
    ReplaySegment segment{.file = write_stored(to, segment_name(snapshot.rows_first, info.end_step),
                                               text_of(snapshot.rows)),
                          .first_step = snapshot.rows_first,
                          .num_steps = info.end_step - snapshot.rows_first};
    result.push_back(std::move(segment));
  }
  return result;
}

fs::path CheckpointStore::write(const CheckpointSnapshot& snapshot, bool archive) {
  const std::string name = checkpoint_name(snapshot.info);
  const fs::path target = folder_ / name;
  if (!fs::is_directory(folder_.parent_path())) {
    throw std::runtime_error("the run folder '" + folder_.parent_path().string() + "' is gone");
  }
  make_folder(folder_);
  if (!fs::exists(latest_)) {
    latest_.clear();  // somebody removed it: all rows must be written anew
    segments_.clear();
  }
  remove_unfinished();
  try {
    if (!fs::exists(target)) {
      write_new(snapshot, name, archive);
    } else if (archive) {
      make_archive(target, name);
    }
  } catch (...) {
    remove_unfinished();  // on a full disk it would take what others free
    throw;
  }
  check_owner_();
  replace_file(folder_ / "LATEST", name + "\n", true);
  prune();
  return target;
}

void CheckpointStore::write_new(const CheckpointSnapshot& snapshot, const std::string& name,
                                bool archive) {
  if (snapshot.rows_first > std::max(stored_until(), snapshot.info.first_step)) {
    throw std::runtime_error("'" + latest_.string() + "' is gone, and with it rows of the ring");
  }
  CheckpointInfo info = snapshot.info;
  const fs::path unfinished = folder_ / (name + kUnfinished), target = folder_ / name;
  make_folder(unfinished);
  for (const fs::path& log : snapshot.logs) sync_file(log);
  info.config = write_stored(unfinished, "resolved.toml", snapshot.config_toml);
  info.state = write_state(unfinished, snapshot.arrays);
  info.segments = link_segments(snapshot, unfinished);
  const std::string manifest = manifest_text(info);
  write_new_file(unfinished / "manifest.json", manifest);
  write_new_file(unfinished / "manifest.sha256", sha256_of(manifest) + "  manifest.json\n");
  sync_folder(unfinished);
  if (archive) make_archive(unfinished, name);
  publish(unfinished, target);
  latest_ = target;
  segments_ = info.segments;
}

/// The same files once more, in archive/.
void CheckpointStore::make_archive(const fs::path& from, const std::string& name) const {
  const fs::path archive = folder_ / "archive", target = archive / name;
  if (fs::exists(target)) return;
  const fs::path unfinished = archive / (name + kUnfinished);
  make_folder(archive);
  link_folder(from, unfinished);
  publish(unfinished, target);
}

void CheckpointStore::publish(const fs::path& unfinished, const fs::path& target) const {
  check_owner_();
  move_folder(unfinished, target);
}

/// One process writes at a time: whatever is unfinished is nobody's. None that stays does harm.
void CheckpointStore::remove_unfinished() const noexcept {
  try {
    check_owner_();
    for (const fs::path& folder : {folder_, folder_ / "archive"}) {
      std::error_code error;
      std::vector<fs::path> doomed;
      for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == kUnfinished) doomed.push_back(entry.path());
      }
      for (const fs::path& path : doomed) fs::remove_all(path, error);
    }
  } catch (const std::exception&) {
    // what ended a write is the error to report
  }
}

/// Removes all but the newest; under another name first, so that none is ever found half removed.
void CheckpointStore::prune() const {
  const std::vector<fs::path> all = list();
  for (std::size_t i = 0; i + keep_ < all.size(); ++i) {
    fs::path doomed = all[i];
    doomed += kUnfinished;
    std::error_code ignored;
    fs::rename(all[i], doomed, ignored);
    fs::remove_all(doomed, ignored);
  }
}

}  // namespace anthill
