/// One writer per run folder: the file owner.json, which works where file locks do not.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
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

  /// Waits until a living owner from which the folder was taken must have noticed, or is gone: call
  /// it before anything in the folder is touched. `say` gets one line when there is one. Throws
  /// FolderLost.
  void await_former(const std::function<void(const std::string&)>& say) const;

  /// Gives the folder back.
  ~RunOwner();
  RunOwner(const RunOwner&) = delete;
  RunOwner& operator=(const RunOwner&) = delete;

  /// Touches the file; cheap, call it often. Throws FolderLost once another process has taken the
  /// folder. A file system that fails is no reason to end: its errors are ignored.
  void beat();

  /// Throws FolderLost once another process has taken the folder; one small file is read. Before
  /// every batch of rows and every file that replaces another. Any thread.
  void check() const;

  static constexpr std::chrono::seconds kBeat{2}, kNoticed{5}, kStale{60};

 private:
  bool is_ours() const;
  bool is_lost() const;  // another file or none in a folder that is there

  std::filesystem::path file_;
  std::string text_;  // what the file holds while it is ours
  std::chrono::steady_clock::time_point last_beat_;
  std::string former_;           // who held the folder when it was taken by force, in words
  std::int64_t former_pid_ = 0;  // on this machine; 0: elsewhere
  std::string former_start_;
  std::chrono::steady_clock::time_point taken_at_;
};

}  // namespace anthill
