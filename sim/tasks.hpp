/// The makers of all tasks, one source file each. Every maker takes its options from its member of
/// SimConfig and throws ConfigError for values out of range, options that the version lacks, and
/// models without what the task reads. `config.max_episode_steps` 0: Gymnasium's time limit.
#pragma once

#include <memory>

#include "sim/env.hpp"
#include "sim/sim_config.hpp"

namespace anthill {

/// Gymnasium's version of a MuJoCo task. v5 fixed errors of v4 in rewards and observations.
enum class TaskVersion { v4, v5 };

/// A four-legged walker, rewarded for moving along x.
std::unique_ptr<Env> make_ant(TaskVersion version, const SimConfig& config);

/// A planar runner with six joints, which cannot fall over; rewarded for moving along x.
std::unique_ptr<Env> make_half_cheetah(TaskVersion version, const SimConfig& config);

/// A planar one-legged hopper, rewarded for moving along x and for staying upright.
std::unique_ptr<Env> make_hopper(TaskVersion version, const SimConfig& config);

/// A planar two-legged walker, rewarded for moving along x and for staying upright.
std::unique_ptr<Env> make_walker2d(TaskVersion version, const SimConfig& config);

/// A walker of 17 joints, rewarded for moving its centre of mass along x and for staying upright.
std::unique_ptr<Env> make_humanoid(TaskVersion version, const SimConfig& config);

/// The humanoid lying on its back (v5), rewarded for the height of its torso.
std::unique_ptr<Env> make_humanoid_standup(const SimConfig& config);

/// A swimmer of three links in a viscous plane (v5), rewarded for moving along x.
std::unique_ptr<Env> make_swimmer(const SimConfig& config);

/// A pole on a cart, balanced by pushing the cart.
std::unique_ptr<Env> make_inverted_pendulum(TaskVersion version, const SimConfig& config);

/// Two poles on top of each other on a cart (v5).
std::unique_ptr<Env> make_inverted_double_pendulum(const SimConfig& config);

/// A planar arm of two joints that reaches for a target (v5).
std::unique_ptr<Env> make_reacher(const SimConfig& config);

/// Pendulum-v1: swing up and balance a pendulum with limited torque.
std::unique_ptr<Env> make_pendulum(const SimConfig& config);

/// CartPole-v1: balance a pole by pushing its cart left (0) or right (1). Discrete actions.
std::unique_ptr<Env> make_cartpole(const SimConfig& config);

/// MountainCarContinuous-v0: swing an underpowered car out of a valley.
std::unique_ptr<Env> make_mountain_car_continuous(const SimConfig& config);

/// LunarLander-v3 (discrete actions) and LunarLanderContinuous-v3: land softly between the flags.
/// The time limit is at most 100,000, because a row holds that many actions.
std::unique_ptr<Env> make_lunar_lander(bool continuous, const SimConfig& config);

/// A task on a user's own MJCF file, described by `config.mjcf`. A relative path counts from the
/// working directory.
std::unique_ptr<Env> make_mjcf(const SimConfig& config);

}  // namespace anthill
