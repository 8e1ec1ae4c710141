// TD3, DDPG and DQN against PyTorch: the files of vectors/make_family_vectors.py, and system C's
// constants (drawn from PyTorch's own CPU generator).
#define BOOST_TEST_MODULE family_vectors
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <functional>

#include "algos/agents/ddpg.hpp"
#include "algos/agents/dqn.hpp"
#include "algos/agents/sac.hpp"
#include "algos/agents/td3.hpp"
#include "algos/networks/noise.hpp"
#include "tests/algos/vectors.hpp"

using namespace anthill;

namespace {

AgentConfig config_of(const Vectors& vectors) {
  AgentConfig config = vectors.config();
  config.algorithm = vectors.text("algorithm");
  config.target_noise = vectors.number("target_noise");
  config.noise_clip = vectors.number("noise_clip");
  config.double_dqn = vectors.text("double_dqn") == "true";
  if (vectors.text("output") == "linear") config.actor.output = PolicyOutput::linear;
  return config;
}

void check_loss(const Vectors& vectors, const Tensor& loss, const std::string& name) {
  check_near(loss[0].detach(), vectors.array(name), 0.0, 1e-5, name);
}

/// The first update's losses and gradients, of a fresh model.
void check_first(const Vectors& vectors, const DeterministicModel& model, const Batch& batch) {
  const Tensor noise = vectors.array("noise.target").unsqueeze(0);
  const bool is_td3 = model.config.algorithm == "td3";
  const Tensor critic_loss =
      is_td3 ? td3_critic_loss(model, batch, noise).loss : ddpg_critic_loss(model, batch).loss;
  check_loss(vectors, critic_loss, "critic_loss");
  check_network(vectors, "gradient.", "critic", model.critic, model.critic.gradient(critic_loss),
                1e-5);
}

/// The policy's loss and gradient after the critics' first step.
void check_policy(const Vectors& vectors, const DeterministicModel& model, const Batch& batch) {
  const bool is_td3 = model.config.algorithm == "td3";
  const Tensor loss = is_td3 ? td3_actor_loss(model, batch) : ddpg_actor_loss(model, batch);
  check_loss(vectors, loss, "actor_loss");
  check_network(vectors, "gradient.", "actor", model.actor, model.actor.gradient(loss), 1e-5);
}

using NoiseOf = std::function<Tensor(int update)>;

/// The updates as the agents make them, but with given noise. The file knows the policy's loss and
/// gradient after the critics' first step, with its own noise.
void run_updates(const Vectors& vectors, const DeterministicModel& model, const Batch& batch,
                 const NoiseOf& noise_of, bool is_file_noise) {
  DeterministicOptimisers optimisers = make_optimisers({model.config}, model);
  const bool is_td3 = model.config.algorithm == "td3";
  const int updates = std::stoi(vectors.text("updates"));
  for (int i = 0; i < updates; ++i) {
    const UpdateTurn turn = update_turn(model.config, i);
    const Tensor noise = noise_of(i);
    if (turn.critic) {
      const Tensor critic_loss =
          is_td3 ? td3_critic_loss(model, batch, noise).loss : ddpg_critic_loss(model, batch).loss;
      optimisers.critic.step(model.critic.flat(), model.critic.gradient(critic_loss),
                             turn.targets ? optimisers.target_critic : PolyakTarget{});
    } else if (turn.targets) {
      follow(optimisers.target_critic, model.critic.flat());
    }
    if (i == 0 && is_file_noise) check_policy(vectors, model, batch);
    if (!turn.policy && turn.targets) follow(optimisers.target_actor, model.actor.flat());
    if (!turn.policy) continue;
    const Tensor loss = is_td3 ? td3_actor_loss(model, batch) : ddpg_actor_loss(model, batch);
    optimisers.actor.step(model.actor.flat(), model.actor.gradient(loss),
                          turn.targets ? optimisers.target_actor : PolyakTarget{});
  }
}

void check_end(const Vectors& vectors, const std::string& network, const Parameters& parameters) {
  check_network(vectors, "end.", network, parameters, parameters.flat().detach(), 1e-5);
}

DeterministicModel start_of(const Vectors& vectors, const AgentConfig& config, const Batch& batch) {
  DeterministicModel model =
      make_deterministic_model({config}, shape_of(batch), config.algorithm == "td3" ? 2 : 1);
  load_start(vectors, "actor", model.actor);
  load_start(vectors, "target_actor", model.target_actor);
  load_start(vectors, "critic", model.critic);
  load_start(vectors, "target_critic", model.target_critic);
  return model;
}

void check_deterministic(const Vectors& vectors, const AgentConfig& config, const Batch& batch) {
  const DeterministicModel model = start_of(vectors, config, batch);
  check_first(vectors, model, batch);
  run_updates(
      vectors, model, batch, [&](int) { return vectors.array("noise.target").unsqueeze(0); }, true);
  check_end(vectors, "actor", model.actor);
  check_end(vectors, "target_actor", model.target_actor);
  check_end(vectors, "critic", model.critic);
  check_end(vectors, "target_critic", model.target_critic);
}

/// The agent itself, with noise of its own, against those updates with the same noise.
template <class Agent>
void check_agent(const Vectors& vectors, const AgentConfig& config, const Batch& batch) {
  const DeterministicModel model = start_of(vectors, config, batch);
  const AgentShape shape = shape_of(batch);
  run_updates(
      vectors, model, batch,
      [&](int update) {
        const Tensor noise = at::empty_like(batch.action);
        fill_normal(noise, shape.seeds, RandomStream::target_noise,
                    static_cast<std::uint64_t>(update));
        return noise;
      },
      false);
  Agent agent({config}, shape);
  {
    const DeterministicModel start = start_of(vectors, config, batch);
    at::NoGradGuard no_grad;
    agent.model().actor.flat().copy_(start.actor.flat());
    agent.model().target_actor.flat().copy_(start.target_actor.flat());
    agent.model().critic.flat().copy_(start.critic.flat());
    agent.model().target_critic.flat().copy_(start.target_critic.flat());
  }
  for (int i = 0; i < std::stoi(vectors.text("updates")); ++i) agent.update(batch);
  const auto same = [](const Parameters& a, const Parameters& b) {
    return at::equal(a.flat(), b.flat());
  };
  BOOST_TEST(same(agent.model().actor, model.actor));
  BOOST_TEST(same(agent.model().target_actor, model.target_actor));
  BOOST_TEST(same(agent.model().critic, model.critic));
  BOOST_TEST(same(agent.model().target_critic, model.target_critic));
}

/// DQN has no noise, so that the whole agent runs.
void check_dqn(const Vectors& vectors, const AgentConfig& config, const Batch& batch) {
  Dqn agent({config},
            {batch.observation.size(2), 1, {1}, at::kCPU, std::stol(vectors.text("num_actions"))});
  const DqnModel& model = agent.model();
  load_start(vectors, "critic", model.critic);
  load_start(vectors, "target_critic", model.target_critic);
  const Tensor loss = dqn_loss(model, batch).loss;
  check_loss(vectors, loss, "critic_loss");
  check_network(vectors, "gradient.", "critic", model.critic, model.critic.gradient(loss), 1e-5);
  for (int i = 0; i < std::stoi(vectors.text("updates")); ++i) agent.update(batch);
  check_end(vectors, "critic", model.critic);
  check_end(vectors, "target_critic", model.target_critic);
}

/// System C's batch: five transitions from PyTorch's generator, which is then seeded anew.
struct SystemC {
  Batch batch;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);

