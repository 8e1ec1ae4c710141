#include "configs/section_table.hpp"
#include "configs/task_fields.hpp"

namespace anthill {
namespace {

// Gymnasium's v4 always uses its own model and number of simulation steps
constexpr const char* kV5Only = " (v5 only)";

template <class Table, class Config>
void add_xml_file(Table& table, Config /*only its type counts*/, const std::string& note = "") {
  table.add_name_or_path("xml_file", &Config::xml_file,
                         "The model: a bare name is one of Gymnasium's files, a path starts with "
                         "/ or . and counts from this file" +
                             note + ".");
}

template <class Table, class Config>
void add_frame_skip(Table& table, Config, const std::string& note = "") {
  table.add("frame_skip", &Config::frame_skip, between(1, 1000), "simulation steps",
            "Simulation steps per control step" + note + ".");
}

template <class Table, class Config>
void add_reset_noise(Table& table, Config, const std::string& note = "") {
  table.add("reset_noise_scale", &Config::reset_noise_scale, at_least(0), "",
            "Scale of the noise on the initial state" + note + ".");
}

template <class Table, class Config>
void add_forward_and_control(Table& table, Config, const std::string& note = "") {
  table.add("forward_reward_weight", &Config::forward_reward_weight, kAny, "",
            "Weight of the forward velocity in the reward" + note + ".");
  table.add("ctrl_cost_weight", &Config::ctrl_cost_weight, kAny, "",
            "Weight of the squared action in the cost.");
}

template <class Table, class Config>
void add_health(Table& table, Config) {
  table.add("healthy_reward", &Config::healthy_reward, kAny, "",
            "Reward for every step in which the robot is healthy.");
  table.add("terminate_when_unhealthy", &Config::terminate_when_unhealthy,
            "End the episode when the robot is no longer healthy.");
}

template <class Table, class Struct>
void add_range(Table& table, const char* name, std::array<double, 2> Struct::*member,
               const char* unit, const char* doc) {
  table.add(name, member, kAnyOrInfinite, unit, doc);
}

template <class Table, class Config>
void add_excluded_positions(Table& table, Config, const char* positions) {
  table.add("exclude_current_positions_from_observation",
            &Config::exclude_current_positions_from_observation,
            std::string("Leave the root's ") + positions + " out of the observation.");
}

template <class Table, class Config>
void add_humanoid_observation(Table& table, Config, const std::string& note = "") {
  add_excluded_positions(table, Config{}, "x and y");
  table.add("include_cinert_in_observation", &Config::include_cinert_in_observation,
            "Put the bodies' inertias into the observation" + note + ".");
  table.add("include_cvel_in_observation", &Config::include_cvel_in_observation,
            "Put the bodies' velocities into the observation" + note + ".");
  table.add("include_qfrc_actuator_in_observation", &Config::include_qfrc_actuator_in_observation,
            "Put the actuators' forces into the observation" + note + ".");
  table.add("include_cfrc_ext_in_observation", &Config::include_cfrc_ext_in_observation,
            "Put the contact forces into the observation" + note + ".");
}

void add_ant(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim.ant", [](auto& config) -> auto& { return config.sim.ant; });
  add_xml_file(table, AntConfig{});
  add_frame_skip(table, AntConfig{}, kV5Only);
  add_forward_and_control(table, AntConfig{}, kV5Only);
  table.add("contact_cost_weight", &AntConfig::contact_cost_weight, kAny, "",
            "Weight of the squared contact forces in the cost.");
  table.add("main_body", &AntConfig::main_body, between(0, 10'000), "body index",
            "Body whose velocity is rewarded (v5 only).");
  add_health(table, AntConfig{});
  add_range(table, "healthy_z_range", &AntConfig::healthy_z_range, "m",
            "Lowest and highest height of the torso, both inclusive, at which the Ant is healthy.");
  add_range(table, "contact_force_range", &AntConfig::contact_force_range, "N, N m",
            "Contact forces and torques are clipped to this range.");
  add_reset_noise(table, AntConfig{});
  add_excluded_positions(table, AntConfig{}, "x and y");
  table.add("include_cfrc_ext_in_observation", &AntConfig::include_cfrc_ext_in_observation,
            "Put the contact forces into the observation (v5 only).");
  table.add("use_contact_forces", &AntConfig::use_contact_forces,
            "Put the contact forces into the observation and the cost (v4 only).");
}

void add_half_cheetah(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim.half_cheetah", [](auto& config) -> auto& { return config.sim.half_cheetah; });
  add_xml_file(table, HalfCheetahConfig{}, kV5Only);
  add_frame_skip(table, HalfCheetahConfig{}, kV5Only);
  add_forward_and_control(table, HalfCheetahConfig{});
  add_reset_noise(table, HalfCheetahConfig{});
  add_excluded_positions(table, HalfCheetahConfig{}, "x");
}

void add_hopper(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim.hopper", [](auto& config) -> auto& { return config.sim.hopper; });
  add_xml_file(table, HopperConfig{}, kV5Only);
  add_frame_skip(table, HopperConfig{}, kV5Only);
  add_forward_and_control(table, HopperConfig{});
  add_health(table, HopperConfig{});
  add_range(table, "healthy_state_range", &HopperConfig::healthy_state_range, "",
            "Bounds, both exclusive, of all of qpos and qvel but x and z in a healthy state.");
  add_range(table, "healthy_z_range", &HopperConfig::healthy_z_range, "m",
            "Bounds, both exclusive, of the torso's height in a healthy state.");
  add_range(table, "healthy_angle_range", &HopperConfig::healthy_angle_range, "rad",
            "Bounds, both exclusive, of the torso's angle in a healthy state.");
  add_reset_noise(table, HopperConfig{});
  add_excluded_positions(table, HopperConfig{}, "x");
}

void add_walker2d(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim.walker2d", [](auto& config) -> auto& { return config.sim.walker2d; });
  add_xml_file(table, Walker2dConfig{}, " (v5 only; v4's is walker2d.xml)");
  add_frame_skip(table, Walker2dConfig{}, kV5Only);
  add_forward_and_control(table, Walker2dConfig{});
  add_health(table, Walker2dConfig{});
  add_range(table, "healthy_z_range", &Walker2dConfig::healthy_z_range, "m",
            "Bounds, both exclusive, of the torso's height in a healthy state.");
  add_range(table, "healthy_angle_range", &Walker2dConfig::healthy_angle_range, "rad",
            "Bounds, both exclusive, of the torso's angle in a healthy state.");
  add_reset_noise(table, Walker2dConfig{});
  add_excluded_positions(table, Walker2dConfig{}, "x");
}

void add_humanoid(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim.humanoid", [](auto& config) -> auto& { return config.sim.humanoid; });
  add_xml_file(table, HumanoidConfig{}, kV5Only);
  add_frame_skip(table, HumanoidConfig{}, kV5Only);
  add_forward_and_control(table, HumanoidConfig{});
  table.add("contact_cost_weight", &HumanoidConfig::contact_cost_weight, kAny, "",
            "Weight of the squared contact forces in the cost (v5 only).");
  add_range(table, "contact_cost_range", &HumanoidConfig::contact_cost_range, "",
            "The contact cost is clipped to this range (v5 only).");
  add_health(table, HumanoidConfig{});
  add_range(table, "healthy_z_range", &HumanoidConfig::healthy_z_range, "m",
            "Bounds, both exclusive, of the torso's height in a healthy state.");
  add_reset_noise(table, HumanoidConfig{});
  add_humanoid_observation(table, HumanoidConfig{}, kV5Only);
}

void add_humanoid_standup(std::vector<Field>& fields) {
  using Config = HumanoidStandupConfig;
  SectionTable table(
      fields, "sim.humanoid_standup",
      [](auto& config) -> auto& { return config.sim.humanoid_standup; });
  add_xml_file(table, Config{});
  add_frame_skip(table, Config{});
  table.add("ctrl_cost_weight", &Config::ctrl_cost_weight, kAny, "",
            "Weight of the squared action in the cost.");
  table.add("impact_cost_weight", &Config::impact_cost_weight, kAny, "",
            "Weight of the squared contact forces in the cost.");
  add_range(table, "impact_cost_range", &Config::impact_cost_range, "",
            "The contact forces' cost is clipped to this range.");
  add_reset_noise(table, Config{});
  add_humanoid_observation(table, Config{});
}

void add_swimmer(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim.swimmer", [](auto& config) -> auto& { return config.sim.swimmer; });
  add_xml_file(table, SwimmerConfig{});
  add_frame_skip(table, SwimmerConfig{});
  add_forward_and_control(table, SwimmerConfig{});
  add_reset_noise(table, SwimmerConfig{});
  add_excluded_positions(table, SwimmerConfig{}, "x and y");
}

void add_inverted_pendulums(std::vector<Field>& fields) {
  SectionTable single(
      fields, "sim.inverted_pendulum",
      [](auto& config) -> auto& { return config.sim.inverted_pendulum; });
  add_xml_file(single, InvertedPendulumConfig{}, kV5Only);
  add_frame_skip(single, InvertedPendulumConfig{}, kV5Only);
  add_reset_noise(single, InvertedPendulumConfig{}, kV5Only);

  SectionTable twofold(
      fields, "sim.inverted_double_pendulum",
      [](auto& config) -> auto& { return config.sim.inverted_double_pendulum; });
  add_xml_file(twofold, InvertedDoublePendulumConfig{});
  add_frame_skip(twofold, InvertedDoublePendulumConfig{});
  twofold.add("healthy_reward", &InvertedDoublePendulumConfig::healthy_reward, kAny, "",
              "Reward for every step that does not end the episode.");
  add_reset_noise(twofold, InvertedDoublePendulumConfig{});
}

void add_reacher(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim.reacher", [](auto& config) -> auto& { return config.sim.reacher; });
  add_xml_file(table, ReacherConfig{});
  add_frame_skip(table, ReacherConfig{});
  table.add("reward_dist_weight", &ReacherConfig::reward_dist_weight, kAny, "1/m",
            "Weight of the distance from the fingertip to the target in the cost.");
  table.add("reward_control_weight", &ReacherConfig::reward_control_weight, kAny, "",
            "Weight of the squared action in the cost.");
}

}  // namespace

void add_mujoco_tasks(std::vector<Field>& fields) {
  add_ant(fields);
  add_half_cheetah(fields);
  add_hopper(fields);
  add_walker2d(fields);
  add_humanoid(fields);
  add_humanoid_standup(fields);
  add_swimmer(fields);
  add_inverted_pendulums(fields);
  add_reacher(fields);
}

}  // namespace anthill
