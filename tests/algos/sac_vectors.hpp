/// SAC's settings, start and noise out of the files of vectors/make_sac_vectors.py.
#pragma once

#include "algos/agents/sac.hpp"
#include "tests/algos/vectors.hpp"

namespace anthill {

inline AgentConfig sac_config_of(const Vectors& vectors) {
  AgentConfig config = vectors.config();
  config.temperature.learning_rate = vectors.number("learning_rate");
  config.temperature.loss_form =
      vectors.text("alpha_form") == "alpha" ? AlphaLossForm::alpha : AlphaLossForm::log_alpha;
  config.critic.dropout = vectors.number("dropout");
  if (vectors.text("log_std_form") == "tanh_affine") {
    config.actor.log_std_form = LogStdForm::tanh_affine;
    config.actor.log_std_min = -10.0;
  }
  if (vectors.says("log_std_range")) {
    std::istringstream range(vectors.text("log_std_range").substr(1));
    range >> config.actor.log_std_min;
    range.ignore();
    range >> config.actor.log_std_max;
  }
  if (vectors.says("automatic")) config.temperature.automatic = vectors.text("automatic") == "true";
  if (vectors.text("log_prob_form") == "epsilon") {
    config.actor.log_prob_form = LogProbForm::epsilon;
  }
  config.critic.num_critics = std::stol(vectors.text("num_critics"));
  if (vectors.says("target_beta")) {
    config.critic.target_aggregation = TargetAggregation::mean_minus_std;
    config.critic.target_beta = vectors.number("target_beta");
  }
  config.critic.weight_projection = vectors.says("weight_projection");
  config.target_policy = vectors.text("target_policy") == "true";
  if (vectors.text("policy_value") == "first") config.policy_value = PolicyValue::first;
  if (vectors.text("policy_value") == "mean") config.policy_value = PolicyValue::mean;
  if (vectors.text("distribution") == "clipped_gaussian") {
    config.actor.distribution = PolicyDistribution::clipped_gaussian;
  }
  if (vectors.text("distribution") == "gsde") {
    config.actor.distribution = PolicyDistribution::gsde;
    config.actor.sde_learn_features = vectors.text("sde_learn_features") == "true";
  }
  if (vectors.text("entropy") == "analytic") config.temperature.entropy = EntropyForm::analytic;
  return config;
}

/// Copies the start into the model.
inline void load_sac_start(const Vectors& vectors, const SacModel& model) {
  load_start(vectors, "actor", model.actor);
  if (model.config.target_policy) load_start(vectors, "target_actor", model.target_actor);
  load_start(vectors, "critic", model.critic);
  load_start(vectors, "target_critic", model.target_critic);
  at::NoGradGuard no_grad;
  model.log_alpha.fill_(vectors.array("start.log_alpha"));
}

inline SacNoise sac_noise_of(const Vectors& vectors) {
  SacNoise noise{vectors.array("noise.next_action").unsqueeze(0),
                 vectors.array("noise.action").unsqueeze(0)};
  const auto mask = [&](const std::string& use) {
    const std::string name = "keep." + use;
    return vectors.has(name) ? vectors.array(name).unsqueeze(0).to(at::kByte) : Tensor();
  };
  noise.target_keep = mask("target");
  noise.critic_keep = mask("critic");
  noise.actor_keep = mask("actor");
  return noise;
}

}  // namespace anthill