  template <class Draw>
  SystemC(std::int64_t action_dim, const Draw& draw_action) : batch(1, 5, 4, action_dim, at::kCPU) {
    generator.set_current_seed(0);
    const auto rand = [&](at::IntArrayRef shape) { return at::rand(shape, generator); };
    batch.observation[0].copy_(rand({5, 4}));
    batch.action[0].copy_(draw_action(generator));
    batch.reward[0].copy_(rand({5}));
    batch.next_observation[0].copy_(rand({5, 4}));
    batch.bootstrap[0].copy_(at::randint(0, 2, {5}, generator));
    generator.set_current_seed(0);
  }

  /// The next torch.nn.Linear, into networks of one layer.
  void draw_linear(const Parameters& parameters, std::int64_t network = 0) {
    at::NoGradGuard no_grad;
    const Tensor weight = parameters.view("output.weight")[0][network];
    const double bound = 1.0 / std::sqrt(static_cast<double>(weight.size(1)));
    for (const Tensor& t : {weight, parameters.view("output.bias")[0][network]}) {
      t.copy_(at::empty(t.sizes(), at::kFloat).uniform_(-bound, bound, generator));
    }
  }
};

/// A config whose critics see the task's own units, bounds +-3.
AgentConfig system_c_config(const std::string& algorithm) {
  AgentConfig config;
  config.algorithm = algorithm;
  config.action_units = ActionUnits::environment;
  config.actor.hidden_dims = config.critic.hidden_dims = {};
  config.actor.output = PolicyOutput::linear;
  config.double_dqn = false;
  config.target_policy = true;
  config.policy_value = PolicyValue::first;
  config.actor.distribution = PolicyDistribution::clipped_gaussian;
  config.actor.log_std_min = std::log(0.2);
  config.actor.log_std_max = std::log(2.0);
  config.temperature = {.automatic = false, .entropy = EntropyForm::analytic};
  return config;
}

