/// Settings of [sim.mjcf]: a task on a user's own MJCF file.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace anthill {

/// What env = "mjcf" observes, rewards and bounds. The quantities in `observation`, `healthy` and
/// `extra_rewards` are explained in docs/custom_mjcf.md. Defaults are Ant-v5's where it has one.
struct MjcfConfig {
  std::string model = "";  // relative paths: to the configuration file, or the working directory
  std::int64_t frame_skip = 5;
  std::vector<std::string> observation = {"qpos", "qvel"};
  std::array<double, 2> velocity_range = {-std::numeric_limits<double>::infinity(),
                                          std::numeric_limits<double>::infinity()};
  std::array<double, 2> contact_force_range = {-1.0, 1.0};
  std::string forward_body = "";  // "": the first body below the world
  std::string forward_axis = "x";
  double forward_reward_weight = 1.0;
  double ctrl_cost_weight = 0.5;
  double contact_cost_weight = 0.0;
  double healthy_reward = 1.0;
  std::vector<std::string> extra_rewards = {};
  std::vector<std::string> healthy = {};
  bool terminate_when_unhealthy = true;
  std::string reset_keyframe = "";  // "": qpos0 and no velocity
  double reset_noise_scale = 0.1;
  std::string reset_velocity_noise = "normal";

  bool operator==(const MjcfConfig&) const = default;
};

}  // namespace anthill
