/// One checkpoint of a run: a folder of files with checksums, complete or not there at all.
///
///   state.safetensors          every named array (state.hpp); any safetensors reader opens it
///   resolved.toml              the configuration of the run
///   replay-FIRST-END.rows      packed records of the vector steps FIRST to END - 1, never changed
///                              once written, and shared between checkpoints by hard links
///   manifest.json              format version, counters, and every other file's length and SHA-256
///   manifest.sha256            the manifest's own checksum, written last: `sha256sum -c` reads it
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "algos/checkpoint/state.hpp"
#include "buffers/replay_buffer.hpp"

namespace anthill {

/// Changes with what the files mean.
inline constexpr std::int64_t kCheckpointVersion = 1;

/// A checkpoint whose bytes are not what was written; an older one may still be whole.
class DamagedCheckpoint : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct StoredFile {
  std::string name;  // inside of the checkpoint's folder
  std::int64_t bytes = 0;
  std::string sha256;
};

/// Rows of the replay ring. Vector steps are counted from the start of the run.
struct ReplaySegment {
  StoredFile file;
  std::int64_t first_step = 0, num_steps = 0;

  std::int64_t end_step() const { return first_step + num_steps; }
};

/// What manifest.json says.
struct CheckpointInfo {
  std::int64_t version = kCheckpointVersion;
  std::string anthill_version, saved_at;  // saved_at: ISO 8601, UTC
  std::string env;     // row_identity() of the environments: task, MuJoCo's version, model
  std::string device;  // "cpu" or "cuda": where the learner ran
  std::int64_t members = 1;
  std::int64_t env_steps = 0, gradient_updates = 0;
  double wall_time_s = 0.0;  // that the run had used
  // the ring held the vector steps [first_step, end_step), of step_bytes each
  std::int64_t first_step = 0, end_step = 0, step_bytes = 0;
  std::vector<ReplaySegment> segments;  // one after the other; the first may begin earlier
  StoredFile state, config;
};

/// manifest.json as text, and back. Parsing throws DamagedCheckpoint for anything that is no such
/// text, and ConfigError for one of another format version; `where` stands in the messages.
std::string manifest_text(const CheckpointInfo& info);
CheckpointInfo parse_manifest(std::string_view text, const std::string& where);

/// A verified checkpoint, opened for reading. A plain value.
class Checkpoint {
 public:
  /// Reads `folder` and compares every byte with its checksum. Throws DamagedCheckpoint when one
  /// differs or is missing, ConfigError for another format version.
  static Checkpoint open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  const CheckpointInfo& info() const { return info_; }
  const std::string& config_toml() const { return config_toml_; }

  /// All named arrays; parts are "trainer", "agent", "envs", "staging", "recorder". Valid while
  /// this Checkpoint lives.
  StateReader state() const { return {arrays_, (folder_ / info_.state.name).string()}; }
  const NamedArrays& arrays() const { return arrays_; }

  /// Replaces the content of `buffer` by the ring's. A larger buffer takes all of it, a smaller one
  /// keeps the newest. Throws ConfigError for a buffer of other records, std::runtime_error when a
  /// file cannot be read.
  void load_replay(ReplayBuffer& buffer) const;

 private:
  Checkpoint() = default;

  std::filesystem::path folder_;
  CheckpointInfo info_;
  std::string config_toml_;
  NamedArrays arrays_;
};

}  // namespace anthill
