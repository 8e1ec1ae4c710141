/// The files of tests/algos/vectors: numbers that PyTorch made, and how ours are compared with
/// them.
#pragma once

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "algos/agents/agent.hpp"
#include "algos/networks/parameters.hpp"
#include "algos/training/safetensors.hpp"

namespace anthill {

/// One file: settings and arrays.
class Vectors {
 public:
  explicit Vectors(const std::filesystem::path& path) : file_(read_safetensors(path)) {}

  const std::string& text(const std::string& key) const { return file_.metadata.at(key); }
  bool says(const std::string& key) const { return file_.metadata.contains(key); }
  double number(const std::string& key) const { return std::stod(text(key)); }
  bool has(const std::string& name) const { return file_.arrays.contains(name); }

  Tensor array(const std::string& name) const {
    const FloatArray& found = file_.arrays.at(name);
    return at::tensor(found.values).view(found.shape);
  }

  /// What every algorithm's file says.
  AgentConfig config() const {
    AgentConfig config;
    config.discount = number("discount");
    config.tau = number("tau");
    config.policy_delay = config.target_period = std::stol(text("policy_delay"));
    config.critic_updates = std::stol(text("critic_updates"));
    if (config.critic_updates > 0) config.target_period = 1;
    if (says("policy_updates")) config.policy_updates = std::stol(text("policy_updates"));
    if (says("target_period")) config.target_period = std::stol(text("target_period"));
    if (says("reward_scale")) config.reward_scale = number("reward_scale");
    if (text("action_units") == "environment") config.action_units = ActionUnits::environment;
    set_network(config.actor);
    set_network(config.critic);
    set_adam("adam_actor", config.actor);
    set_adam("adam_critic", config.critic);
    set_adam("adam_temperature", config.temperature);
    return config;
  }

 private:
  template <class Network>
  void set_network(Network& network) const {
    std::istringstream widths(text("hidden_dims").substr(1));
    network.hidden_dims.clear();
    for (std::int64_t width = 0; widths >> width; widths.ignore()) {
      network.hidden_dims.push_back(width);
    }
    const std::string &activation = text("activation"), &norm = text("layer_norm");
    network.activation = activation == "relu"   ? Activation::relu
                         : activation == "tanh" ? Activation::tanh
                                                : Activation::elu;
    network.layer_norm = norm != "none";
    if (norm == "after_activation") {
      network.layer_norm_placement = LayerNormPlacement::after_activation;
    }
    network.residual = text("residual") == "true";
    network.learning_rate = number("learning_rate");
    network.weight_decay = number("weight_decay");
    if (says("max_gradient_norm")) network.max_gradient_norm = number("max_gradient_norm");
  }

  /// "[beta1, beta2, eps]", where the file says so.
  template <class Trained>
  void set_adam(const std::string& key, Trained& trained) const {
    if (!says(key)) return;
    std::istringstream numbers(text(key).substr(1));
    for (double* value : {&trained.adam_beta1, &trained.adam_beta2, &trained.adam_eps}) {
      numbers >> *value;
      numbers.ignore();
    }
  }

  Safetensors file_;
};

/// The shape of the files' agents, with the action's units of make_sac_vectors.py.
inline AgentShape shape_of(const Batch& batch) {
  AgentShape shape{batch.observation.size(2), batch.action.size(2), {1}, at::kCPU};
  shape.action_scale = {2.0f, 0.5f};
  shape.action_bias = {0.25f, -0.5f};
  return shape;
}

/// Calls f(name in the file, the network's own part of the flat array [P]) for every parameter.
template <class F>
void for_each_part(const std::string& network, const Parameters& parameters, const Tensor& flat,
                   const F& f) {
  for (std::int64_t e = 0; e < parameters.ensemble(); ++e) {
    std::string prefix = network;
    if (!network.ends_with("actor")) prefix.append("_").append(std::to_string(e));
    prefix.append(".");
    for (const auto& entry : parameters.layout().entries()) {
      f(prefix + entry.name, flat[0][e].narrow(0, entry.offset, entry.size));
    }
  }
}

/// Copies arrays "start.NETWORK..." into the parameters.
inline void load_start(const Vectors& vectors, const std::string& network,
                       const Parameters& parameters) {
  at::NoGradGuard no_grad;
  for_each_part(network, parameters, parameters.flat(), [&](const auto& name, const Tensor& to) {
    to.copy_(vectors.array("start." + name).flatten());
  });
}

/// ||found - expected|| / ||expected|| below `bound`; a gradient that is nothing (a bias before
/// LayerNorm) is compared with the network's largest.
inline void check_near(const Tensor& found, const Tensor& expected, double scale, double bound,
                       const std::string& name) {
  const double norm = std::max(expected.norm().item<double>(), 1e-3 * scale);
  const double error = (found - expected).norm().item<double>() / norm;
  BOOST_TEST(error < bound, name << ": relative error " << error);
}

inline void check_network(const Vectors& vectors, const std::string& prefix,
                          const std::string& network, const Parameters& parameters,
                          const Tensor& flat, double bound) {
  double scale = 0.0;
  for_each_part(network, parameters, flat, [&](const auto& name, const Tensor&) {
    scale = std::max(scale, vectors.array(prefix + name).norm().template item<double>());
  });
  BOOST_TEST(scale > 0.0);
  for_each_part(network, parameters, flat, [&](const auto& name, const Tensor& found) {
    check_near(found, vectors.array(prefix + name).flatten(), scale, bound, prefix + name);
  });
}

inline Batch batch_of(const Vectors& vectors) {
  const Tensor observation = vectors.array("observation"), action = vectors.array("action");
  Batch batch(1, observation.size(0), observation.size(1), action.size(1), at::kCPU);
  batch.observation[0].copy_(observation);
  batch.action[0].copy_(action);
  batch.reward[0].copy_(vectors.array("reward"));
  batch.next_observation[0].copy_(vectors.array("next_observation"));
  batch.bootstrap[0].copy_(vectors.array("bootstrap"));
  return batch;
}

/// Files whose names begin with `prefix`.
inline std::vector<std::filesystem::path> vector_files(const std::string& prefix) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator("tests/algos/vectors")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".safetensors")) files.push_back(entry.path());
  }
  return files;
}

}  // namespace anthill
