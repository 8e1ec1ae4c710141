// SAC with batch renormalisation against PyTorch's batch_norm: the files of
// vectors/make_batch_renorm_vectors.py.
#define BOOST_TEST_MODULE batch_renorm_vectors
#include "algos/agents/sac_remedies.hpp"
#include "tests/algos/vectors.hpp"

using namespace anthill;

namespace {

AgentConfig config_of(const Vectors& vectors) {
  AgentConfig config = vectors.config();
  config.temperature.learning_rate = vectors.number("learning_rate");
  config.temperature.loss_form =
      vectors.text("alpha_form") == "alpha" ? AlphaLossForm::alpha : AlphaLossForm::log_alpha;
  if (vectors.text("log_std_form") == "tanh_affine") {
    config.actor.log_std_form = LogStdForm::tanh_affine;
    config.actor.log_std_min = -10.0;
  }
  if (vectors.text("log_prob_form") == "epsilon") {
    config.actor.log_prob_form = LogProbForm::epsilon;
  }
  config.critic.num_critics = std::stol(vectors.text("num_critics"));
  config.critic.batch_renorm = true;
  config.critic.batch_renorm_momentum = vectors.number("momentum");
  config.critic.batch_renorm_warmup = std::stol(vectors.text("warmup"));
  return config;
}

void load(const Vectors& vectors, const SacModel& model) {
  load_start(vectors, "actor", model.actor);
  load_start(vectors, "critic", model.critic);
  load_start(vectors, "critic", model.critic_statistics.running);
  load_start(vectors, "target_critic", model.target_critic);
  load_start(vectors, "target_critic", model.target_statistics);
  at::NoGradGuard no_grad;
  model.log_alpha.fill_(vectors.array("start.log_alpha"));
}

/// One update as Sac::update makes it, with given noise; the first is compared as a whole.
void update(const Vectors& vectors, bool is_first, const SacModel& model, SacOptimisers& optimisers,
            const Batch& batch, const SacNoise& noise) {
  const auto step = [&](Adam& adam, const std::string& network, const Parameters& parameters,
                        const Tensor& loss, const PolyakTarget& target) {
    const Tensor gradient = parameters.gradient(loss);
    if (is_first) {
      const std::string name = network + "_loss";
      check_near(loss[0].detach(), vectors.array(name), 0.0, 1e-5, name);
      check_network(vectors, "gradient.", network, parameters, gradient, 1e-5);
    }
    adam.step(parameters.flat(), gradient, target);
  };
  const SacCriticLoss critic = sac_critic_loss(model, batch, noise);
  step(optimisers.critic, "critic", model.critic, critic.loss, optimisers.target);
  remember_statistics(model, optimisers, critic, true);
  const SacActorLoss actor = sac_actor_loss(model, batch, noise);
  step(optimisers.actor, "actor", model.actor, actor.loss, {});
  const Tensor alpha_loss = sac_temperature_loss(model, actor.log_prob);
  optimisers.temperature.step(model.log_alpha,
                              torch::autograd::grad({alpha_loss.sum()}, {model.log_alpha})[0]);
}

}  // namespace

BOOST_AUTO_TEST_CASE(losses_gradients_and_statistics_equal_pytorch) {
  BOOST_REQUIRE(vector_files("batch_renorm_").size() == 3);
  for (const std::filesystem::path& path : vector_files("batch_renorm_")) {
    BOOST_TEST_CONTEXT(path.filename().string()) {
      const Vectors vectors(path);
      const Batch batch = batch_of(vectors);
      const AgentConfig config = config_of(vectors);
      const SacModel model = make_sac_model({config}, shape_of(batch));
      BOOST_TEST(model.joint_critics ==
                 (path.filename().string().find("joint") != std::string::npos));
      load(vectors, model);
      SacOptimisers optimisers = make_sac_optimisers({config}, model);
      const SacNoise noise{vectors.array("noise.next_action").unsqueeze(0),
                           vectors.array("noise.action").unsqueeze(0)};
      const int updates = std::stoi(vectors.text("updates"));
      for (int i = 0; i < updates; ++i) {
        update(vectors, i == 0, model, optimisers, batch, noise);
      }
      const auto check = [&](const std::string& network, const Parameters& parameters) {
        check_network(vectors, "end.", network, parameters, parameters.flat().detach(), 1e-4);
      };
      check("actor", model.actor);
      check("critic", model.critic);
      check("critic", model.critic_statistics.running);
      check("target_critic", model.target_critic);
      check("target_critic", model.target_statistics);
      check_near(model.log_alpha[0].detach(), vectors.array("end.log_alpha"), 0.0, 1e-5,
                 "log_alpha");
      BOOST_TEST(model.critic_statistics.num_batches.item<std::int64_t>() == updates);
    }
  }
}
