/// One writer per run folder: the file owner.json, which works where file locks do not.
#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace anthill {

/// This machine's name.
std::string host_name();

/// The id of the batch job that this process belongs to (Slurm, PBS, LSF, Grid Engine); "" outside
/// of one.
std::string batch_job();

/// Another process has taken the folder: this one must not write another byte into it.
class FolderLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// While it lives, the folder is this process's: owner.json names host, process and batch job, and
/// is touched every few seconds. One owner thread.
///
/// An owner is gone when its process is (on this machine), or when its file was not touched for a
/// minute of the file system's own clock (elsewhere); then the folder is taken over.
class RunOwner {
 public:
  /// Takes the existing folder `run`; `force`: whoever holds it. Throws ConfigError that names the
  /// owner, or says why the folder cannot be written.
  RunOwner(const std::filesystem::path& run, bool force);

  /// Gives the folder back.
  ~RunOwner();
  RunOwner(const RunOwner&) = delete;
  RunOwner& operator=(const RunOwner&) = delete;

  /// Touches the file; cheap, call it often. Throws FolderLost once another process has taken the
  /// folder. A file system that fails is no reason to end: its errors are ignored.
  void beat();

  static constexpr std::chrono::seconds kBeat{2}, kStale{60};

 private:
  bool is_ours() const;

  std::filesystem::path file_;
  std::string text_;  // what the file holds while it is ours
  std::chrono::steady_clock::time_point last_beat_;
};

}  // namespace anthill
