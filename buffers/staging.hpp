/// The rows that environments write and the buffer uploads: pinned where there is a GPU, front and
/// back.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "sim/transition.hpp"

namespace anthill {

/// Two sets of rows. `back()` is the vector step being made: its observation is what the agent acts
/// on now. The observation to act on next goes straight into the other set
/// (`next_acting_observation`), which becomes the back after flip(): no copy. One owner thread; the
/// pool writes between begin_step and finish_step.
class Staging {
 public:
  /// L lanes in all. `pinned`: page-locked memory (CUDA builds only; throws std::runtime_error
  /// otherwise).
  Staging(std::int64_t num_lanes, std::int64_t observation_dim, std::int64_t action_dim,
          bool pinned);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  TransitionView back() const;
  std::span<float> current_observation() const { return back().observation; }
  std::span<float> next_acting_observation() const;
  void flip();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace anthill
