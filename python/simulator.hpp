/// A VectorEnv with storage of its own, as Python's module shows it: no Python in here.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/sim_config.hpp"
#include "sim/vector_env.hpp"

namespace anthill {

/// What one vector step or reset wrote. N = num_envs, D = observation_dim, K = number of terms.
struct SimulatorRows {
  std::vector<float> observation, next_observation;                 // (N x D)
  std::vector<double> observation_double, next_observation_double;  // (N x D), Gymnasium's
  std::vector<double> reward;                                       // (N)
  std::vector<double> terms;                                        // (N x K)
  std::vector<std::uint8_t> terminated, truncated, invalid;         // (N) 0 or 1
};

/// Environments with two sets of rows, written in turn: what a step returned stays as it is while
/// the next step runs, and until the step after that begins. One thread at a time calls.
class Simulator {
 public:
  /// Environment i is seeded with `seeds[i]`; actions are taken in environment units. Throws
  /// ConfigError as make_env() and VectorEnv do.
  Simulator(const SimConfig& config, std::span<const std::uint64_t> seeds);

  /// In a child process that was forked, the threads do not exist: what waits for them is left.
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  /// Valid until close().
  const EnvSpec& spec() const { return env_->spec(); }
  std::int64_t num_envs() const { return num_envs_; }
  int num_threads() const { return num_threads_; }

  /// Set 0 or 1; their storage stays where it is until the Simulator is destroyed.
  SimulatorRows& rows(std::size_t set) { return rows_[set]; }

  /// As VectorEnv's.
  void seed(std::int64_t lane, std::uint64_t seed) { idle_envs().seed(lane, seed); }

  /// Resets all lanes, or those where `lanes` (N) is not 0; returns the set that holds the
  /// observations of all.
  std::size_t reset(std::span<const std::uint8_t> lanes);

  /// Starts a step with `actions` (N x A) of all lanes, or of those where `held` (N) is 0; both are
  /// copied. Of a lane that is held nothing is written.
  void begin_step(std::span<const float> actions, std::span<const std::uint8_t> held);

  /// Ends it; returns the set that it wrote. A lane whose simulation failed is truncated as well as
  /// invalid: the observation is the first of a new episode.
  std::size_t finish_step();

  /// Steps with actions (T x N x A) one after the other, in the float32 rows of a training run
  /// alone: what stepping costs without Python (scripts/bench_python). Wants a reset before and
  /// after.
  void step_all(std::span<const float> actions);

  /// Of the last finished step.
  std::span<const EpisodeRecord> finished_episodes() const { return envs_->finished_episodes(); }
  std::span<const InvalidRecord> invalid_transitions() const {
    return envs_->invalid_transitions();
  }

  /// Ends the threads and frees the environments; the rows stay.
  void close();

 private:
  VectorEnv& idle_envs();
  TransitionView view_of(SimulatorRows& rows);
  std::size_t other() const { return 1 - current_; }

  std::shared_ptr<const Env> env_;
  std::int64_t num_envs_;
  int num_threads_ = 0;
  pid_t process_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<VectorEnv> envs_;
  std::array<SimulatorRows, 2> rows_;
  std::size_t current_ = 0;
  std::vector<float> action_;       // (N x A) of the step that is running
  std::vector<std::uint8_t> held_;  // (N) of the step that is running, or empty
  std::vector<float> reward_;       // (N) rounded, unused
};

}  // namespace anthill
