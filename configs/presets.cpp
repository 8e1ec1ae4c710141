#include <stdexcept>

#include "configs/fields.hpp"

namespace anthill {

const std::vector<Preset>& presets() {
  // std::string: a bare literal would become a bool
  using Text = std::string;
  static const std::vector<Preset> kPresets = {
      {"sb3",
       {{"agent.initialisation", Text("pytorch")},
        {"actor.log_std_form", Text("clamp")},
        {"actor.log_std_min", -20.0},
        {"actor.log_std_max", 2.0},
        {"actor.log_prob_form", Text("exact")},
        {"temperature.target_entropy_scale", 1.0},
        {"temperature.loss_form", Text("log_alpha")}}},
      {"jaxrl",
       {{"agent.initialisation", Text("orthogonal")},
        {"actor.log_std_form", Text("tanh_affine")},
        {"actor.log_std_min", -10.0},
        {"actor.log_std_max", 2.0},
        {"actor.log_prob_form", Text("epsilon")},
        {"temperature.target_entropy_scale", 0.5},
        {"temperature.loss_form", Text("alpha")}}},
      // Fujimoto's TD3 (1802.09477, table 3 and its published code)
      {"td3",
       {{"agent.policy_delay", std::int64_t{2}},
        {"agent.target_period", std::int64_t{2}},
        {"agent.target_noise", 0.2},
        {"agent.noise_clip", 0.5},
        {"exploration.scale", 0.1}}},
  };
  return kPresets;
}

const Preset& find_preset(std::string_view name) {
  for (const Preset& preset : presets()) {
    if (preset.name == name) return preset;
  }
  throw std::logic_error("no preset called " + std::string(name));
}

}  // namespace anthill
