/// A sweep: one TOML file that describes many runs of one experiment.
///
///     base = "../ant_rr1.toml"           # relative to this file
///     seeds = [0, 1, 2]                  # or { from = 0, count = 3 }
///     [set]                              # for every point
///     "training.total_env_steps" = 20_000
///     [grid]                             # every combination of the values
///     "training.replay_ratio" = [1, 8]
///     [[zip]]                            # values that go together; any number of such tables
///     "actor.learning_rate" = [3e-4, 3e-3]
///     "critic.learning_rate" = [3e-4, 3e-3]
///     [[exclude]]                        # leaves out the combinations that agree with it
///     "training.replay_ratio" = 8
///     "actor.learning_rate" = 3e-3
///     [[include]]                        # one more point
///     "critic.layer_norm" = true
///
/// A *point* is a configuration without its seed; a *run* is a point with a seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "configs/experiment_file.hpp"

namespace anthill {

/// Settings that are made together, from one place of the file.
struct SweepCombination {
  std::vector<Setting> settings;
  std::string location;  // "file:line:column"
};

/// A key of [grid], or a [[zip]]: the point takes one of the rows.
struct SweepAxis {
  std::vector<SweepCombination> rows;
};

struct SweepFile {
  std::string path;
  std::string verbatim;  // its bytes
  std::string name;      // the key `name`, or the file's stem
  ExperimentFile base;
  std::vector<Setting> fixed;   // [set], then --set
  std::vector<SweepAxis> axes;  // in the order of the file; [grid] before [[zip]]
  std::vector<SweepCombination> includes;
  std::vector<SweepCombination> excludes;
  std::vector<std::int64_t> seeds;
  std::int64_t max_runs = 10'000;
  std::vector<std::string> swept_keys;  // of axes and includes, sorted
};

/// Reads a sweep and its base; `overrides` ("section.key=value") are made in every point, last.
/// Throws ConfigError, "file:line:column: what; what to do", also for a key that is swept twice.
SweepFile read_sweep(const std::string& path, const std::vector<std::string>& overrides);

struct SweepPoint {
  std::vector<Setting> settings;  // where it differs from base and [set], sorted by key
  std::string id;                 // 12 hexadecimal digits, see configs/sweep_identity.hpp
  std::string location;           // in the sweep file
};

/// All points, checked as a single run's configuration is: the product of the axes (the first one
/// slowest; without axes the base alone) less the excludes, then the includes. Throws ConfigError
/// for the first point that is refused or equals another, for an exclude that matches nothing, and,
/// before anything is expanded, for more runs than max_runs.
std::vector<SweepPoint> expand_sweep(const SweepFile& sweep);

/// The point's configuration, with the seed of the base.
ResolvedExperiment resolve_point(const SweepFile& sweep, const SweepPoint& point);

/// "layer_norm-true-replay_ratio-8.0": a point's settings for the name of a folder: letters,
/// digits and "._-", at most 60; "base" for none.
std::string short_overrides(const SweepPoint& point);

}  // namespace anthill
