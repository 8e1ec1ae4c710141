#include <cmath>
#include <numbers>

#include "sim/classic_task.hpp"
#include "sim/tasks.hpp"

namespace anthill {
namespace {

constexpr double kGravity = 9.8;
constexpr double kPoleMass = 0.1;
constexpr double kTotalMass = kPoleMass + 1.0;
constexpr double kLength = 0.5;  // half of the pole's, m
constexpr double kPoleMassLength = kPoleMass * kLength;
constexpr double kForce = 10.0;
constexpr double kControlDt = 0.02;                            // s
constexpr double kMaxPosition = 2.4;                           // m
constexpr double kMaxAngle = 12 * 2 * std::numbers::pi / 360;  // rad
constexpr double kResetNoise = 0.05;

/// State row: | x [m] | its speed | theta [rad], 0 is upright | its speed |.
class Cartpole final : public ClassicTask {
 public:
  explicit Cartpole(const SimConfig& config)
      : ClassicTask({.name = "CartPole-v1",
                     .observation_dim = 4,
                     .action_dim = 1,
                     .num_actions = 2,
                     .action_low = {0},
                     .action_high = {1},
                     .state_dim = 4,
                     .max_episode_steps = 500,
                     .control_dt = kControlDt,
                     .reward_terms = {}},
                    config.max_episode_steps),
        sutton_barto_reward_(config.cartpole.sutton_barto_reward) {}

  void reset(Workspace&, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override;
  StepResult step(Workspace&, NumpyGenerator&, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 private:
  bool sutton_barto_reward_;
};

/// Observation: the state, float32 in Gymnasium, so rounded to float32 here.
void observe(std::span<const double> state, std::span<double> observation) {
  for (std::size_t i = 0; i < 4; ++i) observation[i] = static_cast<float>(state[i]);
}

void Cartpole::reset(Workspace&, NumpyGenerator& rng, std::span<double> state,
                     std::span<double> observation) const {
  for (double& value : state) value = rng.uniform(-kResetNoise, kResetNoise);
  observe(state, observation);
}

/// Action 0 pushes to the left, 1 to the right; explicit Euler in float64.
/// Reward: 1 per step; with sutton_barto_reward 0, and -1 for the step that terminates.
/// Terminated: |x| > 2.4 or |theta| > 12 degrees.
/// Source: Gymnasium's classic_control/cartpole.py, step (Barto, Sutton and Anderson, 1983).
StepResult Cartpole::step(Workspace&, NumpyGenerator&, std::span<double> state,
                          std::span<const float> action, std::span<double> next_observation,
                          std::span<double>) const {
  const double speed = state[1];
  const double theta = state[2];
  const double theta_speed = state[3];
  const double force = action[0] == 1 ? kForce : -kForce;
  const double cosine = std::cos(theta);
  const double sine = std::sin(theta);
  const double push = (force + kPoleMassLength * (theta_speed * theta_speed) * sine) / kTotalMass;
  const double theta_acceleration =
      (kGravity * sine - cosine * push) /
      (kLength * (4.0 / 3.0 - kPoleMass * (cosine * cosine) / kTotalMass));
  const double acceleration = push - kPoleMassLength * theta_acceleration * cosine / kTotalMass;

  state[0] += kControlDt * speed;
  state[1] += kControlDt * acceleration;
  state[2] += kControlDt * theta_speed;
  state[3] += kControlDt * theta_acceleration;
  observe(state, next_observation);
  const bool terminated = state[0] < -kMaxPosition || state[0] > kMaxPosition ||
                          state[2] < -kMaxAngle || state[2] > kMaxAngle;
  const double reward = sutton_barto_reward_ ? (terminated ? -1.0 : 0.0) : 1.0;
  return {.reward = reward, .terminated = terminated};
}

}  // namespace

std::unique_ptr<Env> make_cartpole(const SimConfig& config) {
  return std::make_unique<Cartpole>(config);
}

}  // namespace anthill
