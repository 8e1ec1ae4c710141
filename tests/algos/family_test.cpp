// How DDPG, TD3 and DQN act, take turns and keep members apart.
#define BOOST_TEST_MODULE family
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "algos/agents/ddpg.hpp"
#include "algos/agents/dqn.hpp"
#include "algos/agents/exploration.hpp"
#include "algos/agents/td3.hpp"
#include "sim/errors.hpp"
#include "tests/algos/wave_batch.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kBatch = 32, kObservation = 5, kAction = 2, kChoices = 3;

AgentConfig config_of(const std::string& algorithm) {
  AgentConfig config;
  config.algorithm = algorithm;
  config.actor.hidden_dims = config.critic.hidden_dims = {16, 16};
  return config;
}

Batch make_batch(std::int64_t members, bool discrete) {
  return wave_batch(members, kBatch, kObservation, kAction, discrete);
}

std::unique_ptr<Agent> agent_of(const std::vector<AgentConfig>& members,
                                const std::vector<std::uint64_t>& seeds) {
  const bool discrete = members[0].algorithm == "dqn";
  return make_agent(
      members, {kObservation, discrete ? 1 : kAction, seeds, at::kCPU, discrete ? kChoices : 0});
}

Tensor parameter(const Agent& agent, const std::string& name) {
  for (const NamedTensor& named : agent.parameters()) {
    if (named.name == name) return named.tensor.clone();
  }
  throw std::logic_error("no " + name);
}

std::vector<float> act(Agent& agent, std::int64_t num_envs, std::int64_t width, ActionMode mode,
                       std::uint64_t counter) {
  std::vector<float> observation(static_cast<std::size_t>(num_envs * kObservation), 0.3f);
  std::vector<float> action(static_cast<std::size_t>(num_envs * width));
  agent.act(observation, action, mode, RandomStream::exploration_noise, counter);
  return action;
}

}  // namespace

BOOST_AUTO_TEST_CASE(exploration_follows_its_schedule) {
  ExplorationConfig config{.scale = 1.0, .final_scale = 0.05, .period = 100, .decay = 0.5};
  BOOST_TEST(exploration_scale(config, 1'000'000) == 1.0);
  config.schedule = ExplorationSchedule::linear;
  BOOST_TEST(exploration_scale(config, 0) == 1.0);
  BOOST_TEST(exploration_scale(config, 50) == 0.525);
  BOOST_TEST(exploration_scale(config, 100) == 0.05);
  BOOST_TEST(exploration_scale(config, 1000) == 0.05);
  config.schedule = ExplorationSchedule::exponential;
  BOOST_TEST(exploration_scale(config, 99) == 1.0);
  BOOST_TEST(exploration_scale(config, 100) == 0.5);
  BOOST_TEST(exploration_scale(config, 399) == 0.125);
  BOOST_TEST(exploration_scale(config, 1000) == 0.05);
}

BOOST_AUTO_TEST_CASE(gaussian_noise_has_its_scale_and_stays_in_bounds) {
  for (const std::string algorithm : {"td3", "ddpg"}) {
    AgentConfig config = config_of(algorithm);
    config.exploration.scale = 0.2;
    const auto agent = agent_of({config}, {3});
    const auto mean = act(*agent, 5000, kAction, ActionMode::deterministic, 0);
    const auto noisy = act(*agent, 5000, kAction, ActionMode::stochastic, 7);
    BOOST_TEST((noisy == act(*agent, 5000, kAction, ActionMode::stochastic, 7)));
    BOOST_TEST((noisy != act(*agent, 5000, kAction, ActionMode::stochastic, 8)));
    double sum = 0.0, squares = 0.0;
    for (std::size_t i = 0; i < mean.size(); ++i) {
      const double noise = noisy[i] - mean[i];
      sum += noise;
      squares += noise * noise;
    }
    const auto count = static_cast<double>(mean.size());
    BOOST_TEST(std::abs(sum / count) < 0.01);
    BOOST_TEST(std::abs(std::sqrt(squares / count) - 0.2) < 0.01);
    config.exploration.scale = 50.0;
    for (const float a : act(*agent_of({config}, {3}), 100, kAction, ActionMode::stochastic, 1)) {
      BOOST_TEST(std::abs(a) <= 1.0f);
    }
  }
}

