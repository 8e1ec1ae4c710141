#include "sim/env_factory.hpp"

#include "sim/action_wrappers.hpp"
#include "sim/nearest_name.hpp"
#include "sim/tasks.hpp"

namespace anthill {
namespace {

using MakeTask = std::unique_ptr<Env> (*)(const SimConfig& config);

/// The maker of one version of a task.
template <auto make, TaskVersion version>
std::unique_ptr<Env> make_version(const SimConfig& config) {
  return make(version, config);
}

struct Task {
  const char* name;
  MakeTask make;
};

constexpr Task kTasks[] = {
    {"Ant-v4", make_version<make_ant, TaskVersion::v4>},
    {"Ant-v5", make_version<make_ant, TaskVersion::v5>},
    {"HalfCheetah-v4", make_version<make_half_cheetah, TaskVersion::v4>},
    {"HalfCheetah-v5", make_version<make_half_cheetah, TaskVersion::v5>},
    {"Hopper-v4", make_version<make_hopper, TaskVersion::v4>},
    {"Hopper-v5", make_version<make_hopper, TaskVersion::v5>},
    {"Walker2d-v4", make_version<make_walker2d, TaskVersion::v4>},
    {"Walker2d-v5", make_version<make_walker2d, TaskVersion::v5>},
    {"Humanoid-v4", make_version<make_humanoid, TaskVersion::v4>},
    {"Humanoid-v5", make_version<make_humanoid, TaskVersion::v5>},
    {"HumanoidStandup-v5", make_humanoid_standup},
    {"Swimmer-v5", make_swimmer},
    {"InvertedPendulum-v4", make_version<make_inverted_pendulum, TaskVersion::v4>},
    {"InvertedPendulum-v5", make_version<make_inverted_pendulum, TaskVersion::v5>},
    {"InvertedDoublePendulum-v5", make_inverted_double_pendulum},
    {"Reacher-v5", make_reacher},
    {"Pendulum-v1", make_pendulum},
    {"CartPole-v1", make_cartpole},
    {"MountainCarContinuous-v0", make_mountain_car_continuous},
    {"LunarLander-v3", [](const SimConfig& config) { return make_lunar_lander(false, config); }},
    {"LunarLanderContinuous-v3",
     [](const SimConfig& config) { return make_lunar_lander(true, config); }},
    {"mjcf", make_mjcf},
};

}  // namespace

std::vector<std::string> env_names() {
  std::vector<std::string> names;
  for (const Task& task : kTasks) names.emplace_back(task.name);
  return names;
}

std::shared_ptr<const Env> make_env(const SimConfig& config) {
  if (config.max_episode_steps < 0) {
    throw ConfigError("sim.max_episode_steps: must be 0 (the task's own limit) or more");
  }
  for (const Task& task : kTasks) {
    if (config.env != task.name) continue;
    return table_actions(repeat_actions(task.make(config), config.action_repeat),
                         config.action_table);
  }
  std::string known;
  for (const std::string& name : env_names()) known += (known.empty() ? "" : ", ") + name;
  const std::string nearest = nearest_name(config.env, env_names());
  throw ConfigError("sim.env: unknown environment '" + config.env + "'; " +
                    (nearest.empty() ? "" : "did you mean '" + nearest + "'? ") +
                    "known: " + known);
}

}  // namespace anthill
