// Episodes as they are drawn: those of evaluations, with the values of what then came.
#define BOOST_TEST_MODULE episode_record
#include "algos/training/episode_record.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>

#include "algos/networks/noise.hpp"
#include "algos/training/evaluator.hpp"
#include "algos/training/value_rollouts.hpp"
#include "sim/env_factory.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

namespace {

constexpr double kDiscount = 0.9;
constexpr std::uint64_t kAgentSeed = 3;

struct Laboratory {
  explicit Laboratory(const std::string& name, std::int64_t limit,
                      const std::string& algorithm = "sac") {
    SimConfig sim;
    sim.env = name;
    sim.max_episode_steps = limit;
    env = make_env(sim);
    AgentConfig config;
    config.algorithm = algorithm;
    config.discount = kDiscount;
    config.reward_scale = 2.0;
    config.actor.hidden_dims = config.critic.hidden_dims = {16};
    const EnvSpec& spec = env->spec();
    agent = make_agent({config}, {.observation_dim = spec.observation_dim,
                                  .action_dim = spec.action_dim,
                                  .seeds = {kAgentSeed},
                                  .num_actions = spec.num_actions});
  }

  std::vector<RecordedEpisode> record(ActionMode mode, std::vector<std::size_t> keep = {0, 1, 2, 3},
                                      std::vector<std::uint64_t> seeds = {10, 11, 12, 13},
                                      std::int64_t horizon = 60) {
    return record_episodes(env, *agent, pool,
                           {.seeds = std::move(seeds),
                            .keep = std::move(keep),
                            .mode = mode,
                            .agent_seed = kAgentSeed,
                            .horizon = horizon});
  }

  ThreadPool pool{2};
  std::shared_ptr<const Env> env;
  std::unique_ptr<Agent> agent;
};

}  // namespace

BOOST_AUTO_TEST_CASE(they_are_the_episodes_of_an_evaluation) {
  Laboratory laboratory("InvertedPendulum-v5", 40);
  for (const ActionMode mode : {ActionMode::deterministic, ActionMode::stochastic}) {
    Evaluator evaluator(laboratory.env, 4, 10, laboratory.pool);
    const EvaluationResult result = evaluator.evaluate(*laboratory.agent, mode);
    const auto episodes = laboratory.record(mode);
    for (std::size_t i = 0; i < 4; ++i) {
      const RecordedEpisode& episode = episodes[i];
      BOOST_TEST(episode.episode_return == result.returns[i]);
      BOOST_TEST(episode.length() == result.lengths[i]);
      BOOST_TEST(episode.seed == 10 + i);
      BOOST_TEST(std::accumulate(episode.reward.begin(), episode.reward.end(), 0.0) ==
                     episode.episode_return,
                 tt::tolerance(1e-12));
      const auto length = static_cast<std::size_t>(episode.length());
      BOOST_TEST(episode.state.size() ==
                 length * static_cast<std::size_t>(laboratory.env->spec().state_dim));
      BOOST_TEST(episode.q_mean.size() == length);
    }
    // those that are kept are the same whichever others are
    const auto last = laboratory.record(mode, {3, 1});
    BOOST_TEST(last[0].reward == episodes[3].reward, tt::per_element());
    BOOST_TEST(last[1].action == episodes[1].action, tt::per_element());
  }
}

// the pole falls: nothing comes after the last reward
BOOST_AUTO_TEST_CASE(values_are_discounted_sums_of_what_came) {
  Laboratory laboratory("InvertedPendulum-v5", 1000);
  const RecordedEpisode episode = laboratory.record(ActionMode::deterministic)[0];
  BOOST_REQUIRE(episode.terminated);
  BOOST_TEST(episode.values_are_whole);
  for (std::size_t t = 0; t < episode.reward.size(); ++t) {
    double sum = 0.0;
    for (std::size_t k = t; k < episode.reward.size(); ++k) {
      sum += 2.0 * episode.reward[k] * std::pow(kDiscount, static_cast<double>(k - t));
    }
    BOOST_TEST(episode.hard_value[t] == sum, tt::tolerance(1e-12));
    BOOST_TEST(std::isnan(episode.soft_value[t]));  // a deterministic policy has no entropy
    BOOST_TEST(episode.q_min[t] <= episode.q_mean[t]);
  }
}

