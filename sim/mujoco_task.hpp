/// What Gymnasium's MuJoCo tasks share: names and limits, starts with noise, the order of a reset
/// and of a step.
#pragma once

#include <span>
#include <string>

#include "sim/mujoco_env.hpp"
#include "sim/numpy_math.hpp"
#include "sim/option_checks.hpp"
#include "sim/tasks.hpp"

namespace anthill {

/// A task whose state row is | physics | what remember() writes |. A task's constructor sets
/// observation_dim and reward_terms, adds what it remembers to state_dim, and says so when it reads
/// contact forces (cfrc_ext).
class MujocoTask : public MujocoEnv {
 public:
  void reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const final;

 protected:
  /// The limit is `max_episode_steps` when not 0, else `default_limit`.
  MujocoTask(const std::string& name, const std::string& xml_file, std::int64_t frame_skip,
             std::int64_t max_episode_steps, std::int64_t default_limit);

  /// Draws qpos and qvel of a start into the row, in the order of Gymnasium's reset_model.
  virtual void draw_start(NumpyGenerator& rng, std::span<double> state) const = 0;

  /// Keeps what the next reward needs and qpos and qvel do not tell.
  virtual void remember(const mjData&, std::span<double> /*state*/) const {}

  virtual void observe(const mjData& data, std::span<double> observation) const = 0;

  /// simulate(), remember() and observe(). False when the step is invalid.
  bool advance(Workspace& workspace, std::span<double> state, std::span<const float> action,
               std::span<double> next_observation) const;

  /// qpos0 + U(-scale, scale) per element; with `qpos` (nq) from there instead.
  void draw_positions(NumpyGenerator& rng, double scale, std::span<double> state,
                      const double* qpos = nullptr) const;

  /// U(-scale, scale), or scale * N(0, 1), per element.
  void draw_uniform_velocities(NumpyGenerator& rng, double scale, std::span<double> state) const;
  void draw_normal_velocities(NumpyGenerator& rng, double scale, std::span<double> state) const;

  static mjData& data_of(Workspace& workspace) {
    return static_cast<MujocoWorkspace&>(workspace).data();
  }

  /// Mean velocity over one control step, [m/s].
  double velocity(double before, double after) const { return (after - before) / spec_.control_dt; }

  /// Throws ConfigError "model file 'path': message" unless the model has what the task reads.
  void require_model(bool condition, const std::string& message) const;
};

/// What a step earns for health: `healthy_reward` while healthy, else 0. v4 also pays it to the
/// unhealthy where that ends the episode.
inline double survive_reward(TaskVersion version, bool is_healthy, bool terminate_when_unhealthy,
                             double healthy_reward) {
  const bool is_paid = is_healthy || (version == TaskVersion::v4 && terminate_when_unhealthy);
  return (is_paid ? 1.0 : 0.0) * healthy_reward;
}

/// Copies qpos without its first `num_skipped` elements, then qvel; returns the end.
double* copy_positions_and_velocities(const mjModel& model, const mjData& data, int num_skipped,
                                      double* out);

/// The same with the velocities clipped to [-10, 10].
double* copy_positions_and_clipped_velocities(const mjModel& model, const mjData& data,
                                              int num_skipped, double* out);

}  // namespace anthill
