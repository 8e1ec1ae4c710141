/// One run as `anthill probe` sees it: loaded checkpoint by checkpoint, never written to.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "algos/checkpoint/checkpoint.hpp"
#include "algos/training/overestimation.hpp"
#include "algos/training/trainer.hpp"

namespace anthill {

/// overestimation.csv, overestimation_states.csv and probe.json of the output folder.
class ProbeTables {
 public:
  /// `note`: the text of probe.json. Makes nothing yet; throws ConfigError when `folder` is there
  /// and is not an empty folder.
  ProbeTables(std::filesystem::path folder, std::string note);

  /// Rows of one probed checkpoint, in the file when this returns; the first call makes the folder.
  /// `origin`: the cells that say where it is from (probe_origin_metrics); the words must outlive
  /// the call. Throws std::runtime_error.
  void write(const OverestimationResult& result, const MetricRow& origin,
             const CheckpointInfo& info);

 private:
  std::filesystem::path folder_;
  std::string note_;
  ExtendedTable summary_table_, state_table_;
  std::optional<CsvLog> summary_, states_;
};

/// Checkpoints whose actor, critics or temperature take the place of the probed one's; empty: its
/// own.
struct ProbeDonors {
  std::filesystem::path actor, critic, alpha;
};

/// One owner thread.
class RunProbe {
 public:
  /// Reads the run's resolved.toml with `overrides`. `states`: kinds; empty: all that the run can
  /// give. Throws ConfigError when the run cannot be probed.
  RunProbe(const std::filesystem::path& run, const std::vector<std::string>& states,
           const std::vector<std::string>& overrides);

  /// Probes one checkpoint and writes its rows; nothing when `keep_going` said false. Throws
  /// ConfigError for a donor of another task, discount or reward scale, DamagedCheckpoint.
  void run(const std::string& name, const std::filesystem::path& checkpoint,
           const ProbeDonors& donors, ProbeTables& tables, const KeepGoing& keep_going);

 private:
  struct Donor;
  Donor load_donor(const std::filesystem::path& folder) const;
  OverestimationProbe make_probe() const;

  ExperimentConfig config_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace anthill
