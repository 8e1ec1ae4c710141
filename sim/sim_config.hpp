/// Settings of the simulator: the sections [sim] and [sim.<task>].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/classic_tasks_config.hpp"
#include "sim/lunar_lander_config.hpp"
#include "sim/mjcf_config.hpp"
#include "sim/mujoco_tasks_config.hpp"

namespace anthill {

struct SimConfig {
  std::string env = "Ant-v4";
  std::int64_t num_envs = 1;
  std::int64_t num_threads = 0;        // 0: one per core of the affinity mask
  bool pin_threads = false;            // each background thread on a core of its own
  std::int64_t max_episode_steps = 0;  // 0: the task's own limit
  std::int64_t action_repeat = 1;      // control steps that an action is held
  // discrete actions 0, 1, ... on a continuous task: each an action in its units; empty: none
  std::vector<std::vector<double>> action_table = {};
  AntConfig ant = {};
  HalfCheetahConfig half_cheetah = {};
  HopperConfig hopper = {};
  Walker2dConfig walker2d = {};
  HumanoidConfig humanoid = {};
  HumanoidStandupConfig humanoid_standup = {};
  SwimmerConfig swimmer = {};
  InvertedPendulumConfig inverted_pendulum = {};
  InvertedDoublePendulumConfig inverted_double_pendulum = {};
  ReacherConfig reacher = {};
  PendulumConfig pendulum = {};
  CartpoleConfig cartpole = {};
  MountainCarContinuousConfig mountain_car_continuous = {};
  LunarLanderConfig lunar_lander = {};
  MjcfConfig mjcf = {};
};

}  // namespace anthill
