// Rows that are stepped on their own go where VectorEnv takes them.
#define BOOST_TEST_MODULE sim_row_stepper
#include "sim/row_stepper.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/sim/counter.hpp"
#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

namespace {

/// Storage for n lanes.
struct Results {
  Results(const EnvSpec& spec, std::size_t n)
      : observation(n * static_cast<std::size_t>(spec.observation_dim)),
        reward(n),
        terminated(n),
        invalid(n) {}
  RowStepResults view() { return {observation, reward, terminated, invalid}; }

  std::vector<float> observation;
  std::vector<double> reward;
  std::vector<std::uint8_t> terminated, invalid;
};

void check_against_vector_env(const std::string& name) {
  ThreadPool pool(2);
  const auto env = make_env({.env = name, .max_episode_steps = 100'000});
  if (env->spec().workspace_per_lane) return;
  VectorEnv envs(env, seeds_from(5, 2), pool);
  Rows rows(envs.spec(), 2);
  envs.set_double_rows(rows.doubles());
  envs.reset(rows.acting_observation);
  for (std::size_t t = 0; t < 7; ++t) {
    for (std::size_t i = 0; i < rows.action.size(); ++i) {
      rows.action[i] = test_action(envs.spec(), t, i);
    }
    rows.step(envs);
  }
  // lane 1 of the environments becomes lane 3 of the stepper, which takes it alone
  RowStepper stepper(env, 5, pool);
  const StoredState stored = stored_state(*env, envs.row(1));
  stepper.load(3, stored.state, 0);
  Results results(envs.spec(), 1);
  const std::vector<std::int64_t> lanes = {3};
  for (std::size_t t = 7; t < 15; ++t) {
    for (std::size_t i = 0; i < rows.action.size(); ++i) {
      rows.action[i] = test_action(envs.spec(), t, i);
    }
    const std::span action = std::span<const float>(rows.action).subspan(rows.A, rows.A);
    stepper.step(lanes, std::vector<float>(action.begin(), action.end()), results.view());
    rows.step(envs);
    BOOST_TEST(
        results.observation == std::vector<float>(rows.next_observation.begin() + rows.D,
                                                  rows.next_observation.begin() + 2 * rows.D),
        tt::per_element());
    BOOST_TEST(results.reward[0] == rows.reward_f64[1]);
    BOOST_TEST(results.terminated[0] == rows.terminated[1]);
    BOOST_TEST(results.invalid[0] == 0);
    if (rows.terminated[1]) break;
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_go_where_vector_env_takes_them) {
  for (const std::string& name : task_names()) {
    BOOST_TEST_CONTEXT(name) { check_against_vector_env(name); }
  }
}

BOOST_AUTO_TEST_CASE(no_time_limit_no_autoreset_and_other_lanes_stay) {
  ThreadPool pool(2);
  const auto env = std::make_shared<Counter>(-2.0f, 2.0f, 3);
  RowStepper stepper(env, 3, pool);
  std::vector<float> first(2);
  for (std::int64_t lane = 0; lane < 3; ++lane) stepper.reset(lane, 40, first);
  BOOST_TEST(first[0] == first_draw(40, 0));
  Results results(env->spec(), 2);
  const std::vector<std::int64_t> lanes = {2, 0};
  for (int step = 1; step <= 6; ++step) {
    // normalised 0.5 is 1 in the units of this task, 0.25 is a half
    stepper.step(lanes, std::vector<float>{0.5f, 0.25f}, results.view());
    BOOST_TEST(results.reward[0] == step);
    BOOST_TEST(results.reward[1] == 0.5 * step);
    BOOST_TEST(results.terminated[0] == (step == 5));
    BOOST_TEST(results.observation[1] == static_cast<float>(step));
  }
  BOOST_TEST(stepper.state(1)[1] == 0.0);
  BOOST_TEST(stepper.state(2)[1] == 6.0);
}

BOOST_AUTO_TEST_CASE(a_row_says_where_it_is) {
  Counters counters(2, 3);
  for (int step = 0; step < 8; ++step) counters.step({1, 1});
  const StoredState stored = stored_state(Counter(-1, 1, 3), counters.envs.row(1));
  BOOST_TEST(stored.episode == 2);
  BOOST_TEST(stored.step == 2);
  BOOST_TEST(stored.state[1] == 2.0);
}

BOOST_AUTO_TEST_CASE(failures_are_marked) {
  ThreadPool pool(1);
  const auto env = std::make_shared<Counter>(-200.0f, 200.0f, 0);
  RowStepper stepper(env, 3, pool);
  std::vector<float> first(2);
  for (std::int64_t lane = 0; lane < 3; ++lane) stepper.reset(lane, 1, first);
  Results results(env->spec(), 3);
  const std::vector<std::int64_t> lanes = {0, 1, 2};
  // a simulator failure, a reward beyond float32, an action that is no number
  stepper.step(lanes, std::vector<float>{0.5f, 1.0f, kNan}, results.view());
  BOOST_TEST(results.invalid == std::vector<std::uint8_t>({1, 1, 1}), tt::per_element());
  BOOST_TEST(results.reward == std::vector<double>({0, 0, 0}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(wrong_input_is_refused) {
  ThreadPool pool(1);
  BOOST_CHECK_THROW(RowStepper(make_env({.env = "LunarLanderContinuous-v3"}), 1, pool),
                    ConfigError);
  const auto pendulum = make_env({.env = "Pendulum-v1"});
  VectorEnv other(make_env({.env = "MountainCarContinuous-v0"}), seeds_from(0, 1), pool);
  std::vector<float> observation(2);
  other.reset(observation);
  RowStepper stepper(pendulum, 2, pool);
  BOOST_CHECK_THROW(stored_state(*pendulum, other.row(0)), std::invalid_argument);
  BOOST_CHECK_THROW(stepper.load(2, std::vector<double>{0, 0}, 0), std::invalid_argument);
  BOOST_CHECK_THROW(stepper.load(1, std::vector<double>{0}, 0), std::invalid_argument);
  Results results(pendulum->spec(), 1);
  const std::vector<std::int64_t> lanes = {0};
  BOOST_CHECK_THROW(stepper.step(lanes, std::vector<float>{0, 0}, results.view()),
                    std::invalid_argument);
}
