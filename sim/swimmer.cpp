#include "sim/mujoco_task.hpp"

namespace anthill {
namespace {

class Swimmer final : public MujocoTask {
 public:
  explicit Swimmer(const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 protected:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;

 private:
  SwimmerConfig config_;
  int num_skipped_ = 0;  // leading qpos that are not observed
};

/// Checked before the model is loaded.
const SwimmerConfig& checked(const SwimmerConfig& config) {
  const OptionChecks checks("sim.swimmer", "Swimmer-v5");
  checks.frame_skip(config.frame_skip);
  checks.finite({{"forward_reward_weight", config.forward_reward_weight},
                 {"ctrl_cost_weight", config.ctrl_cost_weight}});
  checks.reset_noise_scale(config.reset_noise_scale);
  return config;
}

Swimmer::Swimmer(const SimConfig& config)
    : MujocoTask("Swimmer-v5", checked(config.swimmer).xml_file, config.swimmer.frame_skip,
                 config.max_episode_steps, 1000),
      config_(config.swimmer) {
  require_model(model().nq >= 2, "a swimmer needs joints that move it along x and y");
  num_skipped_ = config_.exclude_current_positions_from_observation ? 2 : 0;
  spec_.observation_dim = model().nq + model().nv - num_skipped_;
  spec_.reward_terms = {"reward_forward", "reward_ctrl"};
}

void Swimmer::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  draw_positions(rng, config_.reset_noise_scale, state);
  draw_uniform_velocities(rng, config_.reset_noise_scale, state);
}

/// Observation, all float64:
///   qpos  nq (5), without x and y when exclude_current_positions_from_observation
///   qvel  nv (5)
/// Source: Gymnasium's swimmer_v5.py, _get_obs.
void Swimmer::observe(const mjData& data, std::span<double> observation) const {
  copy_positions_and_velocities(model(), data, num_skipped_, observation.data());
}

/// Reward, in float64 but for the control cost (float32, widened when it meets a float64):
///   reward_forward  forward_reward_weight * (x after - before) / control_dt
///   reward_ctrl     -ctrl_cost_weight * sum(action^2), of the action before clipping
///   reward          forward - ctrl cost
/// Never terminates.
/// Source: Gymnasium's swimmer_v5.py, step.
StepResult Swimmer::step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
                         std::span<const float> action, std::span<double> next_observation,
                         std::span<double> terms) const {
  const double x_before = state[0];
  if (!advance(workspace, state, action, next_observation)) return {.invalid = true};
  const double forward_reward = config_.forward_reward_weight * velocity(x_before, state[0]);
  const double ctrl_cost = numpy_control_cost(config_.ctrl_cost_weight, action);
  terms[0] = forward_reward;
  terms[1] = -ctrl_cost;
  return {.reward = forward_reward - ctrl_cost};
}

}  // namespace

std::unique_ptr<Env> make_swimmer(const SimConfig& config) {
  return std::make_unique<Swimmer>(config);
}

}  // namespace anthill
