// Held actions and action tables against the bare task.
#define BOOST_TEST_MODULE action_wrappers
#include "sim/action_wrappers.hpp"

#include <boost/test/unit_test.hpp>

#include "sim/env_factory.hpp"
#include "sim/numpy_random.hpp"

using namespace anthill;

namespace {

/// One environment, stepped by hand.
struct Lane {
  std::shared_ptr<const Env> env;
  std::unique_ptr<Workspace> workspace = env->make_workspace();
  NumpyGenerator rng{3};
  std::vector<double> state = std::vector<double>(static_cast<std::size_t>(env->spec().state_dim));
  std::vector<double> observation =
      std::vector<double>(static_cast<std::size_t>(env->spec().observation_dim));
  std::vector<double> terms = std::vector<double>(env->spec().reward_terms.size());

  explicit Lane(const SimConfig& config) : env(make_env(config)) {
    env->reset(*workspace, rng, state, observation);
  }
  StepResult step(std::vector<float> action) {
    return env->step(*workspace, rng, state, action, observation, terms);
  }
};

std::string refusal(const SimConfig& config) {
  try {
    make_env(config);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_held_action_is_that_many_steps) {
  for (const std::string name : {"Pendulum-v1", "HalfCheetah-v4", "LunarLanderContinuous-v3"}) {
    Lane bare({.env = name}), held({.env = name, .action_repeat = 4});
    const auto width = static_cast<std::size_t>(bare.env->spec().action_dim);
    BOOST_TEST(held.env->spec().max_episode_steps == bare.env->spec().max_episode_steps / 4);
    BOOST_TEST(held.env->spec().control_dt == 4 * bare.env->spec().control_dt);
    BOOST_TEST(bare.observation == held.observation);
    for (int i = 0; i < 10; ++i) {
      const std::vector<float> action(width, 0.1f * static_cast<float>(i % 5));
      double reward = 0.0;
      std::vector<double> terms(bare.terms.size());
      for (int k = 0; k < 4; ++k) {
        reward += bare.step(action).reward;
        for (std::size_t t = 0; t < terms.size(); ++t) terms[t] += bare.terms[t];
      }
      BOOST_TEST(held.step(action).reward == reward);
      BOOST_TEST(held.state == bare.state, boost::test_tools::per_element());
      BOOST_TEST(held.observation == bare.observation, boost::test_tools::per_element());
      BOOST_TEST(held.terms == terms, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(an_episode_that_ends_is_not_stepped_on) {
  SimConfig config{.env = "InvertedPendulum-v5"};
  Lane bare(config);
  config.action_repeat = 50;
  Lane held(config);
  int steps = 1;
  double reward = 0.0;
  for (;; ++steps) {
    const StepResult one = bare.step({3.0f});
    reward += one.reward;
    if (one.terminated) break;
  }
  BOOST_REQUIRE(steps < 50);
  const StepResult all = held.step({3.0f});
  BOOST_TEST((all.terminated && all.reward == reward));
  BOOST_TEST(held.state == bare.state, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_table_names_actions) {
  SimConfig config{.env = "InvertedPendulum-v5"};
  Lane bare(config);
  config.action_table = {{-3.0}, {0.5}, {3.0}};
  Lane table(config);
  const EnvSpec& spec = table.env->spec();
  BOOST_TEST((spec.num_actions == 3 && spec.action_dim == 1));
  BOOST_TEST((spec.action_low == std::vector{0.0f} && spec.action_high == std::vector{2.0f}));
  const float actions[] = {-3.0f, 0.5f, 3.0f};
  for (const int index : {0, 2, 1, 1, 2}) {
    bare.step({actions[index]});
    table.step({static_cast<float>(index)});
    BOOST_TEST(table.state == bare.state, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(the_task_inside_is_found) {
  const auto bare = make_env({.env = "InvertedPendulum-v5"});
  BOOST_TEST(&without_wrappers(*bare) == bare.get());
  const auto both =
      make_env({.env = "InvertedPendulum-v5", .action_repeat = 2, .action_table = {{-3.0}, {3.0}}});
  BOOST_TEST(&without_wrappers(*both) != both.get());
  BOOST_TEST(without_wrappers(*both).spec().num_actions == 0);
  BOOST_TEST(without_wrappers(*both).spec().control_dt == bare->spec().control_dt);
}

BOOST_AUTO_TEST_CASE(impossible_wrappers_are_refused) {
  BOOST_TEST(refusal({.env = "CartPole-v1", .action_table = {{0.0}}}) ==
             "sim.action_table: the actions of CartPole-v1 are discrete already; remove it");
  BOOST_TEST(
      refusal({.env = "InvertedPendulum-v5", .action_table = {{1.0}, {1.0, 2.0}}}) ==
      "sim.action_table: a row has 2 numbers, an action of InvertedPendulum-v5 has 1; correct "
      "the row");
  BOOST_TEST(refusal({.env = "InvertedPendulum-v5", .action_table = {{3.5}}})
                 .starts_with("sim.action_table: 3.5 is outside of the bounds [-3"));
  BOOST_TEST(refusal({.env = "Pendulum-v1", .action_repeat = 0}) ==
             "sim.action_repeat: must be at least 1");
}
