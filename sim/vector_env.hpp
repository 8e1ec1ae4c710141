/// N environments of one task, stepped by a thread pool, with same-step autoreset.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/env.hpp"
#include "sim/thread_pool.hpp"
#include "sim/transition.hpp"

namespace anthill {

/// One finished episode.
struct EpisodeRecord {
  std::int64_t env = 0;         // lane
  std::int64_t episode = 0;     // number of this lane's episode, from 0
  std::int64_t length = 0;      // control steps, an invalid one at the end included
  double episode_return = 0.0;  // undiscounted sum of the valid steps' rewards, in double
  bool terminated = false;
  bool truncated = false;
  bool invalid = false;  // ended by a simulator failure or an invalid action
  // undiscounted sum of each of spec().reward_terms over the valid steps, in memory of the
  // VectorEnv: as long-lived as finished_episodes()
  std::span<const double> term_sums = {};
};

/// Why a lane's transition was marked invalid.
struct InvalidRecord {
  std::int64_t env = 0;
  std::int64_t step = 0;        // control step within the episode, from 0
  std::uint64_t seed = 0;       // the lane's seed
  bool invalid_action = false;  // not finite or no index; otherwise: the simulation failed
};

/// Optional view that receives Gymnasium's own precision; spans may be empty. Used by rollouts and
/// parity tests.
struct DoubleRows {
  std::span<double> next_observation = {};    // (N x D)
  std::span<double> acting_observation = {};  // (N x D) after autoreset
  std::span<double> reward = {};              // (N)
  std::span<double> terms = {};               // (N x num reward terms)
};

/// What a row is of, in words: format of the rows, task, size, Env::physics_identity(). Rows may be
/// exchanged where it is the same, whatever the options of reward and observation.
std::string row_identity(const Env& env);

/// Doubles in one row of VectorEnv::state(): the task's state and what a lane adds to it.
std::size_t lane_row_size(const EnvSpec& spec);

/// The hash of row_identity() that is kept in every row.
std::uint64_t row_tag(const Env& env);

/// One owner thread calls the functions; the pool's threads do the work.
class VectorEnv {
 public:
  /// One lane per seed: lane i draws from NumpyGenerator(seeds[i]), as Gymnasium's vector
  /// environments do with seeds s + i. Shares `pool` (which must outlive it, and runs one VectorEnv
  /// at a time). Allocates everything here: stepping allocates nothing. The thread that is to step
  /// a lane writes the lane's row and its own workspace first, so that on a machine with several
  /// memory nodes their pages lie near its core. Throws ConfigError without lanes or without memory
  /// for them, std::runtime_error where NumPy's generator cannot be reproduced.
  VectorEnv(std::shared_ptr<const Env> env, std::span<const std::uint64_t> seeds, ThreadPool& pool);
  ~VectorEnv();

  const EnvSpec& spec() const;
  std::int64_t num_envs() const;

  /// Starts a new episode, with the lane's generator as it is, and writes the observations to act
  /// on, [N, D] float32: in every lane, or where `lanes` (N) is given in those where it is not 0;
  /// the others go on, and their observations are left as they are.
  void reset(std::span<float> acting_observation, std::span<const std::uint8_t> lanes = {});

  /// Gives `lane` the generator of a VectorEnv that was made with `seed`. Its episode is over: it
  /// is to be reset before the next step. Between steps only (std::logic_error).
  void seed(std::int64_t lane, std::uint64_t seed);

  /// Starts one control step of every lane in the pool and returns at once. `rows.action` is read
  /// (normalised; scaled to environment units as a*scale + bias, an exact identity for bounds of
  /// +-1; discrete: the index, never scaled); the other fields but `observation` are written.
  /// `acting_observation` [N, D] receives what to act on next: the successor, or the first
  /// observation of the new episode. All storage stays in use until finish_step(). Throws
  /// std::invalid_argument when a span has the wrong size, std::logic_error before reset() or
  /// during another step.
  ///
  /// A lane whose action is not finite or, on a discrete task, no integer in [0, num_actions), or
  /// whose step warns in MuJoCo or is not finite in float32, gets invalid = 1 and zeros (reward,
  /// next_observation, terminated, truncated; a bad action is overwritten with zeros too), its
  /// episode ends and a new one begins; other lanes go on.
  ///
  /// Lanes where `held` (N, or empty) is not 0 stay as they are: nothing of theirs is written. With
  /// `end_episodes` every other episode ends with this step, as if its time were up.
  void begin_step(TransitionView rows, std::span<float> acting_observation,
                  std::span<const std::uint8_t> held = {}, bool end_episodes = false);

  /// Waits for (and helps with) the step that begin_step started.
  void finish_step();

  /// When false, `rows.action` is taken as environment units, unscaled. Default true.
  void set_scale_actions(bool scale);

  /// Receives double-precision copies of the next steps and resets, until set to {} again.
  void set_double_rows(DoubleRows rows);

  /// Episodes that ended in the last finished step, by lane. Valid until the next begin_step.
  std::span<const EpisodeRecord> finished_episodes() const;

  /// Transitions of the last finished step that were marked invalid, by lane.
  std::span<const InvalidRecord> invalid_transitions() const;

  /// Invalid transitions since construction.
  std::int64_t num_sim_warnings() const;

  /// Everything between two steps, as one flat array of N rows of row_size() doubles: state row,
  /// generator words (bit-cast), elapsed steps, episode number (-1 before the first reset), running
  /// return, tag, running sum of each reward term. A plain value: copy it, write it to a file
  /// (sim/state_file.hpp), give it to any VectorEnv of the same task, in this process or another.
  /// Between steps only (std::logic_error). To repeat the same episodes, restore what state() was
  /// before the first reset.
  ///
  /// The observation to act on is not in it: some of what is observed (contact forces) is no state.
  /// Keep it beside the row.
  std::int64_t row_size() const;
  std::span<const double> state() const;

  /// Replaces all N rows. Throws std::invalid_argument for another number of doubles, and for rows
  /// whose tag is another row_identity()'s; then nothing is changed.
  void restore(std::span<const double> rows);

  /// One lane's row of state().
  std::span<const double> row(std::int64_t lane) const;

  /// Puts a row of any lane of any VectorEnv of the same task into `lane`, which goes on from there
  /// bit for bit: its generator, its elapsed steps and its return come along; the seed in
  /// InvalidRecord stays the lane's. Other lanes are untouched. Throws as restore() does.
  void write_row(std::int64_t lane, std::span<const double> row);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace anthill
