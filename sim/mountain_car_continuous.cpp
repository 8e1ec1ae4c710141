#include <cmath>

#include "sim/classic_task.hpp"
#include "sim/errors.hpp"
#include "sim/tasks.hpp"

namespace anthill {
namespace {

constexpr double kMinPosition = -1.2;
constexpr double kMaxPosition = 0.6;
constexpr double kMaxVelocity = 0.07;
constexpr double kGoalPosition = 0.45;
constexpr double kPower = 0.0015;
constexpr double kGravity = 0.0025;

/// State row: | position | velocity | 1 before the episode's first step, else 0 |. Gymnasium's
/// state is float64 up to the first step, and float32 from then on.
class MountainCarContinuous final : public ClassicTask {
 public:
  explicit MountainCarContinuous(const SimConfig& config)
      : ClassicTask({.name = "MountainCarContinuous-v0",
                     .observation_dim = 2,
                     .action_dim = 1,
                     .action_low = {-1},
                     .action_high = {1},
                     .state_dim = 3,
                     .max_episode_steps = 999,
                     .control_dt = 1.0,  // the task's own unit of time
                     .reward_terms = {}},
                    config.max_episode_steps),
        goal_velocity_(config.mountain_car_continuous.goal_velocity) {
    if (!(std::abs(goal_velocity_) <= 1000)) {
      throw ConfigError("sim.mountain_car_continuous.goal_velocity: must be in [-1000, 1000]");
    }
  }

  void reset(Workspace&, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override;
  StepResult step(Workspace&, NumpyGenerator&, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 private:
  double goal_velocity_;
};

/// One step of position and velocity in Gymnasium's precision, double or float; returns whether the
/// goal is reached. A number that was set to one of Gymnasium's constants is a Python float, which
/// takes on the precision of the NumPy number that it meets, and is a double on its own.
template <typename Real>
bool move(Real& position, Real& velocity, float action, double goal_velocity) {
  const double slope = kGravity * std::cos(static_cast<double>(3 * position));
  const bool clamped = action < -1 || action > 1;
  const double clamped_push = (action < 0 ? -1.0 : 1.0) * kPower - slope;
  const float push = action * static_cast<float>(kPower) - static_cast<float>(slope);
  velocity += clamped ? static_cast<Real>(clamped_push) : static_cast<Real>(push);

  bool fast_enough = velocity >= static_cast<Real>(goal_velocity);
  const auto set_velocity = [&](double value) {
    velocity = static_cast<Real>(value);
    fast_enough = value >= goal_velocity;
  };
  if (velocity > static_cast<Real>(kMaxVelocity)) set_velocity(kMaxVelocity);
  if (velocity < static_cast<Real>(-kMaxVelocity)) set_velocity(-kMaxVelocity);
  position += velocity;
  if (position > static_cast<Real>(kMaxPosition)) position = static_cast<Real>(kMaxPosition);
  if (position < static_cast<Real>(kMinPosition)) position = static_cast<Real>(kMinPosition);
  if (position == static_cast<Real>(kMinPosition) && velocity < 0) set_velocity(0);
  return position >= static_cast<Real>(kGoalPosition) && fast_enough;
}

/// Observation: position and velocity, float32 in Gymnasium, so rounded to float32 here.
void observe(std::span<const double> state, std::span<double> observation) {
  observation[0] = static_cast<float>(state[0]);
  observation[1] = static_cast<float>(state[1]);
}

void MountainCarContinuous::reset(Workspace&, NumpyGenerator& rng, std::span<double> state,
                                  std::span<double> observation) const {
  state[0] = rng.uniform(-0.6, -0.4);
  state[1] = 0;
  state[2] = 1;
  observe(state, observation);
}

/// Reward: -0.1 * action^2, of the action before clipping, and 100 for reaching the goal.
/// Terminated: position >= 0.45 and velocity >= goal_velocity.
/// Source: Gymnasium's classic_control/continuous_mountain_car.py, step.
StepResult MountainCarContinuous::step(Workspace&, NumpyGenerator&, std::span<double> state,
                                       std::span<const float> action,
                                       std::span<double> next_observation,
                                       std::span<double>) const {
  bool terminated = false;
  if (state[2] == 1) {
    terminated = move(state[0], state[1], action[0], goal_velocity_);
  } else {
    auto position = static_cast<float>(state[0]);
    auto velocity = static_cast<float>(state[1]);
    terminated = move(position, velocity, action[0], goal_velocity_);
    state[0] = position;
    state[1] = velocity;
  }
  observe(state, next_observation);
  state[0] = next_observation[0];
  state[1] = next_observation[1];
  state[2] = 0;
  const double square = static_cast<double>(action[0]) * static_cast<double>(action[0]);  // exact
  return {.reward = (terminated ? 100.0 : 0.0) - square * 0.1, .terminated = terminated};
}

}  // namespace

std::unique_ptr<Env> make_mountain_car_continuous(const SimConfig& config) {
  return std::make_unique<MountainCarContinuous>(config);
}

}  // namespace anthill
