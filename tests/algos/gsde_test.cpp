// Generalised state-dependent exploration: its density and slopes, and the matrices it acts with.
#define BOOST_TEST_MODULE gsde
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "algos/agents/sac.hpp"
#include "tests/algos/plain_learner.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kObservation = 3, kAction = 2;

Tensor numbers(at::IntArrayRef sizes, double phase) {
  std::int64_t size = 1;
  for (const std::int64_t extent : sizes) size *= extent;
  return at::sin(at::arange(size, at::kDouble).square() * 0.37 + phase).view(sizes);
}

/// tanh everywhere, so that slopes are smooth.
MlpShape shape_with(bool switches) {
  return {.input_dim = kObservation,
          .hidden_dims = {6, 6},
          .output_dim = kAction,
          .activation = Activation::tanh,
          .layer_norm = switches,
          .residual = switches,
          .unit_features = switches};
}

Parameters actor_of(const MlpShape& shape, std::int64_t members) {
  Parameters actor(gsde_layout(shape), members, 1, at::kCPU, true, at::kDouble);
  at::NoGradGuard no_grad;
  actor.flat().copy_(numbers(actor.flat().sizes(), 0.4));
  return actor;
}

AgentConfig gsde_config() {
  AgentConfig config;
  config.actor.hidden_dims = config.critic.hidden_dims = {16, 13};
  config.actor.distribution = PolicyDistribution::gsde;
  config.actor.layer_norm = true;
  config.actor.log_std_init = -1.5;
  config.exploration.sde_sample_freq = 4;
  return config;
}

Sac agent_of(const AgentConfig& config, const std::vector<std::uint64_t>& seeds) {
  return Sac(std::vector<AgentConfig>(seeds.size(), config),
             {kObservation, kAction, seeds, at::kCPU});
}

/// Actions of every lane on one observation, [lanes x A].
std::vector<float> act(Agent& agent, std::int64_t num_lanes, std::uint64_t step,
                       RandomStream stream = RandomStream::exploration_noise,
                       ActionMode mode = ActionMode::stochastic) {
  const std::vector<float> observation(static_cast<std::size_t>(kObservation * num_lanes), 0.4f);
  std::vector<float> action(static_cast<std::size_t>(kAction * num_lanes));
  agent.act(observation, action, mode, stream, step);
  return action;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_density_is_one_of_the_actions_and_has_the_given_variance) {
  const MlpShape shape = shape_with(true);
  const Parameters actor = actor_of(shape, 1);
  const Tensor observation = numbers({1, 1, kObservation}, 0.1);
  const Tensor head = gsde_head(shape, actor, observation, true).detach();
  const Tensor phi = plain::features(shape, actor.flat(), observation).detach();
  const Tensor sigma = actor.view("log_std")[0].exp();
  for (std::int64_t i = 0; i < kAction; ++i) {
    double variance = 1e-6;
    for (std::int64_t k = 0; k < 6; ++k) {
      variance += std::pow(phi[0][0][k].item<double>() * sigma[0][k][i].item<double>(), 2);
    }
    BOOST_TEST(std::abs(std::exp(2 * head[0][0][kAction + i].item<double>()) - variance) < 1e-12);
  }
  // the first action element's marginal integrates to 1 over (-1, 1)
  const std::int64_t count = 200'001;
  const Tensor noise = at::linspace(-8.0, 8.0, count, at::kDouble).view({1, count, 1});
  const Tensor one = at::stack({head.select(-1, 0), head.select(-1, kAction)}, -1);
  ActorConfig config;
  config.log_std_min = -100.0;
  const SquashedSample sample =
      sample_squashed_gaussian(config, one.expand({1, count, 2}).contiguous(), noise);
  const double mass =
      at::trapezoid(sample.log_prob.exp(), sample.action.squeeze(-1)).item<double>();
  BOOST_TEST(std::abs(mass - 1.0) < 1e-6);
}

