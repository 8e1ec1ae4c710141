// What the reference systems switch: first weights, action units, turns, schedules of the
// temperature.
#define BOOST_TEST_MODULE switches
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "algos/agents/deterministic.hpp"
#include "algos/agents/sac.hpp"
#include "algos/agents/update_turn.hpp"

using namespace anthill;

namespace {

AgentShape shape_with_units() {
  return {.observation_dim = 3,
          .action_dim = 2,
          .seeds = {5},
          .action_scale = {2.0f, 0.5f},
          .action_bias = {0.25f, -0.5f}};
}

AgentConfig small(const std::string& algorithm) {
  AgentConfig config;
  config.algorithm = algorithm;
  config.actor.hidden_dims = config.critic.hidden_dims = {16};
  return config;
}

Batch waves() {
  Batch batch(1, 8, 3, 2, at::kCPU);
  for (const Tensor& t : {batch.observation, batch.next_observation, batch.action, batch.reward}) {
    t.copy_(at::sin(at::arange(t.numel(), at::kFloat) * 1.7).view(t.sizes()));
  }
  batch.bootstrap.fill_(1.0);
  return batch;
}

double mean_of(const MetricMeans& means, const std::string& name) {
  const auto k = std::ranges::find(means.names, name) - means.names.begin();
  return means.values[k][0].item<double>();
}

Tensor parameter(const Agent& agent, const std::string& name) {
  for (const NamedTensor& named : agent.parameters()) {
    if (named.name == name) return named.tensor.clone();
  }
  throw std::logic_error("no " + name);
}

std::vector<float> act(Agent& agent, std::int64_t num_envs, ActionMode mode) {
  std::vector<float> observation(static_cast<std::size_t>(3 * num_envs), 0.4f);
  std::vector<float> action(static_cast<std::size_t>(2 * num_envs));
  agent.act(observation, action, mode, RandomStream::exploration_noise, 3);
  return action;
}

}  // namespace

BOOST_AUTO_TEST_CASE(first_weights_of_every_method) {
  AgentConfig config = small("ddpg");
  config.actor.hidden_dims = config.critic.hidden_dims = {400, 300};
  config.initialisation = Initialisation::orthogonal;
  config.critic.initialisation = NetworkInitialisation::kaiming;
  config.critic.output_init_bound = 3e-3;
  const DeterministicModel model = make_deterministic_model({config}, {17, 2, {1}, at::kCPU}, 1);
  const Tensor weight = model.critic.view("hidden_1.weight")[0][0].detach();
  BOOST_TEST(std::abs(weight.std().item<double>() / std::sqrt(2.0 / 400.0) - 1.0) < 0.02);
  BOOST_TEST(std::abs(weight.mean().item<double>()) < 1e-3);
  BOOST_TEST(model.critic.view("hidden_1.bias").abs().max().item<double>() == 0.0);
  for (const char* name : {"output.weight", "output.bias"}) {
    const double largest = model.critic.view(name).abs().max().item<double>();
    BOOST_TEST((largest > 0.0 && largest <= 3e-3), name << ": " << largest);
  }
  // the other network is left to [agent]
  const Tensor square = model.actor.view("hidden_1.weight")[0][0].detach();
  const Tensor error = at::mm(square, square.t()) - at::eye(300);
  BOOST_TEST(error.abs().max().item<double>() < 1e-4);
}

BOOST_AUTO_TEST_CASE(noise_in_environment_units_is_divided_by_the_scale) {
  AgentConfig config = small("td3");
  config.action_units = ActionUnits::environment;
  config.exploration.scale = 0.1;
  const auto agent = make_agent({config}, shape_with_units());
  const auto mean = act(*agent, 4000, ActionMode::deterministic);
  const auto noisy = act(*agent, 4000, ActionMode::stochastic);
  double squares[2] = {0.0, 0.0};
  for (std::size_t i = 0; i < mean.size(); ++i) {
    squares[i % 2] += std::pow(noisy[i] - mean[i], 2) / 4000.0;
  }
  BOOST_TEST(std::abs(std::sqrt(squares[0]) - 0.05) < 0.003);
  BOOST_TEST(std::abs(std::sqrt(squares[1]) - 0.2) < 0.01);
}

