#include "apps/sweep_estimate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "algos/training/replay_ratio.hpp"

namespace anthill {
namespace {

struct TaskCost {
  std::string_view prefix;  // of sim.env; the first that fits counts
  double observation_dim, action_dim;
  double step_us;  // one control step on one core
};

// dimensions: docs/environments.md; costs: CPU time of `anthill bench env` with 64
// environments on one thread of an AMD EPYC, rounded
constexpr std::array<TaskCost, 17> kTasks = {{{"Ant-v4", 27, 8, 115},
                                              {"Ant", 105, 8, 115},
                                              {"HalfCheetah", 17, 6, 18},
                                              {"Hopper", 11, 3, 40},
                                              {"Walker2d", 17, 6, 55},
                                              {"HumanoidStandup", 348, 17, 255},
                                              {"Humanoid", 376, 17, 135},
                                              {"Swimmer", 8, 2, 23},
                                              {"InvertedPendulum", 4, 1, 8},
                                              {"InvertedDoublePendulum", 9, 1, 22},
                                              {"Reacher", 10, 2, 10},
                                              {"Pendulum", 3, 1, 0.1},
                                              {"CartPole", 4, 2, 0.1},
                                              {"MountainCar", 2, 1, 0.1},
                                              {"LunarLanderContinuous", 8, 2, 95},
                                              {"LunarLander", 8, 4, 95},
                                              {"", 50, 10, 300}}};

const TaskCost& cost_of(std::string_view env) {
  for (const TaskCost& task : kTasks) {
    if (env.starts_with(task.prefix)) return task;
  }
  return kTasks.back();
}

/// Multiplications of one row through a network.
double products(double inputs, const std::vector<std::int64_t>& hidden_dims, double outputs) {
  double sum = 0.0, width = inputs;
  for (const std::int64_t next : hidden_dims) {
    sum += width * static_cast<double>(next);
    width = static_cast<double>(next);
  }
  return sum + width * outputs;
}

double num_critics(const AgentConfig& agent) {
  if (agent.algorithm == "sac") return static_cast<double>(agent.critic.num_critics);
  return agent.algorithm == "td3" ? 2.0 : 1.0;
}

/// Seconds of one update: forward and backward passes of the critics, their targets and the actor.
double update_seconds(const ExperimentConfig& config, const TaskCost& task) {
  constexpr double kFlopsPerSecond = 5e10, kOverhead_s = 2e-4;
  constexpr double kBatchRenorm = 1.75;  // an update with it over one without (docs/remedies.md)
  const double critic =
      products(task.observation_dim + task.action_dim, config.agent.critic.hidden_dims, 1.0);
  const double actor =
      products(task.observation_dim, config.agent.actor.hidden_dims, 2.0 * task.action_dim);
  const double flops = 2.0 * static_cast<double>(config.training.batch_size) *
                       (6.0 * num_critics(config.agent) * critic + 4.0 * actor);
  const double factor = config.agent.critic.batch_renorm ? kBatchRenorm : 1.0;
  return kOverhead_s + factor * flops / kFlopsPerSecond;
}

double evaluation_steps(const ExperimentConfig& config, double total) {
  if (config.evaluation.period == 0) return 0.0;
  const double evaluations =
      1.0 + std::floor(total / static_cast<double>(config.evaluation.period));
  // an episode of middling length
  return evaluations * static_cast<double>(config.evaluation.num_episodes) * 500.0;
}

}  // namespace

RunEstimate estimate_run(const ExperimentConfig& config) {
  const TaskCost& task = cost_of(config.sim.env);
  const auto total = static_cast<double>(config.training.total_env_steps);
  RunEstimate estimate;
  estimate.seconds =
      1e-6 * task.step_us * (total + evaluation_steps(config, total)) +
      static_cast<double>(
          ReplayRatio(config.training).updates_due(config.training.total_env_steps, 0)) *
          update_seconds(config, task);
  const double rows = std::min(static_cast<double>(config.buffer.capacity),
                               total + static_cast<double>(config.sim.num_envs));
  const double row_bytes =
      64.0 * std::ceil((4.0 * (2.0 * task.observation_dim + task.action_dim + 2.0)) / 64.0);
  constexpr double kProgram_mib = 130.0;
  estimate.memory_mib = kProgram_mib + rows * row_bytes / (1024.0 * 1024.0);
  return estimate;
}

}  // namespace anthill
