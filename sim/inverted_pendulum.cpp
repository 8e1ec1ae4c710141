#include <cmath>

#include "sim/mujoco_task.hpp"

namespace anthill {
namespace {

constexpr double kMaxAngle = 0.2;  // rad

class InvertedPendulum final : public MujocoTask {
 public:
  InvertedPendulum(TaskVersion version, const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 protected:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;

 private:
  TaskVersion version_;
  double reset_noise_scale_;
};

/// Checked before the model is loaded.
const InvertedPendulumConfig& checked(TaskVersion version, const InvertedPendulumConfig& config) {
  const OptionChecks checks("sim.inverted_pendulum", task_name("InvertedPendulum", version));
  if (version == TaskVersion::v4) {
    checks.lacks_model(config);
    checks.lacks("reset_noise_scale", config.reset_noise_scale,
                 InvertedPendulumConfig{}.reset_noise_scale);
  }
  checks.frame_skip(config.frame_skip);
  checks.reset_noise_scale(config.reset_noise_scale);
  return config;
}

InvertedPendulum::InvertedPendulum(TaskVersion version, const SimConfig& config)
    : MujocoTask(task_name("InvertedPendulum", version),
                 checked(version, config.inverted_pendulum).xml_file,
                 config.inverted_pendulum.frame_skip, config.max_episode_steps, 1000),
      version_(version),
      reset_noise_scale_(config.inverted_pendulum.reset_noise_scale) {
  require_model(model().nq == 2 && model().nv == 2,
                "an inverted pendulum needs two joints: the cart's and the pole's");
  spec_.observation_dim = 4;
  spec_.reward_terms = {"reward_survive"};
}

void InvertedPendulum::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  draw_positions(rng, reset_noise_scale_, state);
  draw_uniform_velocities(rng, reset_noise_scale_, state);
}

/// Observation, all float64: qpos (cart's position, pole's angle), qvel.
/// Source: Gymnasium's inverted_pendulum_v4.py and inverted_pendulum_v5.py, _get_obs.
void InvertedPendulum::observe(const mjData& data, std::span<double> observation) const {
  copy_positions_and_velocities(model(), data, 0, observation.data());
}

/// Reward:
///   reward_survive  v5: 1, but 0 for the step that terminates; v4: 1
/// Terminated: the pole leans by more than 0.2 rad.
/// Source: Gymnasium's inverted_pendulum_v4.py and inverted_pendulum_v5.py, step. There a state
/// that is not finite terminates too; here its step is invalid.
StepResult InvertedPendulum::step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
                                  std::span<const float> action, std::span<double> next_observation,
                                  std::span<double> terms) const {
  if (!advance(workspace, state, action, next_observation)) return {.invalid = true};
  const bool terminated = std::abs(state[1]) > kMaxAngle;
  terms[0] = version_ == TaskVersion::v5 && terminated ? 0.0 : 1.0;
  return {.reward = terms[0], .terminated = terminated};
}

}  // namespace

std::unique_ptr<Env> make_inverted_pendulum(TaskVersion version, const SimConfig& config) {
  return std::make_unique<InvertedPendulum>(version, config);
}

}  // namespace anthill
