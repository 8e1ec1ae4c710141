/// One checkpoint of a run: a folder of files with checksums, complete or not there at all.
///
///   state.safetensors          every named array (state.hpp); any safetensors reader opens it
///   resolved.toml              the configuration of the run
///   replay-FIRST-END.rows      packed records of the vector steps FIRST to END - 1, never changed
///                              once written, and shared between checkpoints by hard links
///   manifest.json              format version, counters, and every other file's length and SHA-256
///   manifest.sha256            the manifest's own checksum, written last: `sha256sum -c` reads it
#pragma once

#include <filesystem>
#include <string>

#include "algos/checkpoint/manifest.hpp"
#include "algos/checkpoint/state.hpp"
#include "buffers/replay_buffer.hpp"

namespace anthill {

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