BOOST_AUTO_TEST_CASE(a_linear_policy_puts_out_environment_units) {
  AgentConfig config = small("ddpg");
  config.actor.output = PolicyOutput::linear;
  config.action_units = ActionUnits::environment;
  const AgentShape shape = shape_with_units();
  const DeterministicModel model = make_deterministic_model({config}, shape, 1);
  const auto agent = make_agent({config}, shape);
  const Tensor measured = policy_action(model, model.actor, at::full({1, 1, 3}, 0.4f)).flatten();
  const auto action = act(*agent, 1, ActionMode::deterministic);
  for (std::size_t i = 0; i < 2; ++i) {
    const double value = measured[static_cast<std::int64_t>(i)].item<double>();
    const double expected = (value - shape.action_bias[i]) / shape.action_scale[i];
    BOOST_TEST(std::abs(action[i] - std::clamp(expected, -1.0, 1.0)) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(a_clipped_gaussian_stays_in_bounds_and_has_its_spread) {
  AgentConfig config = small("sac");
  config.actor.distribution = PolicyDistribution::clipped_gaussian;
  config.actor.log_std_min = config.actor.log_std_max = std::log(0.3);
  const auto agent = make_agent({config}, shape_with_units());
  const auto mean = act(*agent, 4000, ActionMode::deterministic);
  const auto noisy = act(*agent, 4000, ActionMode::stochastic);
  double squares = 0.0;
  for (std::size_t i = 0; i < noisy.size(); ++i) {
    BOOST_TEST(std::abs(noisy[i]) <= 1.0f);
    squares += std::pow(noisy[i] - mean[i], 2) / 8000.0;
  }
  BOOST_TEST(std::abs(std::sqrt(squares) - 0.3) < 0.03);
}

BOOST_AUTO_TEST_CASE(turns_of_critics_policy_and_targets) {
  AgentConfig config;
  config.policy_delay = 2;
  config.target_period = 3;
  for (std::int64_t n = 0; n < 12; ++n) {
    const UpdateTurn turn = update_turn(config, n);
    BOOST_TEST((turn.critic && turn.policy == (n % 2 == 1) && turn.targets == (n % 3 == 2)));
  }
  config = {};
  config.critic_updates = 3;
  config.policy_updates = 2;
  config.target_period = 2;
  for (std::int64_t n = 0; n < 20; ++n) {
    const UpdateTurn turn = update_turn(config, n);
    BOOST_TEST(turn.critic == (n % 5 < 3));
    BOOST_TEST(turn.policy == (n % 5 >= 3));
    BOOST_TEST(turn.targets == (n % 10 == 9));
  }
}

// every network moves in its own updates alone, the targets (the policy's too) in theirs
static void check_turns(AgentConfig config, const std::string& algorithm) {
  config.target_policy = algorithm == "sac";
  const auto agent = make_agent({config}, shape_with_units());
  const Batch batch = waves();
  bool policy_has_moved = false;
  for (std::int64_t update = 0; update < 12; ++update) {
    const auto bias = [&](const std::string& n) { return parameter(*agent, n + ".output.bias"); };
    const std::vector<std::string> names = {"critic", "actor", "target_critic", "target_actor"};
    std::vector<Tensor> before;
    for (const auto& name : names) before.push_back(bias(name));
    agent->update(batch);
    const UpdateTurn turn = update_turn(config, update);
    policy_has_moved |= turn.policy;
    const bool expected[] = {turn.critic, turn.policy, turn.targets,
                             turn.targets && policy_has_moved};
    for (std::size_t i = 0; i < names.size(); ++i) {
      BOOST_TEST(!at::equal(before[i], bias(names[i])) == expected[i],
                 algorithm << ", update " << update << ", " << names[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(agents_take_turns) {
  for (const std::string algorithm : {"sac", "td3", "ddpg"}) {
    AgentConfig rounds = small(algorithm);
    rounds.critic_updates = 2;
    check_turns(rounds, algorithm);
    AgentConfig periods = small(algorithm);
    periods.policy_delay = 3;
    periods.target_period = 2;
    check_turns(periods, algorithm);
  }
}

BOOST_AUTO_TEST_CASE(means_are_over_the_updates_that_have_the_metric) {
  AgentConfig config = small("sac");
  config.temperature.automatic = false;
  config.temperature.initial_alpha = 0.25;
  // nothing moves, so that every update measures the same
  config.actor.learning_rate = config.critic.learning_rate = 0.0;
  config.tau = 1e-9;
  const auto always = make_agent({config}, shape_with_units());
  config.policy_delay = 3;
  const auto seldom = make_agent({config}, shape_with_units());
  const Batch batch = waves();
  for (int i = 0; i < 3; ++i) seldom->update(batch);
  const MetricMeans rare = seldom->take_metric_means();
  for (int i = 0; i < 2; ++i) always->update(batch);
  always->take_metric_means();
  always->update(batch);  // update 2, with the noise of the one that had the policy's turn
  const MetricMeans one = always->take_metric_means();
  for (const char* name : {"actor_loss", "entropy"}) {
    BOOST_TEST(std::abs(mean_of(rare, name) - mean_of(one, name)) < 1e-6);
  }
  BOOST_TEST(mean_of(rare, "alpha") == 0.25);
  seldom->update(batch);
  const MetricMeans of_critics = seldom->take_metric_means();
  for (const char* name : {"actor_loss", "alpha_loss", "entropy"}) {
    BOOST_TEST((std::ranges::find(of_critics.names, name) == of_critics.names.end()), name);
  }
  BOOST_TEST(of_critics.values.size(0) == static_cast<std::int64_t>(of_critics.names.size()));
  BOOST_TEST(std::isfinite(mean_of(of_critics, "critic_loss")));
}

BOOST_AUTO_TEST_CASE(alpha_follows_its_schedule) {
  AgentConfig config = small("sac");
  config.temperature = {
      .automatic = false, .initial_alpha = 1.0, .decay_steps = 35'000, .final_alpha = 0.01};
  const auto agent = make_agent({config}, shape_with_units());
  for (const std::int64_t step : {0, 35'000, 200'000}) {
    agent->set_env_steps(step);
    const double expected = 0.01 + 0.99 * std::exp(-static_cast<double>(step) / 35'000.0);
    const double alpha = parameter(*agent, "log_alpha").exp().item<double>();
    BOOST_TEST(std::abs(alpha / expected - 1.0) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(correlated_noise_has_its_spread_and_memory) {
  for (const std::string algorithm : {"td3", "sac"}) {
    AgentConfig config = small(algorithm);
    config.exploration = {.scale = 0.1, .correlation_steps = 10.0};
    if (algorithm == "sac") config.actor.log_std_min = config.actor.log_std_max = -20.0;
    const auto agent = make_agent({config}, shape_with_units());
    const auto mean = act(*agent, 1, ActionMode::deterministic);
    constexpr std::int64_t kEnvs = 500;
    std::vector<float> observation(3 * kEnvs, 0.4f), before(2 * kEnvs), now(2 * kEnvs);
    double squares = 0.0, products = 0.0;
    for (std::uint64_t step = 0; step < 40; ++step) {
      agent->act(observation, now, ActionMode::stochastic, RandomStream::exploration_noise, step);
      for (std::size_t i = 0; i < now.size() && step > 0; ++i) {
        squares += std::pow(now[i] - mean[i % 2], 2);
        products += (now[i] - mean[i % 2]) * (before[i] - mean[i % 2]);
      }
      before = now;
    }
    BOOST_TEST(std::abs(std::sqrt(squares / (39.0 * 2 * kEnvs)) - 0.1) < 0.005, algorithm);
    BOOST_TEST(std::abs(products / squares - std::exp(-0.1)) < 0.02, algorithm);
  }
}
