/// Steps of state rows on their own: no time limit, no autoreset, any subset of lanes at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/action_scale.hpp"
#include "sim/env.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {

/// What a row of VectorEnv says about where an environment is.
struct StoredState {
  std::span<const double> state;  // (S) the task's own part, in memory of the row
  std::int64_t episode = 0;       // of the lane
  std::int64_t step = 0;          // control steps taken in it
};

/// Throws std::invalid_argument for a row that another row_identity() wrote.
StoredState stored_state(const Env& env, std::span<const double> row);

/// What one step of n lanes returns; storage of the caller. D = observation_dim.
struct RowStepResults {
  std::span<float> observation;        // (n x D) the successor's; left as it is where invalid
  std::span<double> reward;            // (n) 0 where invalid
  std::span<std::uint8_t> terminated;  // (n)
  std::span<std::uint8_t> invalid;     // (n) simulator failure, non-finite number or bad action
};

/// Where Monte-Carlo rollouts run. One owner thread; the pool (idle between calls) does the work.
class RowStepper {
 public:
  /// Allocates everything here. Throws ConfigError for a task whose physics is no row
  /// (EnvSpec::workspace_per_lane): it cannot be followed past its time limit.
  RowStepper(std::shared_ptr<const Env> env, std::int64_t num_lanes, ThreadPool& pool);

  const EnvSpec& spec() const { return env_->spec(); }
  std::int64_t num_lanes() const { return static_cast<std::int64_t>(generators_.size()); }

  /// The state of a lane (S), and a state put into one, with a new generator. Throws
  /// std::invalid_argument for another size or no such lane.
  std::span<const double> state(std::int64_t lane) const;
  void load(std::int64_t lane, std::span<const double> state, std::uint64_t seed);

  /// A first state of the task, as a reset with that seed makes it; writes its observation (D).
  void reset(std::int64_t lane, std::uint64_t seed, std::span<float> observation);

  /// One control step of `lanes` (n distinct ones); element i of everything belongs to lanes[i].
  /// `action` (n x A) is normalised. Throws std::invalid_argument when a size is wrong.
  void step(std::span<const std::int64_t> lanes, std::span<const float> action,
            const RowStepResults& results);

 private:
  struct Scratch {
    std::unique_ptr<Workspace> workspace;
    std::vector<float> action;
    std::vector<double> observation, terms;
  };

  std::span<double> row_of(std::int64_t lane);
  std::size_t checked(std::int64_t lane) const;
  void step_lane(std::size_t index, Scratch& scratch);

  std::shared_ptr<const Env> env_;
  ThreadPool& pool_;
  ActionScale action_scale_;
  std::size_t state_dim_, observation_dim_, action_dim_;
  std::vector<Scratch> scratch_;  // one per thread
  std::vector<double> states_;    // (num_lanes x S)
  std::vector<NumpyGenerator> generators_;
  // of the step in progress
  std::span<const std::int64_t> lanes_;
  std::span<const float> action_;
  RowStepResults results_;
};

}  // namespace anthill
