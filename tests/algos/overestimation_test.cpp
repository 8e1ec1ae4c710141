// The probe on a process whose soft values are known exactly (tabular_mdp.hpp).
#define BOOST_TEST_MODULE overestimation
#include "algos/training/overestimation.hpp"

#include <boost/test/unit_test.hpp>

#include "algos/training/statistics.hpp"
#include "buffers/staging.hpp"
#include "sim/vector_env.hpp"
#include "tests/algos/tabular_mdp.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

namespace {

constexpr double kDiscount = 0.9;

/// Everything that a probe needs; the buffer holds 300 random transitions with their rows.
struct Laboratory {
  Laboratory() : env(std::make_shared<TabularMdp>(20)) {
    const std::vector<std::uint64_t> seeds = {1, 2, 3};
    VectorEnv envs(env, seeds, pool);
    const std::uint64_t buffer_seed = 0;
    buffer = make_replay_buffer({.observation_dim = 3,
                                 .action_dim = 1,
                                 .num_envs = 3,
                                 .capacity = 300,
                                 .state_dim = envs.row_size()},
                                &buffer_seed, DeviceSystem::cpp);
    Staging staging(3, 3, 1, false);
    envs.reset(staging.current_observation());
    for (int step = 0; step < 100; ++step) {
      TransitionView rows = staging.back();
      const std::vector<double> state(envs.state().begin(), envs.state().end());
      rows.state = state;
      for (std::size_t lane = 0; lane < 3; ++lane) {
        rows.action[lane] = (step * 5 + static_cast<int>(lane)) % 3 == 0 ? 0.25f : -0.75f;
      }
      envs.begin_step(rows, staging.next_acting_observation());
      envs.finish_step();
      buffer->insert(rows);
      staging.flip();
    }
    agent.q_table = exact_values(agent.policy(), agent.alpha_value, kDiscount);
  }

  OverestimationResult probe(std::int64_t num_rollouts, std::int64_t seed = 0) {
    const OverestimationConfig config = {
        .period = 1,
        .num_states = 60,
        .num_rollouts = num_rollouts,
        .horizon = 250,
        .num_episodes = 40,
        .states = {"on_policy", "reset", "buffer_action", "buffer_policy"},
        .seed = seed};
    return OverestimationProbe(env, config, 0, 3, pool, buffer.get()).run(agent, 1000);
  }

  ThreadPool pool{2};
  std::shared_ptr<const Env> env;
  std::unique_ptr<ReplayBuffer> buffer;
  TabularAgent agent;
};

/// Numbers whose mean is known to be 0: the rollouts of different states are independent.
void check_mean_zero(const std::vector<double>& values) {
  const double error = sample_std(values) / std::sqrt(static_cast<double>(values.size()));
  BOOST_TEST(std::abs(mean_of(values)) < 2.0 * error, mean_of(values) << " +- " << error);
}

}  // namespace

