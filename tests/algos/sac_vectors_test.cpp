// SAC against PyTorch's own modules and optimisers: the files of vectors/make_sac_vectors.py.
#define BOOST_TEST_MODULE sac_vectors
#include "algos/agents/sac.hpp"
#include "tests/algos/vectors.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kCritics = 2;

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
  if (vectors.text("log_prob_form") == "epsilon") {
    config.actor.log_prob_form = LogProbForm::epsilon;
  }
  return config;
}

/// Copies the start into the model.
void load(const Vectors& vectors, const SacModel& model) {
  load_start(vectors, "actor", model.actor);
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

/// One update as Sac::update makes it, with given noise; checks what the file knows of the first.
void update(const Vectors& vectors, const SacModel& model, SacOptimisers& optimisers,
            const Batch& batch, const SacNoise& noise, bool is_first) {
  const auto check_loss = [&](const Tensor& loss, const std::string& name) {
    if (is_first) check_near(loss[0].detach(), vectors.array(name), 0.0, 1e-5, name);
  };
  const auto check_gradient = [&](const std::string& network, const Parameters& parameters,
                                  const Tensor& gradient) {
    if (is_first) check_network(vectors, "gradient.", network, parameters, gradient, 1e-5);
    return gradient;
  };
  const Tensor critic_loss = sac_critic_loss(model, batch, noise).loss;
  check_loss(critic_loss, "critic_loss");
  optimisers.critic.step(model.critic.flat(),
                         check_gradient("critic", model.critic, model.critic.gradient(critic_loss)),
                         optimisers.target);
  const SacActorLoss actor = sac_actor_loss(model, batch, noise);
  check_loss(actor.loss, "actor_loss");
  optimisers.actor.step(model.actor.flat(),
                        check_gradient("actor", model.actor, model.actor.gradient(actor.loss)));
  const Tensor alpha_loss = sac_temperature_loss(model, actor.log_prob);
  check_loss(alpha_loss, "alpha_loss");
  const Tensor slope = torch::autograd::grad({alpha_loss.sum()}, {model.log_alpha})[0];
  if (is_first) {
    check_near(slope[0], vectors.array("gradient.log_alpha"), 0.0, 1e-5, "gradient.log_alpha");
  }
  optimisers.temperature.step(model.log_alpha, slope);
}

}  // namespace

BOOST_AUTO_TEST_CASE(losses_gradients_and_updates_equal_pytorch) {
  BOOST_REQUIRE(vector_files("sac_").size() == 4);
  for (const std::filesystem::path& path : vector_files("sac_")) {
    BOOST_TEST_CONTEXT(path.filename().string()) {
      const Vectors vectors(path);
      const Batch batch = batch_of(vectors);
      const AgentConfig config = config_of(vectors);
      const SacModel model = make_sac_model(
          {config}, {batch.observation.size(2), batch.action.size(2), {1}, at::kCPU});
      BOOST_REQUIRE(model.critic.ensemble() == kCritics);
      load(vectors, model);
      SacOptimisers optimisers = make_sac_optimisers({config}, model);
      const SacNoise noise = noise_of(vectors);
      const int updates = std::stoi(vectors.text("updates"));
      for (int i = 0; i < updates; ++i) update(vectors, model, optimisers, batch, noise, i == 0);
      check_network(vectors, "end.", "actor", model.actor, model.actor.flat().detach(), 1e-4);
      check_network(vectors, "end.", "critic", model.critic, model.critic.flat().detach(), 1e-4);
      check_network(vectors, "end.", "target_critic", model.target_critic,
                    model.target_critic.flat(), 1e-4);
      check_near(model.log_alpha[0].detach(), vectors.array("end.log_alpha"), 0.0, 1e-5,
                 "log_alpha");
    }
  }
}
