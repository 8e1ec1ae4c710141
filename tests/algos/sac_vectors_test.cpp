// SAC against PyTorch's own modules and optimisers: the files of vectors/make_sac_vectors.py.
#define BOOST_TEST_MODULE sac_vectors
#include "tests/algos/sac_vectors.hpp"

#include "algos/agents/sac_remedies.hpp"
#include "algos/agents/update_turn.hpp"

using namespace anthill;

namespace {

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
      const AgentConfig config = sac_config_of(vectors);
      const SacModel model = make_sac_model({config}, shape_of(batch));
      BOOST_REQUIRE(model.critic.ensemble() == config.critic.num_critics);
      load_sac_start(vectors, model);
      SacOptimisers optimisers = make_sac_optimisers({config}, model);
      const SacNoise noise = sac_noise_of(vectors);
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