BOOST_AUTO_TEST_CASE(gradients_are_slopes) {
  constexpr std::int64_t kMembers = 2, kBatch = 5;
  const Tensor observation = numbers({kMembers, kBatch, kObservation}, 0.1);
  const Tensor noise = numbers({kMembers, kBatch, kAction}, 0.2);
  const Tensor weight = numbers({kMembers, kBatch, kAction}, 0.3);
  for (const bool switches : {false, true}) {
    for (const LogProbForm form : {LogProbForm::exact, LogProbForm::epsilon}) {
      const MlpShape shape = shape_with(switches);
      const Parameters actor = actor_of(shape, kMembers);
      ActorConfig config;
      config.log_prob_form = form;
      config.log_std_min = -100.0;
      const auto loss = [&](bool learn_features) {
        const SquashedSample sample = sample_squashed_gaussian(
            config, gsde_head(shape, actor, observation, learn_features), noise);
        return (sample.action * weight).sum() + 0.3 * sample.log_prob.sum();
      };
      const Tensor gradient = actor.gradient(loss(true)), held = actor.gradient(loss(false));
      const auto& log_std = actor.layout().entries().back();
      BOOST_REQUIRE(log_std.name == "log_std");
      // features that are held change what reaches the network, not what reaches log_std
      const auto part = [&](const Tensor& t) { return t.narrow(2, log_std.offset, log_std.size); };
      BOOST_TEST(at::equal(part(held), part(gradient)));
      BOOST_TEST(
          !at::equal(held.narrow(2, 0, log_std.offset), gradient.narrow(2, 0, log_std.offset)));
      at::NoGradGuard no_grad;
      double* values = actor.flat().data_ptr<double>();
      for (std::int64_t i = 0; i < actor.flat().numel(); ++i) {
        const double saved = values[i], step = 1e-5;
        values[i] = saved + step;
        const double above = loss(true).item<double>();
        values[i] = saved - step;
        const double below = loss(true).item<double>();
        values[i] = saved;
        const double slope = (above - below) / (2 * step);
        const double found = gradient.view(-1)[i].item<double>();
        BOOST_TEST(std::abs(slope - found) < 1e-7 * (1.0 + std::abs(slope)),
                   "element " << i << ": " << slope << ", " << found);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_matrix_is_held_and_then_drawn_anew) {
  Sac agent = agent_of(gsde_config(), {5});
  const std::vector<float> first = act(agent, 3, 0);
  for (const std::uint64_t step : {1, 2, 3}) BOOST_TEST((act(agent, 3, step) == first));
  const std::vector<float> second = act(agent, 3, 4);
  for (std::size_t i = 0; i < first.size(); ++i) BOOST_TEST(second[i] != first[i]);
  // every environment has its own
  BOOST_TEST((first[0] != first[2] && first[2] != first[4]));
  // a function of the step: what acted before is no matter
  Sac fresh = agent_of(gsde_config(), {5});
  BOOST_TEST((act(fresh, 3, 7) == second));
  // nor how many environments there are, but for the network's last bits
  const std::vector<float> five = act(fresh, 5, 5);
  for (std::size_t i = 0; i < second.size(); ++i) BOOST_TEST(std::abs(five[i] - second[i]) < 1e-6);
  // and of a member's own seed
  Sac stack = agent_of(gsde_config(), {9, 5});
  const std::vector<float> both = act(stack, 6, 4);
  BOOST_TEST(std::equal(second.begin(), second.end(), both.begin() + 6));
  // learning changes what the same matrix does
  Batch batch(1, 8, kObservation, kAction, at::kCPU);
  for (const Tensor& t : {batch.observation, batch.next_observation, batch.action, batch.reward}) {
    t.copy_(numbers(t.sizes(), 0.6));
  }
  agent.update(batch);
  BOOST_TEST((act(agent, 3, 4) != second));
}

BOOST_AUTO_TEST_CASE(actions_have_the_policys_distribution) {
  constexpr std::int64_t kEnvs = 20'000;
  Sac agent = agent_of(gsde_config(), {5});
  const Tensor observation = at::full({1, 1, kObservation}, 0.4);
  const Tensor head = sac_head(agent.model(), agent.model().actor, observation).detach().flatten();
  const auto check = [&](const std::vector<float>& actions) {
    const Tensor u = at::atanh(at::tensor(actions)).view({kEnvs, kAction});
    for (std::int64_t i = 0; i < kAction; ++i) {
      const double std = std::exp(head[kAction + i].item<double>());
      const double mean_error = (u.select(1, i).mean() - head[i]).item<double>();
      BOOST_TEST(std::abs(mean_error) < 4.0 * std / std::sqrt(kEnvs));
      BOOST_TEST(std::abs(u.select(1, i).std().item<double>() / std - 1.0) < 0.02);
    }
  };
  check(act(agent, kEnvs, 11));
  // evaluations draw every step apart
  const auto evaluated = act(agent, kEnvs, 0, RandomStream::evaluation_noise);
  check(evaluated);
  const auto next = act(agent, kEnvs, 1, RandomStream::evaluation_noise);
  BOOST_TEST((evaluated[0] != next[0] && evaluated[1] != next[1]));
  // without noise: the mean, whatever the step
  const auto mode = act(agent, 1, 3, RandomStream::exploration_noise, ActionMode::deterministic);
  for (std::int64_t i = 0; i < kAction; ++i) {
    BOOST_TEST(mode[static_cast<std::size_t>(i)] == at::tanh(head[i]).item<float>());
  }
}

BOOST_AUTO_TEST_CASE(log_std_begins_where_asked_and_begins_anew) {
  AgentConfig config = gsde_config();
  config.reset_period = 2;
  config.reset_networks = {"actor"};
  Sac agent = agent_of(config, {5});
  const Tensor& log_std = agent.model().actor.view("log_std");
  BOOST_TEST((log_std.sizes() == at::IntArrayRef{1, 1, 13, kAction}));
  BOOST_TEST((log_std == -1.5).all().item<bool>());
  Batch batch(1, 8, kObservation, kAction, at::kCPU);
  batch.observation.copy_(numbers(batch.observation.sizes(), 0.6));
  batch.next_observation.copy_(numbers(batch.observation.sizes(), 0.7));
  agent.update(batch);
  agent.update(batch);
  BOOST_TEST((log_std != -1.5).any().item<bool>());
  const double moved = (log_std + 1.5).abs().max().item<double>();
  agent.update(batch);  // one step from the start
  BOOST_TEST((log_std + 1.5).abs().max().item<double>() < 0.7 * moved);
  AgentConfig flat = gsde_config();
  flat.actor.hidden_dims = {};
  BOOST_CHECK_THROW(agent_of(flat, {5}), std::invalid_argument);
}
