// [sim.mjcf] and [sim.lunar_lander] of the field table.
#include "configs/section_table.hpp"
#include "configs/task_fields.hpp"

namespace anthill {

void add_mjcf(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim.mjcf", [](auto& config) -> auto& { return config.sim.mjcf; });
  table.add_path("model", &MjcfConfig::model,
                 "The MJCF file of env = \"mjcf\"; relative to this configuration file, with --set "
                 "to the working directory.");
  table.add("frame_skip", &MjcfConfig::frame_skip, between(1, 1000), "simulation steps",
            "Simulation steps per control step.");
  table.add("observation", &MjcfConfig::observation, 100,
            "What is observed, in this order: fields such as \"qpos[2:]\", \"sensor(NAME)\"; see "
            "docs/custom_mjcf.md.");
  table.add("velocity_range", &MjcfConfig::velocity_range, kAnyOrInfinite, "m/s, rad/s",
            "Observed velocities (qvel) are clipped to this range.");
  table.add("contact_force_range", &MjcfConfig::contact_force_range, kAnyOrInfinite, "N, N m",
            "Contact forces (cfrc_ext) are clipped to this range, observed and in the cost.");
  table.add("forward_body", &MjcfConfig::forward_body,
            "Body whose velocity is rewarded; empty: the first below the world.");
  table.add("forward_axis", &MjcfConfig::forward_axis, {"x", "y", "z"},
            "Axis of the world along which it is.");
  table.add("forward_reward_weight", &MjcfConfig::forward_reward_weight, kAny, "",
            "Weight of that velocity in the reward.");
  table.add("ctrl_cost_weight", &MjcfConfig::ctrl_cost_weight, kAny, "",
            "Weight of the squared action in the cost.");
  table.add("contact_cost_weight", &MjcfConfig::contact_cost_weight, kAny, "",
            "Weight of the squared contact forces in the cost.");
  table.add("healthy_reward", &MjcfConfig::healthy_reward, kAny, "",
            "Reward for every step in which all of healthy holds.");
  table.add("extra_rewards", &MjcfConfig::extra_rewards, 100,
            "More terms of the reward: \"WEIGHT * FIELD\" sums the field's elements, \"WEIGHT * "
            "FIELD^2\" their squares.");
  table.add("healthy", &MjcfConfig::healthy, 100,
            "Bounds on fields: \"0.2 <= qpos[2] <= 1.0\", with < for an open end.");
  table.add("terminate_when_unhealthy", &MjcfConfig::terminate_when_unhealthy,
            "End the episode when one of them does not hold.");
  table.add(
      "reset_keyframe", &MjcfConfig::reset_keyframe,
      "Keyframe of the model that episodes start from; empty: its initial position, at rest.");
  table.add("reset_noise_scale", &MjcfConfig::reset_noise_scale, at_least(0), "",
            "Scale of the noise on the initial state, uniform on positions.");
  table.add("reset_velocity_noise", &MjcfConfig::reset_velocity_noise, {"normal", "uniform"},
            "Kind of noise on the initial velocities.");
}

void add_lunar_lander(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim.lunar_lander", [](auto& config) -> auto& { return config.sim.lunar_lander; });
  table.add("gravity", &LunarLanderConfig::gravity,
            Range{.low = -12.0, .high = 0.0, .low_open = true}, "m/s^2",
            "Gravity along y; neither end is allowed.");
  table.add("enable_wind", &LunarLanderConfig::enable_wind,
            "Wind pushes and turns the lander until a leg touches the ground.");
  table.add("wind_power", &LunarLanderConfig::wind_power, kAny, "N",
            "Largest force of the wind; Gymnasium recommends 0 to 20.");
  table.add("turbulence_power", &LunarLanderConfig::turbulence_power, kAny, "N m",
            "Largest torque of the wind; Gymnasium recommends 0 to 2.");
}

}  // namespace anthill
