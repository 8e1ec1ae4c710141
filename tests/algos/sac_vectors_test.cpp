// SAC against PyTorch's own modules and optimisers: the files of vectors/make_sac_vectors.py.
#define BOOST_TEST_MODULE sac_vectors
#include "algos/agents/sac_remedies.hpp"
#include "algos/agents/update_turn.hpp"
#include "tests/algos/vectors.hpp"

using namespace anthill;

namespace {

AgentConfig config_of(const Vectors& vectors) {
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
void load(const Vectors& vectors, const SacModel& model) {
  load_start(vectors, "actor", model.actor);
  if (model.config.target_policy) load_start(vectors, "target_actor", model.target_actor);
  load_start(vectors, "critic", model.critic);
  load_start(vectors, "target_critic", model.target_critic);
  at::NoGradGuard no_grad;
  model.log_alpha.fill_(vectors.array("start.log_alpha"));
}

SacNoise noise_of(const Vectors& vectors) {
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

/// Losses and gradients of one update against the file's, which knows those of the first.
struct Checked {
  const Vectors& vectors;
  bool is_first;

  void loss(const Tensor& loss, const std::string& name) const {
    if (is_first) check_near(loss[0].detach(), vectors.array(name), 0.0, 1e-5, name);
  }
  Tensor gradient(const std::string& network, const Parameters& parameters,
                  const Tensor& loss) const {
    const Tensor gradient = parameters.gradient(loss);
    if (is_first) check_network(vectors, "gradient.", network, parameters, gradient, 1e-5);
    return gradient;
  }
};

/// One update as Sac::update makes it, with given noise.
void update(const Checked& checked, const SacModel& model, SacOptimisers& optimisers,
            const Batch& batch, const SacNoise& noise, std::int64_t number) {
  const UpdateTurn turn = update_turn(model.config, number);
  if (turn.critic) {
    const Tensor loss = sac_critic_loss(model, batch, noise).loss;
    checked.loss(loss, "critic_loss");
    step_critics(model, optimisers, checked.gradient("critic", model.critic, loss), turn.targets);
  } else if (turn.targets) {
    follow(optimisers.target, model.critic.flat());
  }
  const bool with_target = turn.targets && model.config.target_policy;
  if (!turn.policy && with_target) follow(optimisers.target_actor, model.actor.flat());
  if (!turn.policy && !checked.is_first) return;
  const SacActorLoss actor = sac_actor_loss(model, batch, noise);
  checked.loss(actor.loss, "actor_loss");
  const Tensor gradient = checked.gradient("actor", model.actor, actor.loss);
  const Tensor alpha_loss = sac_temperature_loss(model, actor.log_prob);
  checked.loss(alpha_loss, "alpha_loss");
  const Tensor slope = torch::autograd::grad({alpha_loss.sum()}, {model.log_alpha})[0];
  if (checked.is_first) {
    check_near(slope[0], checked.vectors.array("gradient.log_alpha"), 0.0, 1e-5, "log_alpha");
  }
  if (!turn.policy) return;
  optimisers.actor.step(model.actor.flat(), gradient,
                        with_target ? optimisers.target_actor : PolyakTarget{});
  if (model.config.temperature.automatic) optimisers.temperature.step(model.log_alpha, slope);
}

}  // namespace

BOOST_AUTO_TEST_CASE(losses_gradients_and_updates_equal_pytorch) {
  BOOST_REQUIRE(vector_files("sac_").size() == 16);
  for (const std::filesystem::path& path : vector_files("sac_")) {
    BOOST_TEST_CONTEXT(path.filename().string()) {
      const Vectors vectors(path);
      const Batch batch = batch_of(vectors);
      const AgentConfig config = config_of(vectors);
      const SacModel model = make_sac_model({config}, shape_of(batch));
      BOOST_REQUIRE(model.critic.ensemble() == config.critic.num_critics);
      load(vectors, model);
      SacOptimisers optimisers = make_sac_optimisers({config}, model);
      const SacNoise noise = noise_of(vectors);
      const int updates = std::stoi(vectors.text("updates"));
      for (int i = 0; i < updates; ++i) {
        update({vectors, i == 0}, model, optimisers, batch, noise, i);
      }
      if (config.target_policy) {
        check_network(vectors, "end.", "target_actor", model.target_actor,
                      model.target_actor.flat(), 1e-5);
      }
      check_network(vectors, "end.", "actor", model.actor, model.actor.flat().detach(), 1e-5);
      check_network(vectors, "end.", "critic", model.critic, model.critic.flat().detach(), 1e-5);
      check_network(vectors, "end.", "target_critic", model.target_critic,
                    model.target_critic.flat(), 1e-5);
      check_near(model.log_alpha[0].detach(), vectors.array("end.log_alpha"), 0.0, 1e-5,
                 "log_alpha");
    }
  }
}
