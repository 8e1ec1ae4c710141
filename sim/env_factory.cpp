#include "sim/env_factory.hpp"

#include "sim/ant.hpp"
#include "sim/nearest_name.hpp"
#include "sim/pendulum.hpp"

namespace anthill {
namespace {

struct Task {
  const char* name;
  std::unique_ptr<Env> (*make)(const SimConfig& config);
};

constexpr Task kTasks[] = {
    {"Ant-v4", [](const SimConfig& config) { return make_ant(AntVersion::v4, config); }},
    {"Ant-v5", [](const SimConfig& config) { return make_ant(AntVersion::v5, config); }},
    {"Pendulum-v1", [](const SimConfig& config) { return make_pendulum(config); }},
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
    if (config.env == task.name) return task.make(config);
  }
  std::string known;
  for (const std::string& name : env_names()) known += (known.empty() ? "" : ", ") + name;
  const std::string nearest = nearest_name(config.env, env_names());
  throw ConfigError("sim.env: unknown environment '" + config.env + "'; " +
                    (nearest.empty() ? "" : "did you mean '" + nearest + "'? ") +
                    "known: " + known);
}

}  // namespace anthill
