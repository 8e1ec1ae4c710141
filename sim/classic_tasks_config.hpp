/// Settings of the classic control tasks: the sections [sim.pendulum], [sim.cartpole], ... Named as
/// Gymnasium's constructor arguments, with its defaults.
#pragma once

namespace anthill {

/// Options of Pendulum-v1.
struct PendulumConfig {
  double gravity = 10.0;  // Gymnasium's g, m/s^2

  bool operator==(const PendulumConfig&) const = default;
};

/// Options of CartPole-v1.
struct CartpoleConfig {
  bool sutton_barto_reward = false;

  bool operator==(const CartpoleConfig&) const = default;
};

/// Options of MountainCarContinuous-v0.
struct MountainCarContinuousConfig {
  double goal_velocity = 0.0;  // position units per control step

  bool operator==(const MountainCarContinuousConfig&) const = default;
};

}  // namespace anthill
