/// Which updates are launched together. Host code alone.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "algos/agents/captured_update.hpp"

namespace anthill {

/// Updates of one learn phase: floor(replay_ratio * num_envs), at least 1 and at most 64; where
/// they hold a whole period of kinds, a multiple of it.
std::int64_t updates_per_block(double replay_ratio, std::int64_t num_envs,
                               std::int64_t kind_period);

/// The updates of one launch, by kind.
struct Launch {
  std::vector<std::int64_t> kinds;
  bool eager = false;  // not from a graph

  std::int64_t size() const { return static_cast<std::int64_t>(kinds.size()); }
};

/// Decides what comes next. The first updates of every kind are run one by one without a graph:
/// libraries make handles and workspaces then. After that come whole blocks, as long as there are
/// not too many different ones, and what is left one by one.
class LaunchSchedule {
 public:
  LaunchSchedule(const CapturedUpdate& update, std::int64_t block);

  /// What to launch when `done` updates were made and `due` (at least 1) are owed.
  Launch next(std::int64_t done, std::int64_t due);

  static constexpr std::int64_t kWarmUp = 3;     // updates of each kind
  static constexpr std::size_t kMaxBlocks = 8;   // different blocks that are captured
  static constexpr std::int64_t kMaxBlock = 64;  // updates in a block

 private:
  const CapturedUpdate& update_;
  std::int64_t block_;
  std::map<std::int64_t, std::int64_t> warm_;  // by kind: updates without a graph
  std::set<std::vector<std::int64_t>> blocks_;
};

}  // namespace anthill
