#include "algos/cuda_graph/launch_schedule.hpp"

#include <algorithm>
#include <cmath>

namespace anthill {

std::int64_t updates_per_block(double replay_ratio, std::int64_t num_envs,
                               std::int64_t kind_period) {
  const double earned = std::floor(replay_ratio * static_cast<double>(num_envs));
  const auto most = static_cast<double>(LaunchSchedule::kMaxBlock);
  const auto block = static_cast<std::int64_t>(std::clamp(earned, 1.0, most));
  return block >= kind_period ? block / kind_period * kind_period : block;
}

LaunchSchedule::LaunchSchedule(const CapturedUpdate& update, std::int64_t block)
    : update_(update), block_(block) {}

Launch LaunchSchedule::next(std::int64_t done, std::int64_t due) {
  Launch launch;
  for (std::int64_t i = 0; i < std::min(block_, due); ++i) {
    launch.kinds.push_back(update_.kind(done + i));
  }
  const auto is_warm = [&](std::int64_t kind) { return warm_[kind] >= kWarmUp; };
  const bool whole = launch.size() == block_ && std::ranges::all_of(launch.kinds, is_warm);
  if (whole && (blocks_.contains(launch.kinds) || blocks_.size() < kMaxBlocks)) {
    blocks_.insert(launch.kinds);
    return launch;
  }
  launch.kinds.resize(1);
  launch.eager = !is_warm(launch.kinds[0]);
  if (launch.eager) ++warm_[launch.kinds[0]];
  return launch;
}

}  // namespace anthill
