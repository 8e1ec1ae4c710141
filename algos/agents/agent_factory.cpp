#include "algos/agents/agent.hpp"
#include "algos/agents/ddpg.hpp"
#include "algos/agents/dqn.hpp"
#include "algos/agents/normalising_agent.hpp"
#include "algos/agents/sac.hpp"
#include "algos/agents/td3.hpp"
#include "algos/networks/tensor_memory.hpp"
#include "sim/errors.hpp"

namespace anthill {

const std::vector<std::string>& Agent::diagnostic_names() const {
  static const std::vector<std::string> none;
  return none;
}

bool Agent::parameters_are_finite(std::int64_t member) const {
  for (const NamedTensor& named : parameters()) {
    // no temperature at all is a log alpha of minus infinity
    const Tensor all = named.tensor.select(0, member);
    const Tensor values = named.name == "log_alpha" ? all.exp() : all;
    if (!at::isfinite(values).all().item<bool>()) return false;
  }
  return true;
}

AgentShape agent_shape(const EnvSpec& task, std::vector<std::uint64_t> seeds, at::Device device) {
  AgentShape shape{task.observation_dim, task.action_dim, std::move(seeds), device,
                   task.num_actions};
  for (std::size_t i = 0; task.num_actions == 0 && i < task.action_low.size(); ++i) {
    shape.action_scale.push_back((task.action_high[i] - task.action_low[i]) / 2);
    shape.action_bias.push_back((task.action_high[i] + task.action_low[i]) / 2);
  }
  return shape;
}

static std::unique_ptr<Agent> make_algorithm(const std::vector<AgentConfig>& members,
                                             const AgentShape& shape) {
  const std::string& algorithm = members.at(0).algorithm;
  const bool discrete = shape.num_actions > 0;
  if (algorithm == "dqn" && !discrete) {
    throw ConfigError(
        "agent.algorithm: dqn needs discrete actions, but those of sim.env are continuous; choose "
        "a task with discrete actions");
  }
  if (algorithm != "dqn" && discrete) {
    throw ConfigError("agent.algorithm: " + algorithm +
                      " needs continuous actions, but sim.env has " +
                      std::to_string(shape.num_actions) +
                      " discrete ones; choose a task with continuous actions, or dqn");
  }
  if (algorithm == "sac") return std::make_unique<Sac>(members, shape);
  if (algorithm == "td3") return std::make_unique<Td3>(members, shape);
  if (algorithm == "ddpg") return std::make_unique<Ddpg>(members, shape);
  if (algorithm == "dqn") return std::make_unique<Dqn>(members, shape);
  throw ConfigError("agent.algorithm: unknown algorithm '" + algorithm +
                    "'; known: sac, td3, ddpg, dqn");
}

std::unique_ptr<Agent> make_agent(const std::vector<AgentConfig>& members,
                                  const AgentShape& shape) {
  keep_tensor_memory();
  std::unique_ptr<Agent> agent = make_algorithm(members, shape);
  if (!members.front().observation_normalisation) return agent;
  return std::make_unique<NormalisingAgent>(std::move(agent), shape);
}

}  // namespace anthill