// the same policy goes on behind a time limit: as in a longer episode. One episode at a time,
// because products of matrices of other heights round differently
BOOST_AUTO_TEST_CASE(a_time_limit_does_not_cut_values) {
  constexpr std::size_t kLimit = 20, kHorizon = 60;
  for (const std::uint64_t seed : {10u, 11u, 12u}) {
    const auto record = [seed](std::int64_t limit) {
      return Laboratory("Pendulum-v1", limit).record(ActionMode::deterministic, {0}, {seed})[0];
    };
    const RecordedEpisode cut = record(kLimit), longer = record(kLimit + kHorizon);
    BOOST_TEST(cut.truncated);
    BOOST_TEST(cut.values_are_whole);
    BOOST_REQUIRE(cut.reward.size() == kLimit);
    for (std::size_t t = 0; t < kLimit; ++t) {
      double sum = 0.0;
      for (std::size_t k = t; k < kLimit - 1 + kHorizon; ++k) {
        sum += 2.0 * longer.reward[k] * std::pow(kDiscount, static_cast<double>(k - t));
      }
      BOOST_TEST(cut.hard_value[t] == sum, tt::tolerance(1e-12));
    }
  }
}

BOOST_AUTO_TEST_CASE(soft_values_hold_the_entropy_from_the_next_step_on) {
  Laboratory laboratory("InvertedPendulum-v5", 1000);
  const auto critics = laboratory.agent->actor_critic(0);
  const auto episodes = laboratory.record(ActionMode::stochastic);
  const RecordedEpisode& episode = episodes[2];
  BOOST_REQUIRE(episode.terminated);
  BOOST_REQUIRE(episode.length() > 2);
  BOOST_TEST(critics->alpha() > 0.0);
  const std::size_t last = episode.reward.size() - 1;
  BOOST_TEST(episode.soft_value[last] == episode.hard_value[last]);
  for (std::size_t t = 0; t < last; ++t) {
    // log pi(a|s) of the next step: the density of the action that was taken, from its own noise
    const Tensor noise = at::empty({1, 4, 1}, at::kFloat);
    fill_normal(noise, {kAgentSeed}, RandomStream::evaluation_noise, t + 1);
    const auto sample = critics->sample(
        tensor_of_rows(*critics, std::span(episode.observation).subspan(4 * (t + 1), 4), 4),
        noise[0].narrow(0, 2, 1).contiguous());
    BOOST_TEST(sample.action.item<float>() == episode.action[t + 1], tt::tolerance(1e-4f));
    const double log_prob = sample.log_prob.item<double>();
    BOOST_TEST(episode.soft_value[t] ==
                   2.0 * episode.reward[t] +
                       kDiscount * (episode.soft_value[t + 1] - critics->alpha() * log_prob),
               tt::tolerance(1e-4));
  }
}

BOOST_AUTO_TEST_CASE(where_nothing_can_be_rolled_out_values_end_at_the_limit) {
  Laboratory lander("LunarLanderContinuous-v3", 15);
  const RecordedEpisode episode = lander.record(ActionMode::stochastic)[0];
  BOOST_REQUIRE(episode.truncated);
  BOOST_TEST(!episode.values_are_whole);
  BOOST_TEST(episode.hard_value.back() == 2.0 * episode.reward.back());
}

BOOST_AUTO_TEST_CASE(discrete_actions_are_recorded_as_their_indices) {
  Laboratory laboratory("CartPole-v1", 30, "dqn");
  const RecordedEpisode episode = laboratory.record(ActionMode::deterministic)[0];
  BOOST_TEST(!episode.reward.empty());
  for (const float action : episode.action) BOOST_TEST((action == 0.0f || action == 1.0f));
  BOOST_TEST(episode.q_mean.size() == episode.reward.size());
  for (const double q : episode.q_mean) BOOST_TEST(std::isfinite(q));
  for (const double soft : episode.soft_value) BOOST_TEST(std::isnan(soft));
  if (episode.terminated) {
    BOOST_TEST(episode.hard_value.back() == 2.0 * episode.reward.back());
  } else {  // a rollout goes on behind the limit
    BOOST_TEST(episode.hard_value.back() > 2.0 * episode.reward.back());
  }
}
