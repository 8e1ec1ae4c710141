/// The checkpoints of one run: RUN/checkpoints with LATEST, step-*-update-* and archive/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "algos/checkpoint/manifest.hpp"
#include "algos/checkpoint/named_arrays.hpp"

namespace anthill {

class Checkpoint;

/// Ends the name of a folder that is not a whole checkpoint yet, or no longer.
inline constexpr const char* kUnfinished = ".tmp";

/// Everything that one checkpoint will hold, in memory of its own: training may go on while it is
/// written.
struct CheckpointSnapshot {
  CheckpointInfo info;  // without files and segments
  NamedArrays arrays;
  std::string config_toml;
  std::int64_t rows_first = 0;  // `rows` are the vector steps [rows_first, info.end_step)
  std::vector<std::byte> rows;
  std::vector<std::filesystem::path> logs;  // files that must be on the disk before the checkpoint
};

/// One owner thread at a time; no LibTorch in it. A checkpoint appears whole, by a rename, after
/// all of it is on the disk; an older one is removed only then. Errors of the file system are
/// std::runtime_error with the path, and leave the other checkpoints as they were.
class CheckpointStore {
 public:
  /// Makes nothing. The newest `keep` checkpoints (at least 2) survive a write().
  CheckpointStore(std::filesystem::path folder, std::int64_t keep);

  /// Checkpoints that are there, oldest first; archived ones apart.
  std::vector<std::filesystem::path> list() const;

  /// Opens the newest checkpoint that verifies; nothing when there is none at all. `report` gets
  /// one line for each damaged one before it. Throws ConfigError when all are damaged, or when the
  /// newest is of another format version.
  std::optional<Checkpoint> open_newest(
      const std::function<void(const std::string&)>& report) const;

  /// `check` throws when the folder is no longer this process's: called before anything is
  /// published or removed, on the thread of write(). Set it before the first write().
  void set_owner_check(std::function<void()> check) { check_owner_ = std::move(check); }

  /// What write() may link instead of writing it again: the rows of this checkpoint, one of the
  /// folder's. Renames damaged newer ones to *.damaged, and removes what crashes left behind.
  void continue_from(const Checkpoint& checkpoint);

  /// Vector steps before this one are on the disk: a snapshot needs only the rows behind them.
  std::int64_t stored_until() const;

  /// Writes a checkpoint and returns its folder; one of the same counters is left as it is. With
  /// `archive` it is kept for good as well, in archive/. Half checkpoints do not stay: neither what
  /// this one has written when it throws, nor what processes before it left behind.
  std::filesystem::path write(const CheckpointSnapshot& snapshot, bool archive);

  const std::filesystem::path& folder() const { return folder_; }

 private:
  void write_new(const CheckpointSnapshot& snapshot, const std::string& name, bool archive);
  std::vector<ReplaySegment> link_segments(const CheckpointSnapshot& snapshot,
                                           const std::filesystem::path& to) const;
  void make_archive(const std::filesystem::path& from, const std::string& name) const;
  void publish(const std::filesystem::path& unfinished, const std::filesystem::path& target) const;
  void prune() const;
  void remove_unfinished() const noexcept;

  std::filesystem::path folder_;
  std::size_t keep_;
  std::function<void()> check_owner_ = [] {};
  std::filesystem::path latest_;  // whose segments may be linked; empty: none
  std::vector<ReplaySegment> segments_;
};

/// "step-000000012000-update-000000003000": sorts by time.
std::string checkpoint_name(const CheckpointInfo& info);

}  // namespace anthill
