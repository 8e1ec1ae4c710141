/// A network's optimiser as its section of the configuration describes it.
#pragma once

#include <vector>

#include "algos/agents/agent_config.hpp"
#include "algos/networks/adam.hpp"

namespace anthill {

/// Adam for `network` (&AgentConfig::actor, critic or temperature) of a stack: learning rates
/// member by member, all else as the first one has it.
template <class Network>
AdamSettings optimiser_settings(const std::vector<AgentConfig>& members,
                                Network AgentConfig::*network) {
  const Network& shared = members.front().*network;
  AdamSettings settings{.learning_rate = {},
                        .beta1 = shared.adam_beta1,
                        .beta2 = shared.adam_beta2,
                        .eps = shared.adam_eps};
  for (const AgentConfig& member : members) {
    settings.learning_rate.push_back((member.*network).learning_rate);
  }
  if constexpr (requires { shared.weight_decay; }) {  // the temperature has neither
    settings.weight_decay = shared.weight_decay;
    settings.max_gradient_norm = shared.max_gradient_norm;
  }
  return settings;
}

}  // namespace anthill
