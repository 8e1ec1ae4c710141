#include "sim/mujoco_task.hpp"

namespace anthill {
namespace {

class Walker2d final : public MujocoTask {
 public:
  Walker2d(TaskVersion version, const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 protected:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;

 private:
  bool healthy(std::span<const double> state) const;

  TaskVersion version_;
  Walker2dConfig config_;
  int num_skipped_ = 0;  // leading qpos that are not observed
};

/// The model's file; the options are checked before it is loaded.
std::string checked_model(TaskVersion version, const Walker2dConfig& config) {
  const OptionChecks checks("sim.walker2d", task_name("Walker2d", version));
  const bool is_v4 = version == TaskVersion::v4;
  if (is_v4) checks.lacks_model(config);
  checks.frame_skip(config.frame_skip);
  checks.finite({{"forward_reward_weight", config.forward_reward_weight},
                 {"ctrl_cost_weight", config.ctrl_cost_weight},
                 {"healthy_reward", config.healthy_reward}});
  checks.ordered({{"healthy_z_range", config.healthy_z_range},
                  {"healthy_angle_range", config.healthy_angle_range}});
  checks.reset_noise_scale(config.reset_noise_scale);
  return is_v4 ? "walker2d.xml" : config.xml_file;
}

Walker2d::Walker2d(TaskVersion version, const SimConfig& config)
    : MujocoTask(task_name("Walker2d", version), checked_model(version, config.walker2d),
                 config.walker2d.frame_skip, config.max_episode_steps, 1000),
      version_(version),
      config_(config.walker2d) {
  require_model(model().nq >= 3, "a walker needs root joints along x, along z and around y");
  num_skipped_ = config_.exclude_current_positions_from_observation ? 1 : 0;
  spec_.observation_dim = model().nq + model().nv - num_skipped_;
  spec_.reward_terms = {"reward_forward", "reward_ctrl", "reward_survive"};
}

void Walker2d::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  draw_positions(rng, config_.reset_noise_scale, state);
  draw_uniform_velocities(rng, config_.reset_noise_scale, state);
}

/// Observation, all float64:
///   qpos  nq (9), without x when exclude_current_positions_from_observation
///   qvel  nv (9), clipped to [-10, 10]
/// Source: Gymnasium's walker2d_v4.py and walker2d_v5.py, _get_obs.
void Walker2d::observe(const mjData& data, std::span<double> observation) const {
  copy_positions_and_clipped_velocities(model(), data, num_skipped_, observation.data());
}

bool Walker2d::healthy(std::span<const double> state) const {
  const auto& [z_low, z_high] = config_.healthy_z_range;
  const auto& [angle_low, angle_high] = config_.healthy_angle_range;
  return z_low < state[1] && state[1] < z_high && angle_low < state[2] && state[2] < angle_high;
}

/// Reward, in float64 but for the control cost (float32, widened when it meets a float64):
///   reward_forward  forward_reward_weight * (x after - before) / control_dt
///   reward_survive  v5: healthy_reward while healthy, else 0
///                   v4: healthy_reward while healthy or when terminate_when_unhealthy, else 0
///   reward_ctrl     -ctrl_cost_weight * sum(action^2), of the action before clipping
///   reward          (forward + survive) - ctrl cost
/// Terminated: unhealthy and terminate_when_unhealthy. Healthy: z and the torso's angle inside
/// their ranges, bounds excluded.
/// Source: Gymnasium's walker2d_v4.py and walker2d_v5.py, step. v4 uses another model, whose feet
/// differ in friction.
StepResult Walker2d::step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
                          std::span<const float> action, std::span<double> next_observation,
                          std::span<double> terms) const {
  const double x_before = state[0];
  if (!advance(workspace, state, action, next_observation)) return {.invalid = true};
  const bool is_healthy = healthy(state);
  const double forward_reward = config_.forward_reward_weight * velocity(x_before, state[0]);
  const double survival = survive_reward(version_, is_healthy, config_.terminate_when_unhealthy,
                                         config_.healthy_reward);
  const double ctrl_cost = numpy_control_cost(config_.ctrl_cost_weight, action);
  terms[0] = forward_reward;
  terms[1] = -ctrl_cost;
  terms[2] = survival;
  return {.reward = (forward_reward + survival) - ctrl_cost,
          .terminated = !is_healthy && config_.terminate_when_unhealthy};
}

}  // namespace

std::unique_ptr<Env> make_walker2d(TaskVersion version, const SimConfig& config) {
  return std::make_unique<Walker2d>(version, config);
}

}  // namespace anthill
