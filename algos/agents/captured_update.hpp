/// An update in two parts: work for the device, which can be captured once and launched often, and
/// what the host counts.
#pragma once

#include <cstdint>

#include "algos/agents/batch.hpp"

namespace anthill {

/// Agent::update() is queue() and count(1). queue() must not read a number of the host that changes
/// from update to update: such numbers are words on the device, which the queued work itself moves
/// on.
class CapturedUpdate {
 public:
  virtual ~CapturedUpdate() = default;

  /// Updates of one kind queue the same work; kind(u) is kind(u + kind_period()).
  virtual std::int64_t kind(std::int64_t /*update*/) const { return 0; }
  virtual std::int64_t kind_period() const { return 1; }

  virtual void queue(const Batch& batch, std::int64_t kind) = 0;

  /// `updates` more were queued, by queue() or by a launch of what was captured.
  virtual void count(std::int64_t updates) = 0;

  /// Where the queued work keeps the number of updates so far; in the learner's memory.
  virtual const std::int64_t* update_word() const = 0;
};

}  // namespace anthill
