#include <algorithm>
#include <cmath>
#include <numbers>

#include "sim/classic_task.hpp"
#include "sim/number_text.hpp"
#include "sim/numpy_math.hpp"
#include "sim/tasks.hpp"

namespace anthill {
namespace {

constexpr double kMaxSpeed = 8.0;    // rad/s
constexpr float kMaxTorque = 2.0f;   // N m
constexpr double kControlDt = 0.05;  // s
constexpr double kPi = std::numbers::pi;

/// Python's %: the result has the divisor's sign.
double python_modulo(double dividend, double divisor) {
  const double remainder = std::fmod(dividend, divisor);
  if (remainder == 0) return std::copysign(0.0, divisor);
  return (remainder < 0) != (divisor < 0) ? remainder + divisor : remainder;
}

double normalised_angle(double theta) { return python_modulo(theta + kPi, 2 * kPi) - kPi; }

/// State row: | theta [rad], 0 is upright | theta's speed [rad/s] |.
class Pendulum final : public ClassicTask {
 public:
  explicit Pendulum(const SimConfig& config)
      : ClassicTask({.name = "Pendulum-v1",
                     .observation_dim = 3,
                     .action_dim = 1,
                     .action_low = {-kMaxTorque},
                     .action_high = {kMaxTorque},
                     .state_dim = 2,
                     .max_episode_steps = 200,
                     .control_dt = kControlDt,
                     .reward_terms = {}},
                    config.max_episode_steps),
        gravity_(config.pendulum.gravity) {
    if (!std::isfinite(gravity_)) {
      throw ConfigError("sim.pendulum.gravity: must be a finite number");
    }
  }

  std::string physics_identity() const override { return "gravity " + number_text(gravity_); }
  void reset(Workspace&, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override;
  StepResult step(Workspace&, NumpyGenerator&, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 private:
  double gravity_;
};

/// Observation: cos(theta), sin(theta), speed; float32 in Gymnasium, so rounded to float32 here.
void observe(std::span<const double> state, std::span<double> observation) {
  observation[0] = static_cast<float>(std::cos(state[0]));
  observation[1] = static_cast<float>(std::sin(state[0]));
  observation[2] = static_cast<float>(state[1]);
}

void Pendulum::reset(Workspace&, NumpyGenerator& rng, std::span<double> state,
                     std::span<double> observation) const {
  state[0] = rng.uniform(-kPi, kPi);
  state[1] = rng.uniform(-1.0, 1.0);
  observe(state, observation);
}

/// Reward: -(angle^2 + 0.1 * speed^2 + 0.001 * torque^2) of the state before the step, the angle in
/// [-pi, pi], the torque after clipping and its term in float32. Never terminates.
/// Source: Gymnasium's classic_control/pendulum.py, step, with mass and length 1.
StepResult Pendulum::step(Workspace&, NumpyGenerator&, std::span<double> state,
                          std::span<const float> action, std::span<double> next_observation,
                          std::span<double>) const {
  const double theta = state[0];
  const double speed = state[1];
  const float torque = std::min(std::max(action[0], -kMaxTorque), kMaxTorque);
  const float torque_cost = 0.001f * numpy_square(torque);
  const double cost = numpy_square(normalised_angle(theta)) + 0.1 * numpy_square(speed) +
                      static_cast<double>(torque_cost);

  const float torque_acceleration = 3.0f * torque;
  const double acceleration =
      3 * gravity_ / 2 * std::sin(theta) + static_cast<double>(torque_acceleration);
  const double new_speed = std::clamp(speed + acceleration * kControlDt, -kMaxSpeed, kMaxSpeed);
  state[0] = theta + new_speed * kControlDt;
  state[1] = new_speed;
  observe(state, next_observation);
  return {.reward = -cost};
}

}  // namespace

std::unique_ptr<Env> make_pendulum(const SimConfig& config) {
  return std::make_unique<Pendulum>(config);
}

}  // namespace anthill
