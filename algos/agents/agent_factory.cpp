#include "algos/agents/agent.hpp"
#include "algos/agents/sac.hpp"
#include "algos/networks/tensor_memory.hpp"
#include "sim/errors.hpp"

namespace anthill {

bool Agent::parameters_are_finite() const {
  for (const NamedTensor& named : parameters()) {
    if (!at::isfinite(named.tensor).all().item<bool>()) return false;
  }
  return true;
}

std::unique_ptr<Agent> make_agent(const std::vector<AgentConfig>& members,
                                  const AgentShape& shape) {
  keep_tensor_memory();
  const std::string& algorithm = members.at(0).algorithm;
  if (algorithm == "sac") {
    if (shape.num_actions > 0) {
      throw ConfigError("agent.algorithm: sac needs continuous actions, but sim.env has " +
                        std::to_string(shape.num_actions) +
                        " discrete ones; choose a task with continuous actions");
    }
    return std::make_unique<Sac>(members, shape);
  }
  throw ConfigError("agent.algorithm: unknown algorithm '" + algorithm + "'; known: sac");
}

}  // namespace anthill