AgentShape system_c_shape() {
  return {.observation_dim = 4,
          .action_dim = 1,
          .seeds = {1},
          .action_scale = {3.0f},
          .action_bias = {0.0f}};
}

/// Normalised actions whose measure is U(-3, 3).
Tensor random_actions(const at::Generator& generator) {
  return (at::rand({5, 1}, generator) - 0.5) * 2.0;
}

/// Both losses of one of the three milestones, with noise from the generator that drew the
/// networks.
void check_system_c_sac(std::int64_t num_critics, double alpha, double critic_loss,
                        double actor_loss) {
  SystemC c(1, random_actions);
  AgentConfig config = system_c_config("sac");
  config.critic.num_critics = num_critics;
  config.temperature.initial_alpha = alpha;
  const SacModel model = make_sac_model({config}, system_c_shape());
  for (std::int64_t e = 0; e < num_critics; ++e) {
    c.draw_linear(model.critic, e);
    c.draw_linear(model.target_critic, e);
  }
  c.draw_linear(model.actor);
  c.draw_linear(model.target_actor);
  SacNoise noise;
  noise.next_action = at::randn({5, 1}, c.generator).unsqueeze(0);
  noise.action = at::randn({5, 1}, c.generator).unsqueeze(0);
  BOOST_TEST(std::abs(sac_critic_loss(model, c.batch, noise).loss.item<double>() - critic_loss) <
             1e-4);
  BOOST_TEST(std::abs(sac_actor_loss(model, c.batch, noise).loss.item<double>() - actor_loss) <
             1e-4);
}

}  // namespace

BOOST_AUTO_TEST_CASE(losses_gradients_and_updates_equal_pytorch) {
  BOOST_REQUIRE(vector_files("family_").size() == 13);
  for (const std::filesystem::path& path : vector_files("family_")) {
    BOOST_TEST_CONTEXT(path.filename().string()) {
      const Vectors vectors(path);
      const AgentConfig config = config_of(vectors);
      const Batch batch = batch_of(vectors);
      if (config.algorithm == "dqn") {
        check_dqn(vectors, config, batch);
      } else {
        check_deterministic(vectors, config, batch);
        config.algorithm == "td3" ? check_agent<Td3>(vectors, config, batch)
                                  : check_agent<Ddpg>(vectors, config, batch);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(system_c_dqn) {
  SystemC c(1, [](const at::Generator& g) { return at::randint(0, 2, {5, 1}, g); });
  const DqnModel model = make_dqn_model({system_c_config("dqn")}, {4, 1, {1}, at::kCPU, 2});
  c.draw_linear(model.critic);
  c.draw_linear(model.target_critic);
  BOOST_TEST(std::abs(dqn_loss(model, c.batch).loss.item<double>() - .156736) < 1e-4);
}

BOOST_AUTO_TEST_CASE(system_c_ddpg) {
  SystemC c(1, random_actions);
  const DeterministicModel model =
      make_deterministic_model({system_c_config("ddpg")}, system_c_shape(), 1);
  c.draw_linear(model.critic);
  c.draw_linear(model.target_critic);
  c.draw_linear(model.actor);
  c.draw_linear(model.target_actor);
  BOOST_TEST(std::abs(ddpg_critic_loss(model, c.batch).loss.item<double>() - .603573) < 1e-4);
  BOOST_TEST(std::abs(ddpg_actor_loss(model, c.batch).item<double>() + .055267) < 1e-4);
}

BOOST_AUTO_TEST_CASE(system_c_sac) {
  check_system_c_sac(1, 0.0, .785731, .223198);     // M1
  check_system_c_sac(2, 0.0, 1.048981, -.131855);   // M2
  check_system_c_sac(2, .002, 1.052995, -.134109);  // M3
}