BOOST_AUTO_TEST_CASE(exact_values_have_no_bias) {
  Laboratory laboratory;
  for (const std::int64_t num_rollouts : {1, 8}) {
    std::vector<double> bias, residual;
    int covered = 0, intervals = 0;
    for (std::int64_t seed = 0; seed < 10; ++seed) {
      const OverestimationResult result = laboratory.probe(num_rollouts, seed);
      BOOST_REQUIRE(result.kinds.size() == 4u);
      for (const ProbedKind& kind : result.kinds) {
        BOOST_TEST(kind.states.size() == 60u);
        BOOST_TEST(kind.value("invalid_states") == 0.0);
        for (const ProbedState& state : kind.states) {
          bias.push_back(state.q_mean - state.soft_return);
          residual.push_back(state.td_residual);
        }
        ++intervals;
        covered += kind.value("bias_low") < 0.0 && kind.value("bias_high") > 0.0;
      }
    }
    BOOST_TEST_CONTEXT("K = " << num_rollouts) {
      check_mean_zero(bias);
      check_mean_zero(residual);
      BOOST_TEST(covered >= intervals * 85 / 100, covered << " of " << intervals);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_spread_of_the_bias_is_told_from_the_rollouts_noise) {
  Laboratory laboratory;
  const Table exact = laboratory.agent.q_table;
  for (const double error : {0.0, 2.0}) {
    for (std::size_t s = 0; s < 3; ++s) {
      laboratory.agent.q_table[s] = {exact[s][0] - error, exact[s][1] + error};
    }
    double corrected = 0.0, plain = 0.0;
    for (std::int64_t seed = 0; seed < 10; ++seed) {
      const ProbedKind reset = laboratory.probe(8, seed).kinds[1];
      corrected += reset.value("bias_std_corrected") / 10.0;
      plain += reset.value("bias_std") / 10.0;
    }
    // both actions are frequent, so that the error of +-2 has a spread of nearly 2
    BOOST_TEST(corrected < plain);
    BOOST_TEST(std::abs(corrected - error) < 0.3, "corrected " << corrected << " of " << plain);
  }
}

BOOST_AUTO_TEST_CASE(an_offset_is_measured_exactly) {
  Laboratory laboratory;
  for (const std::int64_t num_rollouts : {1, 8}) {
    laboratory.agent.offset = 0.0;
    const OverestimationResult exact = laboratory.probe(num_rollouts);
    laboratory.agent.offset = 7.25;
    laboratory.agent.spread = 1.5;
    const OverestimationResult raised = laboratory.probe(num_rollouts);
    laboratory.agent.spread = 0.0;
    for (std::size_t i = 0; i < exact.kinds.size(); ++i) {
      const auto change = [&](const char* column) {
        return raised.kinds[i].value(column) - exact.kinds[i].value(column);
      };
      const tt::fpc::close_at_tolerance<double> close(1e-4);
      BOOST_TEST(close(change("bias_mean"), 7.25));
      BOOST_TEST(close(change("bias_reward"), 7.25 * (1.0 - kDiscount)));
      BOOST_TEST(close(change("bias_low"), 7.25));
      BOOST_TEST(close(change("bias_high"), 7.25));
      BOOST_TEST(close(change("bias_median"), 7.25));
      BOOST_TEST(close(change("bias_min"), 7.25 - 1.5));
      BOOST_TEST(close(change("bias_target"), 7.25 - 1.5));
      BOOST_TEST(close(change("undiscounted_bias"), 7.25));
      BOOST_TEST(std::abs(change("bias_std")) < 1e-4);
      BOOST_TEST(change("soft_return") == 0.0);
      // y moves by the discounted target, wherever the episode goes on
      BOOST_TEST(change("td_residual") < -7.25 + kDiscount * (7.25 - 1.5) + 1e-4);
    }
  }
}

BOOST_AUTO_TEST_CASE(parts_of_the_return_are_the_exact_ones) {
  Laboratory laboratory;
  const TabularAgent& agent = laboratory.agent;
  const Table soft = exact_values(agent.policy(), agent.alpha_value, kDiscount);
  const Table hard = exact_values(agent.policy(), 0.0, kDiscount);
  const Table deterministic = exact_values({0.0, 1.0, 1.0}, 0.0, kDiscount);
  // the critic is exact, so that its value says which (s, a) a state is
  const auto pair_of = [&](const ProbedState& probed) {
    for (std::size_t s = 0; s < 3; ++s) {
      for (std::size_t a = 0; a < 2; ++a) {
        if (std::abs(soft[s][a] - probed.q_mean) < 1e-4) return std::pair(s, a);
      }
    }
    throw std::logic_error("a value that is in no table");
  };
  std::vector<double> hard_error, entropy_error, deterministic_error;
  for (std::int64_t seed = 0; seed < 10; ++seed) {
    for (const ProbedKind& kind : laboratory.probe(4, seed).kinds) {
      std::vector<double> first_entropy;
      for (const ProbedState& state : kind.states) {
        const auto [s, a] = pair_of(state);
        hard_error.push_back(state.hard_return - hard[s][a]);
        entropy_error.push_back(agent.alpha_value * state.entropy_sum - (soft[s][a] - hard[s][a]));
        if (kind.kind == StateKind::buffer_action) continue;
        deterministic_error.push_back(state.deterministic_return - deterministic[s][s == 0]);
        const double p = agent.policy()[s];
        BOOST_TEST(state.log_prob == std::log(a == 0 ? p : 1.0 - p), tt::tolerance(1e-6));
        first_entropy.push_back(-agent.alpha_value * state.log_prob);
      }
      const double difference = kind.value("bias_mean") - kind.value("crossq_bias");
      if (kind.kind == StateKind::buffer_action) {
        BOOST_TEST(std::isnan(difference));
        BOOST_TEST(std::isnan(kind.value("droq_bias")));
      } else {
        // CrossQ's measure is a V, off by the first entropy term
        BOOST_TEST(difference == mean_of(first_entropy), tt::tolerance(1e-9));
      }
    }
  }
  check_mean_zero(hard_error);
  check_mean_zero(entropy_error);
  check_mean_zero(deterministic_error);
}

BOOST_AUTO_TEST_CASE(the_usual_plot_is_of_the_episodes_starts) {
  Laboratory laboratory;
  const ProbedKind on_policy = laboratory.probe(1).kinds[0];
  BOOST_TEST(on_policy.value("episode_length") > 1.0);
  BOOST_TEST(on_policy.value("episode_length") <= 20.0);
  laboratory.agent.offset = 3.0;
  BOOST_TEST(
      laboratory.probe(1).kinds[0].value("episode_bias") == on_policy.value("episode_bias") + 3.0,
      tt::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(a_probe_is_a_function_of_its_seed) {
  Laboratory laboratory;
  const auto soft_returns = [&](std::int64_t seed) {
    std::vector<double> values;
    for (const ProbedKind& kind : laboratory.probe(2, seed).kinds) {
      for (const ProbedState& state : kind.states) values.push_back(state.soft_return);
    }
    return values;
  };
  const std::vector<double> first = soft_returns(0);
  BOOST_TEST((soft_returns(0) == first));
  BOOST_TEST((soft_returns(1) != first));
  // rollouts of one state differ from each other
  BOOST_TEST(laboratory.probe(2).kinds[1].states[0].soft_return_std > 0.0);
}

BOOST_AUTO_TEST_CASE(on_policy_states_are_a_sample_of_all_that_were_visited) {
  Laboratory laboratory;
  const ProbeKey key{5, 77};
  const OnPolicyEpisodes few =
      sample_on_policy(laboratory.env, laboratory.pool, laboratory.agent, key, 0, 30, 25);
  const OnPolicyEpisodes all =
      sample_on_policy(laboratory.env, laboratory.pool, laboratory.agent, key, 0, 30, 10'000);
  BOOST_TEST(few.states.size() == 25u);
  double length = 0.0;
  for (const double one : all.lengths) length += one;
  BOOST_TEST(static_cast<double>(all.states.size()) == length);
  BOOST_TEST((all.returns == few.returns));
  // every taken state is one of the visited, with its own action and state row
  for (const StartState& state : few.states) {
    BOOST_TEST(std::ranges::count_if(all.states, [&](const StartState& other) {
                 return other.episode == state.episode && other.step == state.step &&
                        other.state == state.state && other.action == state.action;
               }) == 1);
    BOOST_TEST(state.observation[static_cast<std::size_t>(state.state[0])] == 1.0f);
    BOOST_TEST(static_cast<double>(state.step) <
               all.lengths[static_cast<std::size_t>(state.episode)]);
  }
}

BOOST_AUTO_TEST_CASE(a_stop_request_ends_a_probe) {
  Laboratory laboratory;
  OverestimationConfig config;
  config.states = {"on_policy", "reset"};
  for (const int allowed : {0, 3, 30}) {
    int calls = 0;
    const OverestimationProbe probe(laboratory.env, config, 0, 3, laboratory.pool, nullptr);
    const auto keep_going = [&] { return calls++ < allowed; };
    BOOST_TEST(probe.run(laboratory.agent, 0, keep_going).kinds.empty());
    BOOST_TEST(calls == allowed + 1);
  }
}
