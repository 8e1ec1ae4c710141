/// What the host knows of every slot of the ring without reading records back. Internal to
/// buffers/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "buffers/record_layout.hpp"
#include "buffers/replay_buffer.hpp"

namespace anthill {

class SlotCounts {
 public:
  SlotCounts(std::int64_t num_slots, std::int64_t members, std::int64_t num_envs)
      : members_(members),
        num_envs_(num_envs),
        slots_(static_cast<std::size_t>(num_slots * members)),
        totals_(static_cast<std::size_t>(members)) {}

  /// Replaces what slot `slot` counts for: `flags_of(lane)`, `reward_of(lane)` are its records'.
  template <class FlagsOf, class RewardOf>
  void replace(std::int64_t slot, FlagsOf flags_of, RewardOf reward_of) {
    for (std::int64_t member = 0; member < members_; ++member) {
      Slot now;
      for (std::int64_t lane = member * num_envs_; lane < (member + 1) * num_envs_; ++lane) {
        const std::uint32_t flags = flags_of(lane);
        if (is_usable(flags, true)) ++now.held_out;
        if (!is_usable(flags, false)) continue;
        ++now.learning;
        const float reward = reward_of(lane);
        now.rewards = {std::min(now.rewards.low, reward), std::max(now.rewards.high, reward)};
      }
      Slot& before = slots_[static_cast<std::size_t>(slot * members_ + member)];
      Totals& total = totals_[static_cast<std::size_t>(member)];
      total.learning += std::int64_t{now.learning} - before.learning;
      total.held_out += std::int64_t{now.held_out} - before.held_out;
      before = now;
    }
  }

  void clear() {
    std::ranges::fill(slots_, Slot{});
    std::ranges::fill(totals_, Totals{});
  }

  std::int64_t num_learning(std::int64_t member) const { return at(member).learning; }
  std::int64_t num_held_out(std::int64_t member) const { return at(member).held_out; }

  /// Over the first `num_slots` slots.
  RewardRange reward_range(std::int64_t member, std::int64_t num_slots) const {
    RewardRange all;
    for (std::int64_t i = member; i < num_slots * members_; i += members_) {
      const RewardRange& slot = slots_[static_cast<std::size_t>(i)].rewards;
      all = {std::min(all.low, slot.low), std::max(all.high, slot.high)};
    }
    return all;
  }

 private:
  struct Slot {
    std::uint32_t learning = 0, held_out = 0;  // records
    RewardRange rewards;                       // of those that are learned from
  };
  struct Totals {
    std::int64_t learning = 0, held_out = 0;
  };
  const Totals& at(std::int64_t member) const { return totals_[static_cast<std::size_t>(member)]; }

  std::int64_t members_, num_envs_;
  std::vector<Slot> slots_;  // (num_slots x M); default where nothing is stored
  std::vector<Totals> totals_;
};

}  // namespace anthill
