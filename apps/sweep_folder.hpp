/// The folder of a sweep:
///
///     SWEEP/sweep.toml                  the sweep file as of the last run or submit
///     SWEEP/points.json                 its points and seeds
///     SWEEP/ID-short-overrides/point.toml   one point, every setting resolved: what the runs read
///     SWEEP/ID-short-overrides/seed-3/      a run folder (docs/run_folder.md)
///     SWEEP/ID-short-overrides/seed-3.log   what the run said
///     SWEEP/ID-short-overrides/seed-3.json  how its last process ended
///     SWEEP/.lock                       held by who freezes or submits it
///     SWEEP/.jobs/0001/                 an array job
///     SWEEP/.stacks/ID/                 several runs in one process (sweep_stack.hpp)
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "configs/sweep.hpp"

namespace anthill {

struct FrozenPoint {
  std::string id;
  std::string folder;                         // its name in the sweep's folder
  std::map<std::string, std::string> values;  // of every swept key, as TOML
  std::int64_t total_env_steps = 0;
  std::string structure;  // a hash of what its runs must share with others in one process
  std::string alone;      // why its runs train alone each; empty: they need not
};

struct SweepRun {
  std::string point;  // the folder's name
  std::int64_t seed = 0;
  std::int64_t total_env_steps = 0;  // 0: unknown

  bool operator==(const SweepRun& other) const {
    return point == other.point && seed == other.seed;
  }
  /// "seed-3"
  std::string seed_name() const { return "seed-" + std::to_string(seed); }
  /// "POINT/seed-3"
  std::string name() const { return point + "/" + seed_name(); }
};

/// Runs that train in one process: one alone, or the members of a stack in their order.
using RunGroup = std::vector<SweepRun>;

class SweepFolder {
 public:
  /// Writes what the runs need, and nothing that a finished or running run has written. A point
  /// whose id has a folder keeps it, whatever it is called. `write` false: only says what the
  /// folder would hold. Throws ConfigError when a frozen point
  /// is not the one its name says, or std::runtime_error when it cannot be written.
  static SweepFolder freeze(const SweepFile& sweep, const std::vector<SweepPoint>& points,
                            const std::filesystem::path& path, bool write = true);

  /// Throws ConfigError when `path` is no sweep's folder.
  static SweepFolder open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::string& name() const { return name_; }
  const std::vector<std::string>& keys() const { return keys_; }
  const std::vector<FrozenPoint>& points() const { return points_; }
  const std::vector<std::int64_t>& seeds() const { return seeds_; }

  /// Throws ConfigError when the point's settings, or a model file that they name, are no longer
  /// what its id says.
  void check_unchanged(const std::string& point_folder) const;

  /// Folders of points that were in the sweep once and are not now.
  std::vector<std::string> former_points() const;

  /// Every point with every seed; the first point's first.
  std::vector<SweepRun> runs() const;

  // the places of a run
  std::filesystem::path run_folder(const SweepRun& run) const;
  std::filesystem::path config_of(const SweepRun& run) const;
  std::filesystem::path log_of(const SweepRun& run) const;
  std::filesystem::path result_of(const SweepRun& run) const;

  std::filesystem::path jobs() const { return path_ / ".jobs"; }
  std::filesystem::path stacks() const { return path_ / ".stacks"; }

 private:
  std::filesystem::path path_;
  std::string name_;
  std::vector<std::string> keys_;
  std::vector<FrozenPoint> points_;
  std::vector<std::int64_t> seeds_;
};

/// Held while a sweep is frozen or submitted: two processes do it one after the other. Waits for
/// the other one, and says so; ends with this process at the latest. Where the file system knows no
/// locks there is none.
class SweepLock {
 public:
  /// Makes `sweep` where it is missing. Throws std::runtime_error when it cannot be written.
  explicit SweepLock(const std::filesystem::path& sweep);
  ~SweepLock();
  SweepLock(const SweepLock&) = delete;
  SweepLock& operator=(const SweepLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// runs/NAME: where a sweep goes unless its user says otherwise.
std::filesystem::path default_sweep_folder(const SweepFile& sweep);

}  // namespace anthill
