#include <algorithm>

#include "sim/mujoco_task.hpp"

namespace anthill {
namespace {

class Hopper final : public MujocoTask {
 public:
  Hopper(TaskVersion version, const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 protected:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;

 private:
  bool healthy(std::span<const double> state) const;

  TaskVersion version_;
  HopperConfig config_;
  int num_skipped_ = 0;  // leading qpos that are not observed
};

/// Checked before the model is loaded.
const HopperConfig& checked(TaskVersion version, const HopperConfig& config) {
  const OptionChecks checks("sim.hopper", task_name("Hopper", version));
  if (version == TaskVersion::v4) checks.lacks_model(config);
  checks.frame_skip(config.frame_skip);
  checks.finite({{"forward_reward_weight", config.forward_reward_weight},
                 {"ctrl_cost_weight", config.ctrl_cost_weight},
                 {"healthy_reward", config.healthy_reward}});
  checks.ordered({{"healthy_state_range", config.healthy_state_range},
                  {"healthy_z_range", config.healthy_z_range},
                  {"healthy_angle_range", config.healthy_angle_range}});
  checks.reset_noise_scale(config.reset_noise_scale);
  return config;
}

Hopper::Hopper(TaskVersion version, const SimConfig& config)
    : MujocoTask(task_name("Hopper", version), checked(version, config.hopper).xml_file,
                 config.hopper.frame_skip, config.max_episode_steps, 1000),
      version_(version),
      config_(config.hopper) {
  require_model(model().nq >= 3, "a hopper needs root joints along x, along z and around y");
  num_skipped_ = config_.exclude_current_positions_from_observation ? 1 : 0;
  spec_.observation_dim = model().nq + model().nv - num_skipped_;
  spec_.reward_terms = {"reward_forward", "reward_ctrl", "reward_survive"};
}

void Hopper::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  draw_positions(rng, config_.reset_noise_scale, state);
  draw_uniform_velocities(rng, config_.reset_noise_scale, state);
}

/// Observation, all float64:
///   qpos  nq (6), without x when exclude_current_positions_from_observation
///   qvel  nv (6), clipped to [-10, 10]
/// Source: Gymnasium's hopper_v4.py and hopper_v5.py, _get_obs.
void Hopper::observe(const mjData& data, std::span<double> observation) const {
  copy_positions_and_clipped_velocities(model(), data, num_skipped_, observation.data());
}

bool Hopper::healthy(std::span<const double> state) const {
  const auto inside = [](double x, const std::array<double, 2>& range) {
    return range[0] < x && x < range[1];
  };
  // all of qpos and qvel but x and z
  const auto num_states = static_cast<std::size_t>(model().nq + model().nv);
  return inside(state[1], config_.healthy_z_range) &&
         inside(state[2], config_.healthy_angle_range) &&
         std::ranges::all_of(state.subspan(2, num_states - 2),
                             [&](double x) { return inside(x, config_.healthy_state_range); });
}

/// Reward, in float64 but for the control cost (float32, widened when it meets a float64):
///   reward_forward  forward_reward_weight * (x after - before) / control_dt
///   reward_survive  v5: healthy_reward while healthy, else 0
///                   v4: healthy_reward while healthy or when terminate_when_unhealthy, else 0
///   reward_ctrl     -ctrl_cost_weight * sum(action^2), of the action before clipping
///   reward          (forward + survive) - ctrl cost
/// Terminated: unhealthy and terminate_when_unhealthy. Healthy: z, the torso's angle and every
/// other element of qpos and qvel inside their ranges, bounds excluded.
/// Source: Gymnasium's hopper_v4.py and hopper_v5.py, step.
StepResult Hopper::step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
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

std::unique_ptr<Env> make_hopper(TaskVersion version, const SimConfig& config) {
  return std::make_unique<Hopper>(version, config);
}

}  // namespace anthill
