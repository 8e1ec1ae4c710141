/// What a task is: an immutable, thread-safe set of rules that act on a flat row of doubles.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/errors.hpp"
#include "sim/numpy_random.hpp"

namespace anthill {

/// The shape of a task. Dimensions count elements, limits count control steps.
struct EnvSpec {
  std::string name;                       // Gymnasium's id, e.g. "Ant-v5"
  std::int64_t observation_dim = 0;       // D
  std::int64_t action_dim = 0;            // A; 1 where actions are discrete
  std::int64_t num_actions = 0;           // discrete: indices 0, 1, ...; 0: continuous actions
  std::vector<float> action_low;          // (A) in environment units; discrete: 0
  std::vector<float> action_high;         // (A)                       discrete: num_actions - 1
  std::int64_t state_dim = 0;             // S: doubles in one state row
  std::int64_t max_episode_steps = 0;     // time limit; 0: none
  double control_dt = 0.0;                // seconds of simulated time per control step
  std::vector<std::string> reward_terms;  // names of the values that `step` writes into `terms`
  // the physics cannot be written as a row: each environment keeps a live world, see Workspace
  bool workspace_per_lane = false;
};

/// Scratch memory of one thread (for MuJoCo one mjData). What it holds between calls is of no
/// consequence. With EnvSpec::workspace_per_lane it is one environment's live world instead, and
/// still only a cache: a world that is not the row's is made anew from the row.
class Workspace {
 public:
  virtual ~Workspace() = default;
};

/// What one control step returned.
struct StepResult {
  double reward = 0.0;
  bool terminated = false;
  bool invalid = false;  // the simulator warned or produced a non-finite value: drop the transition
};

/// The rules of a task. Const methods may run on many threads at once, each with its own workspace.
class Env {
 public:
  virtual ~Env() = default;

  /// Shape of the task; lives as long as the Env.
  virtual const EnvSpec& spec() const = 0;

  /// The file that the task's physics was read from, so that its content can be recorded; "" when
  /// there is none.
  virtual std::string model_path() const { return ""; }

  /// What besides the task's name decides how a state row goes on, e.g. "MuJoCo 3.17.0, model
  /// 0123456789abcdef": rows are exchanged only where it is the same.
  virtual std::string physics_identity() const { return "no engine"; }

  /// A fresh workspace, owned by the caller. Thread-safe; allocates.
  virtual std::unique_ptr<Workspace> make_workspace() const = 0;

  /// Starts an episode: draws from `rng` exactly what Gymnasium's reset draws, writes the state row
  /// (S) and the first observation (D), in Gymnasium's precision (double). Does not allocate, does
  /// not throw.
  virtual void reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                     std::span<double> observation) const = 0;

  /// One control step on a state row, in place. `action` (A) is in environment units, float32 as
  /// Gymnasium's; `next_observation` (D) is the true successor; `terms` has one value per
  /// spec().reward_terms. The state row alone decides the result: the workspace's content does not.
  /// No allocation, no exception.
  virtual StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                          std::span<const float> action, std::span<double> next_observation,
                          std::span<double> terms) const = 0;
};

}  // namespace anthill
