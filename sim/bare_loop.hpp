/// The physics of a task without anthill around it, as the measure of anthill's own cost. Used by
/// `anthill bench env` and by tests, not by training.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/env.hpp"

namespace anthill {

/// What N environments did in T steps, recorded from a VectorEnv, so that everyone can be given the
/// same work. Wider contestants tile it: their environment i plays lane i % num_envs.
struct PhysicsTape {
  std::int64_t num_envs = 0;
  std::int64_t num_steps = 0;
  std::int64_t row_size = 0;             // VectorEnv::row_size()
  std::int64_t action_dim = 0;           // A
  std::vector<double> rows;              // (T x N x row_size) state before each step
  std::vector<float> actions;            // (T x N x A) in environment units
  std::vector<std::uint8_t> first_step;  // (T x N) 1: the row is new, by autoreset or at the start

  std::int64_t lane_of(std::int64_t env) const { return env % num_envs; }
  const double* row(std::int64_t step, std::int64_t env) const {
    return rows.data() + (step * num_envs + lane_of(env)) * row_size;
  }
  const float* action(std::int64_t step, std::int64_t env) const {
    return actions.data() + (step * num_envs + lane_of(env)) * action_dim;
  }
  bool is_first_step(std::int64_t step, std::int64_t env) const {
    return first_step[static_cast<std::size_t>(step * num_envs + lane_of(env))] != 0;
  }
};

/// Steps environments 0 to num_envs - 1 (seeds) with uniform actions in the task's bounds: first
/// `warm_up_steps`, so that episodes are of all ages, then `num_steps` that are recorded. Throws
/// ConfigError.
PhysicsTape record_tape(std::shared_ptr<const Env> env, std::int64_t num_envs,
                        std::int64_t warm_up_steps, std::int64_t num_steps);

/// Plays a tape's physics. One owner thread.
class PhysicsLoop {
 public:
  virtual ~PhysicsLoop() = default;
  /// Control step `step` of the tape for every environment.
  virtual void play_step(std::int64_t step) = 0;
  /// qpos and qvel (nq + nv) of the last environment after its last step, to check that it was the
  /// same work.
  virtual std::vector<double> last_state() const = 0;
};

/// On one thread and one mjData: load the row, write ctrl, mj_step frame_skip times,
/// mj_rnePostConstraint where the task reads contact forces; nothing is saved or written. The model
/// is the task's own, with its islands off. `env` and `tape` must outlive it. Throws ConfigError
/// when the task is not MuJoCo's.
std::unique_ptr<PhysicsLoop> make_bare_loop(const Env& env, const PhysicsTape& tape,
                                            std::int64_t num_envs);

/// The same by MuJoCo's own batch API: mjb_apply on `num_threads` threads, one mjData per thread,
/// states kept in the batch, and an observation row (qpos, qvel, cfrc_ext in float32) written for
/// each environment. Throws as make_bare_loop; std::runtime_error when MuJoCo cannot make a batch.
std::unique_ptr<PhysicsLoop> make_batch_loop(const Env& env, const PhysicsTape& tape,
                                             std::int64_t num_envs, int num_threads);

}  // namespace anthill
