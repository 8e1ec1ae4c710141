/// Settings of the simulator: the sections [sim] and [sim.<task>].
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace anthill {

/// Options of Ant-v4 and Ant-v5, named as Gymnasium's constructor arguments, with its defaults.
/// What a version does not have must keep its default (make_env checks).
struct AntConfig {
  std::string xml_file = "ant.xml";
  std::int64_t frame_skip = 5;         // v5 only
  double forward_reward_weight = 1.0;  // v5 only
  double ctrl_cost_weight = 0.5;
  double contact_cost_weight = 5e-4;
  double healthy_reward = 1.0;
  std::int64_t main_body = 1;  // v5 only
  bool terminate_when_unhealthy = true;
  std::array<double, 2> healthy_z_range = {0.2, 1.0};
  std::array<double, 2> contact_force_range = {-1.0, 1.0};
  double reset_noise_scale = 0.1;
  bool exclude_current_positions_from_observation = true;
  bool include_cfrc_ext_in_observation = true;  // v5 only
  bool use_contact_forces = false;              // v4 only

  bool operator==(const AntConfig&) const = default;
};

/// Options of Pendulum-v1.
struct PendulumConfig {
  double gravity = 10.0;  // Gymnasium's g, m/s^2

  bool operator==(const PendulumConfig&) const = default;
};

struct SimConfig {
  std::string env = "Ant-v4";
  std::int64_t num_envs = 1;
  std::int64_t num_threads = 0;        // 0: one per core of the affinity mask
  std::int64_t max_episode_steps = 0;  // 0: the task's own limit
  AntConfig ant = {};
  PendulumConfig pendulum = {};
};

}  // namespace anthill
