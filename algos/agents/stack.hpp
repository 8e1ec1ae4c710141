/// What every algorithm needs to keep a stack of members (M) side by side.
#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "algos/agents/agent.hpp"
#include "algos/networks/mlp.hpp"

namespace anthill {

/// One setting per member.
template <class Get>
auto per_member(const std::vector<AgentConfig>& members, const Get& get) {
  std::vector<std::decay_t<decltype(get(members.front()))>> values;
  for (const AgentConfig& member : members) values.push_back(get(member));
  return values;
}

/// The first weights of the stack's networks, as the sections [agent] and `network` ask.
template <class NetworkConfig>
void initialise(const MlpShape& shape, const Parameters& parameters, const AgentConfig& agent,
                const NetworkConfig& network, const std::vector<std::uint64_t>& seeds,
                std::uint64_t network_id) {
  Initialisation method = agent.initialisation;
  switch (network.initialisation) {
    case NetworkInitialisation::as_agent:
      break;
    case NetworkInitialisation::pytorch:
      method = Initialisation::pytorch;
      break;
    case NetworkInitialisation::orthogonal:
      method = Initialisation::orthogonal;
      break;
    case NetworkInitialisation::kaiming:
      method = Initialisation::kaiming;
      break;
  }
  mlp_initialise(shape, parameters, method, seeds, network_id, network.output_init_bound);
}

/// One number per member as float32 words on the learner's device, (M).
inline Tensor device_words(const std::vector<double>& values, at::Device device) {
  return at::tensor(values, at::kFloat).to(device);
}

/// What act() was given, as a tensor on the learner's device: (M x N x D).
inline Tensor observation_tensor(std::span<const float> observation, const AgentShape& shape) {
  return at::from_blob(const_cast<float*>(observation.data()),
                       {shape.members(),
                        static_cast<std::int64_t>(observation.size()) /
                            (shape.members() * shape.observation_dim),
                        shape.observation_dim},
                       at::kFloat)
      .to(shape.device);
}

/// The network that the section [actor] or [critic] describes.
template <class NetworkConfig>
MlpShape network_shape(const NetworkConfig& network, std::int64_t input_dim,
                       std::int64_t output_dim) {
  return {.input_dim = input_dim,
          .hidden_dims = network.hidden_dims,
          .output_dim = output_dim,
          .activation = network.activation,
          .layer_norm = network.layer_norm,
          .layer_norm_placement = network.layer_norm_placement,
          .residual = network.residual,
          .unit_features = network.unit_features};
}

/// Every parameter of `parameters` as NETWORK.NAME, in shared memory.
inline void append_parameters(std::vector<NamedTensor>& all, const std::string& network,
                              const Parameters& parameters) {
  for (std::size_t i = 0; i < parameters.views().size(); ++i) {
    all.push_back(
        {network + "." + parameters.layout().entries()[i].name, parameters.views()[i].detach()});
  }
}

}  // namespace anthill