BOOST_AUTO_TEST_CASE(dqn_throws_its_coins) {
  AgentConfig config = config_of("dqn");
  config.exploration = {.scale = 0.6};
  const auto agent = agent_of({config}, {3});
  const float best = act(*agent, 1, 1, ActionMode::deterministic, 0)[0];
  const auto others = [&](const std::vector<float>& actions) {
    return std::ranges::count_if(actions, [&](float a) { return a != best; });
  };
  // a random action is the best one in a third of the cases
  const auto actions = act(*agent, 9000, 1, ActionMode::stochastic, 5);
  BOOST_TEST(std::abs(static_cast<double>(others(actions)) / 9000.0 - 0.4) < 0.02);
  BOOST_TEST((std::set<float>(actions.begin(), actions.end()) == std::set<float>{0, 1, 2}));

  config.exploration.coin = ExplorationCoin::shared;
  const auto shared = agent_of({config}, {3});
  int random_steps = 0;
  for (std::uint64_t step = 0; step < 500; ++step) {
    const auto count = others(act(*shared, 60, 1, ActionMode::stochastic, step));
    BOOST_TEST((count == 0 || count > 20));  // nobody or about 40 of 60
    random_steps += count > 0 ? 1 : 0;
  }
  BOOST_TEST(std::abs(random_steps / 500.0 - 0.6) < 0.07);
}

BOOST_AUTO_TEST_CASE(policy_and_targets_have_their_turns) {
  for (const std::string algorithm : {"td3", "ddpg"}) {
    AgentConfig config = config_of(algorithm);
    config.policy_delay = 2;
    config.target_period = 3;
    const auto agent = agent_of({config}, {1});
    const Batch batch = make_batch(1, false);
    for (int update = 1; update <= 6; ++update) {
      const auto before = [&](const std::string& n) {
        return parameter(*agent, n + ".output.bias");
      };
      const Tensor actor = before("actor"), critic = before("critic");
      const Tensor target_actor = before("target_actor"), target = before("target_critic");
      agent->update(batch);
      const auto moved = [&](const std::string& n, const Tensor& old) {
        return !at::equal(before(n), old);
      };
      BOOST_TEST(moved("critic", critic));
      BOOST_TEST(moved("actor", actor) == (update % 2 == 0));
      BOOST_TEST(moved("target_critic", target) == (update % 3 == 0));
      BOOST_TEST(moved("target_actor", target_actor) == (update % 3 == 0));
    }
    const MetricMeans means = agent->take_metric_means();
    BOOST_TEST(means.names.size() >= 5u);
    BOOST_TEST(at::isfinite(means.values).all().item<bool>());
    BOOST_TEST(agent->take_metric_means().names.empty());
  }
}

BOOST_AUTO_TEST_CASE(dqn_copies_its_target) {
  AgentConfig config = config_of("dqn");
  config.tau = 1.0;
  config.target_period = 4;
  const auto agent = agent_of({config}, {1});
  const Tensor start = parameter(*agent, "target_critic.hidden_0.weight");
  const Batch batch = make_batch(1, true);
  for (int update = 1; update <= 8; ++update) {
    agent->update(batch);
    const Tensor target = parameter(*agent, "target_critic.hidden_0.weight");
    BOOST_TEST(at::equal(target, parameter(*agent, "critic.hidden_0.weight")) == (update % 4 == 0));
    if (update < 4) BOOST_TEST(at::equal(target, start));
  }
}

BOOST_AUTO_TEST_CASE(a_member_is_what_it_would_be_alone) {
  for (const std::string algorithm : {"td3", "ddpg", "dqn"}) {
    const bool discrete = algorithm == "dqn";
    std::vector<AgentConfig> members(2, config_of(algorithm));
    members[1].discount = 0.9;
    members[1].critic.learning_rate = 2e-3;
    members[1].tau = 0.1;
    const auto together = agent_of(members, {5, 6});
    const Batch stack = make_batch(2, discrete);
    for (int i = 0; i < 4; ++i) together->update(stack);
    for (std::int64_t m = 0; m < 2; ++m) {
      const auto alone =
          agent_of({members[static_cast<std::size_t>(m)]}, {static_cast<std::uint64_t>(5 + m)});
      Batch own(1, kBatch, kObservation, discrete ? 1 : kAction, at::kCPU);
      own.observation.copy_(stack.observation.narrow(0, m, 1));
      own.action.copy_(stack.action.narrow(0, m, 1));
      own.reward.copy_(stack.reward.narrow(0, m, 1));
      own.next_observation.copy_(stack.next_observation.narrow(0, m, 1));
      own.bootstrap.copy_(stack.bootstrap.narrow(0, m, 1));
      for (int i = 0; i < 4; ++i) alone->update(own);
      for (const NamedTensor& named : alone->parameters()) {
        BOOST_TEST(at::equal(named.tensor[0], parameter(*together, named.name)[m]),
                   algorithm << ' ' << named.name);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(actions_must_fit_the_algorithm) {
  const auto refused = [](const std::string& algorithm, std::int64_t choices) {
    BOOST_CHECK_THROW(make_agent({config_of(algorithm)}, {3, 1, {0}, at::kCPU, choices}),
                      ConfigError);
  };
  refused("sac", 2);
  refused("td3", 2);
  refused("ddpg", 2);
  refused("dqn", 0);
  refused("ppo", 0);
}
