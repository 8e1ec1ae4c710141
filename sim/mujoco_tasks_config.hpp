/// Settings of the MuJoCo tasks: the sections [sim.ant], [sim.half_cheetah], ... Named as
/// Gymnasium's constructor arguments, with its defaults. What a version does not have must keep its
/// default (make_env checks).
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>

namespace anthill {

/// Ant-v4 and Ant-v5.
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

/// HalfCheetah-v4 and HalfCheetah-v5.
struct HalfCheetahConfig {
  std::string xml_file = "half_cheetah.xml";  // v5 only
  std::int64_t frame_skip = 5;                // v5 only
  double forward_reward_weight = 1.0;
  double ctrl_cost_weight = 0.1;
  double reset_noise_scale = 0.1;
  bool exclude_current_positions_from_observation = true;

  bool operator==(const HalfCheetahConfig&) const = default;
};

/// Hopper-v4 and Hopper-v5.
struct HopperConfig {
  std::string xml_file = "hopper.xml";  // v5 only
  std::int64_t frame_skip = 4;          // v5 only
  double forward_reward_weight = 1.0;
  double ctrl_cost_weight = 1e-3;
  double healthy_reward = 1.0;
  bool terminate_when_unhealthy = true;
  std::array<double, 2> healthy_state_range = {-100.0, 100.0};
  std::array<double, 2> healthy_z_range = {0.7, std::numeric_limits<double>::infinity()};
  std::array<double, 2> healthy_angle_range = {-0.2, 0.2};
  double reset_noise_scale = 5e-3;
  bool exclude_current_positions_from_observation = true;

  bool operator==(const HopperConfig&) const = default;
};

/// Walker2d-v4 and Walker2d-v5.
struct Walker2dConfig {
  std::string xml_file = "walker2d_v5.xml";  // v5 only; v4's is walker2d.xml
  std::int64_t frame_skip = 4;               // v5 only
  double forward_reward_weight = 1.0;
  double ctrl_cost_weight = 1e-3;
  double healthy_reward = 1.0;
  bool terminate_when_unhealthy = true;
  std::array<double, 2> healthy_z_range = {0.8, 2.0};
  std::array<double, 2> healthy_angle_range = {-1.0, 1.0};
  double reset_noise_scale = 5e-3;
  bool exclude_current_positions_from_observation = true;

  bool operator==(const Walker2dConfig&) const = default;
};

/// Humanoid-v4 and Humanoid-v5.
struct HumanoidConfig {
  std::string xml_file = "humanoid.xml";  // v5 only
  std::int64_t frame_skip = 5;            // v5 only
  double forward_reward_weight = 1.25;
  double ctrl_cost_weight = 0.1;
  double contact_cost_weight = 5e-7;  // v5 only
  std::array<double, 2> contact_cost_range = {-std::numeric_limits<double>::infinity(),
                                              10.0};  // v5 only
  double healthy_reward = 5.0;
  bool terminate_when_unhealthy = true;
  std::array<double, 2> healthy_z_range = {1.0, 2.0};
  double reset_noise_scale = 1e-2;
  bool exclude_current_positions_from_observation = true;
  bool include_cinert_in_observation = true;         // v5 only
  bool include_cvel_in_observation = true;           // v5 only
  bool include_qfrc_actuator_in_observation = true;  // v5 only
  bool include_cfrc_ext_in_observation = true;       // v5 only

  bool operator==(const HumanoidConfig&) const = default;
};

/// HumanoidStandup-v5, without uph_cost_weight, which Gymnasium takes and does not use.
struct HumanoidStandupConfig {
  std::string xml_file = "humanoidstandup.xml";
  std::int64_t frame_skip = 5;
  double ctrl_cost_weight = 0.1;
  double impact_cost_weight = 0.5e-6;
  std::array<double, 2> impact_cost_range = {-std::numeric_limits<double>::infinity(), 10.0};
  double reset_noise_scale = 1e-2;
  bool exclude_current_positions_from_observation = true;
  bool include_cinert_in_observation = true;
  bool include_cvel_in_observation = true;
  bool include_qfrc_actuator_in_observation = true;
  bool include_cfrc_ext_in_observation = true;

  bool operator==(const HumanoidStandupConfig&) const = default;
};

/// Swimmer-v5.
struct SwimmerConfig {
  std::string xml_file = "swimmer.xml";
  std::int64_t frame_skip = 4;
  double forward_reward_weight = 1.0;
  double ctrl_cost_weight = 1e-4;
  double reset_noise_scale = 0.1;
  bool exclude_current_positions_from_observation = true;

  bool operator==(const SwimmerConfig&) const = default;
};

/// InvertedPendulum-v4 (which has no options) and InvertedPendulum-v5.
struct InvertedPendulumConfig {
  std::string xml_file = "inverted_pendulum.xml";
  std::int64_t frame_skip = 2;
  double reset_noise_scale = 0.01;

  bool operator==(const InvertedPendulumConfig&) const = default;
};

/// InvertedDoublePendulum-v5.
struct InvertedDoublePendulumConfig {
  std::string xml_file = "inverted_double_pendulum.xml";
  std::int64_t frame_skip = 5;
  double healthy_reward = 10.0;
  double reset_noise_scale = 0.1;

  bool operator==(const InvertedDoublePendulumConfig&) const = default;
};

/// Reacher-v5.
struct ReacherConfig {
  std::string xml_file = "reacher.xml";
  std::int64_t frame_skip = 2;
  double reward_dist_weight = 1.0;
  double reward_control_weight = 1.0;

  bool operator==(const ReacherConfig&) const = default;
};

}  // namespace anthill
