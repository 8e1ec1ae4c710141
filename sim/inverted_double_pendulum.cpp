#include <algorithm>
#include <cmath>

#include "sim/mujoco_task.hpp"

namespace anthill {
namespace {

class InvertedDoublePendulum final : public MujocoTask {
 public:
  explicit InvertedDoublePendulum(const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 protected:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;

 private:
  InvertedDoublePendulumConfig config_;
};

/// Checked before the model is loaded.
const InvertedDoublePendulumConfig& checked(const InvertedDoublePendulumConfig& config) {
  const OptionChecks checks("sim.inverted_double_pendulum", "InvertedDoublePendulum-v5");
  checks.frame_skip(config.frame_skip);
  checks.finite({{"healthy_reward", config.healthy_reward}});
  checks.reset_noise_scale(config.reset_noise_scale);
  return config;
}

InvertedDoublePendulum::InvertedDoublePendulum(const SimConfig& config)
    : MujocoTask("InvertedDoublePendulum-v5", checked(config.inverted_double_pendulum).xml_file,
                 config.inverted_double_pendulum.frame_skip, config.max_episode_steps, 1000),
      config_(config.inverted_double_pendulum) {
  require_model(model().nq == 3 && model().nv == 3 && model().nsite >= 1,
                "an inverted double pendulum needs three joints (the cart's and the poles') and a "
                "site at the tip");
  spec_.observation_dim = 9;
  spec_.reward_terms = {"reward_survive", "distance_penalty", "velocity_penalty"};
}

void InvertedDoublePendulum::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  draw_positions(rng, config_.reset_noise_scale, state);
  draw_normal_velocities(rng, config_.reset_noise_scale, state);
}

/// Observation, all float64:
///   1  the cart's position
///   2  sine of the poles' angles
///   2  cosine of the poles' angles
///   3  qvel, clipped to [-10, 10]
///   1  the constraint force on the cart, clipped to [-10, 10]
/// Source: Gymnasium's inverted_double_pendulum_v5.py, _get_obs.
void InvertedDoublePendulum::observe(const mjData& data, std::span<double> observation) const {
  observation[0] = data.qpos[0];
  for (std::size_t i = 1; i <= 2; ++i) {
    observation[i] = std::sin(data.qpos[i]);
    observation[i + 2] = std::cos(data.qpos[i]);
  }
  for (std::size_t i = 0; i < 3; ++i) observation[5 + i] = numpy_clip(data.qvel[i], -10, 10);
  observation[8] = numpy_clip(data.qfrc_constraint[0], -10, 10);
}

/// Reward, all float64; x and z are the tip's, v1 and v2 the poles' angular velocities:
///   reward_survive    healthy_reward, but 0 for the step that terminates
///   distance_penalty  -(0.01 x^2 + (z - 2)^2)
///   velocity_penalty  -(0.001 v1^2 + 0.005 v2^2)
///   reward            (survive - distance) - velocity
/// Terminated: z <= 1.
/// Source: Gymnasium's inverted_double_pendulum_v5.py, step.
StepResult InvertedDoublePendulum::step(Workspace& workspace, NumpyGenerator&,
                                        std::span<double> state, std::span<const float> action,
                                        std::span<double> next_observation,
                                        std::span<double> terms) const {
  if (!advance(workspace, state, action, next_observation)) return {.invalid = true};
  const mjData& data = data_of(workspace);
  const double x = data.site_xpos[0];
  const double z = data.site_xpos[2];
  const bool terminated = z <= 1;
  const double distance = 0.01 * numpy_square(x) + numpy_square(z - 2);
  const double speed = 1e-3 * numpy_square(data.qvel[1]) + 5e-3 * numpy_square(data.qvel[2]);
  const double survival = config_.healthy_reward * (terminated ? 0.0 : 1.0);
  terms[0] = survival;
  terms[1] = -distance;
  terms[2] = -speed;
  return {.reward = survival - distance - speed, .terminated = terminated};
}

}  // namespace

std::unique_ptr<Env> make_inverted_double_pendulum(const SimConfig& config) {
  return std::make_unique<InvertedDoublePendulum>(config);
}

}  // namespace anthill
