// DDPG, TD3 and DQN as the value probe sees them: the policy that acts, the critics that learn.
#define BOOST_TEST_MODULE greedy_actor_critic
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "algos/agents/actor_critic.hpp"
#include "algos/agents/ddpg.hpp"
#include "algos/agents/dqn.hpp"
#include "algos/agents/td3.hpp"
#include "tests/algos/wave_batch.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kBatch = 32, kObservation = 5, kAction = 2, kChoices = 3;
const std::vector<std::uint64_t> kSeeds = {3, 8};

AgentConfig config_of(const std::string& algorithm) {
  AgentConfig config;
  config.algorithm = algorithm;
  config.actor.hidden_dims = config.critic.hidden_dims = {16, 16};
  config.actor.learning_rate = config.critic.learning_rate = 1e-2;
  config.discount = 0.9;
  config.reward_scale = 3.0;
  config.target_noise = 0.0;
  return config;
}

AgentShape shape_of(const AgentConfig& config) {
  if (config.algorithm == "dqn") return {kObservation, 1, kSeeds, at::kCPU, kChoices};
  AgentShape shape{kObservation, kAction, kSeeds, at::kCPU};
  shape.action_scale = {2.0f, 0.5f};
  shape.action_bias = {1.0f, 0.0f};
  return shape;
}

Batch batch_of(const AgentConfig& config) {
  return wave_batch(2, kBatch, kObservation, kAction, config.algorithm == "dqn");
}

struct CriticLoss {
  Tensor q;       // (M x E x B)
  Tensor target;  // (M x B)
};

CriticLoss loss_of(const Agent& agent, const AgentConfig& config, const Batch& batch) {
  if (config.algorithm == "dqn") {
    const DqnLoss loss = dqn_loss(dynamic_cast<const Dqn&>(agent).model(), batch);
    return {loss.q.unsqueeze(1), loss.target};
  }
  const DeterministicModel& model = dynamic_cast<const DeterministicAgent&>(agent).model();
  if (config.algorithm == "td3") {
    const Td3CriticLoss loss = td3_critic_loss(model, batch, at::zeros_like(batch.action));
    return {loss.q, loss.target};
  }
  const DdpgCriticLoss loss = ddpg_critic_loss(model, batch);
  return {loss.q, loss.target};
}

/// Learned for a while, with targets that are copies where `in_step`.
std::unique_ptr<Agent> trained(AgentConfig config, const Batch& batch, bool in_step) {
  if (in_step) config.tau = 1.0;
  std::unique_ptr<Agent> agent = make_agent({config, config}, shape_of(config));
  for (int i = 0; i < 20; ++i) agent->update(batch);
  return agent;
}

void is_close(const Tensor& a, const Tensor& b, const std::string& what) {
  BOOST_TEST(a.sizes() == b.sizes(), what);
  BOOST_TEST(at::allclose(a, b, 1e-5, 1e-5), what);
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_are_those_of_the_losses) {
  for (const std::string algorithm : {"ddpg", "td3", "dqn"}) {
    for (const ActionUnits units : {ActionUnits::normalised, ActionUnits::environment}) {
      AgentConfig config = config_of(algorithm);
      config.action_units = units;
      const Batch batch = batch_of(config);
      const auto agent = trained(config, batch, false);
      const CriticLoss loss = loss_of(*agent, config, batch);
      for (std::int64_t m = 0; m < 2; ++m) {
        const auto view = agent->actor_critic(m);
        is_close(view->q(batch.observation[m], batch.action[m]), loss.q[m], algorithm + " q");
        BOOST_TEST(!at::allclose(view->target_q(batch.observation[m], batch.action[m]), loss.q[m],
                                 1e-3, 1e-3));
        BOOST_TEST(view->alpha() == 0.0);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_policy_is_the_one_of_the_target) {
  for (const std::string algorithm : {"ddpg", "td3", "dqn"}) {
    const AgentConfig config = config_of(algorithm);
    const Batch batch = batch_of(config);
    const auto agent = trained(config, batch, true);  // mu' = mu, Q' = Q
    const Tensor target = loss_of(*agent, config, batch).target;
    for (std::int64_t m = 0; m < 2; ++m) {
      const auto view = agent->actor_critic(m);
      const Tensor noise = at::ones({kBatch, view->action_dim()});
      const auto next = view->sample(batch.next_observation[m], noise);
      BOOST_TEST(at::equal(next.action, view->mode(batch.next_observation[m])));
      BOOST_TEST(at::equal(next.log_prob, at::zeros({kBatch})));
      const Tensor value = view->target_q(batch.next_observation[m], next.action).amin(0);
      is_close(view->reward_scale() * batch.reward[m] + view->discount() * value, target[m],
               algorithm);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_policy_is_the_one_that_acts) {
  for (const std::string algorithm : {"ddpg", "td3", "dqn"}) {
    for (const PolicyOutput output : {PolicyOutput::tanh, PolicyOutput::linear}) {
      for (const ActionUnits units : {ActionUnits::normalised, ActionUnits::environment}) {
        AgentConfig config = config_of(algorithm);
        config.actor.output = output;
        config.action_units = units;
        const Batch batch = batch_of(config);
        const auto agent = trained(config, batch, false);
        const std::int64_t width = agent->actor_critic(0)->action_dim();
        std::vector<float> acted(static_cast<std::size_t>(2 * kBatch * width));
        const Tensor observation = batch.observation.contiguous();
        agent->act({observation.data_ptr<float>(), static_cast<std::size_t>(observation.numel())},
                   acted, ActionMode::deterministic, RandomStream::evaluation_noise, 0);
        for (std::int64_t m = 0; m < 2; ++m) {
          const Tensor mode = agent->actor_critic(m)->mode(batch.observation[m]).contiguous();
          BOOST_TEST(mode.size(1) == width);
          BOOST_TEST(std::equal(mode.data_ptr<float>(), mode.data_ptr<float>() + mode.numel(),
                                acted.begin() + m * kBatch * width),
                     algorithm);
        }
      }
    }
  }
}
