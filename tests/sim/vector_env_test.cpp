// Mechanics of VectorEnv on toy tasks and Pendulum, without MuJoCo: also run under ThreadSanitizer.
#define BOOST_TEST_MODULE sim_vector_env
#include "sim/vector_env.hpp"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/sim/counter.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

static bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

BOOST_AUTO_TEST_CASE(each_lane_starts_from_its_own_seed) {
  Counters counters(3);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(counters.acting_start(i) == first_draw(10 + i, 0));
    BOOST_TEST(counters.acting_count(i) == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_step_writes_successor_reward_and_what_to_act_on) {
  Counters counters(2);
  counters.step({1, .25});
  BOOST_TEST(counters.count(0) == 1);
  BOOST_TEST(counters.count(1) == .25);
  BOOST_TEST(counters.rows.reward[1] == .25f);
  BOOST_TEST(counters.rows.reward_f64[1] == .25);
  BOOST_TEST(counters.rows.terms == (std::vector<double>{1, 2, .25, .5}), tt::per_element());
  BOOST_TEST(counters.rows.acting_observation == counters.rows.next_observation, tt::per_element());
  BOOST_TEST(counters.rows.acting_observation_f64 == counters.rows.next_observation_f64,
             tt::per_element());
  BOOST_TEST(counters.envs.finished_episodes().empty());
}

BOOST_AUTO_TEST_CASE(termination_keeps_the_true_successor_and_starts_anew) {
  Counters counters(2);
  counters.step({3, 0});
  counters.step({2, 1});
  BOOST_TEST(counters.count(0) == 5);
  BOOST_TEST(counters.rows.next_observation[0] == first_draw(10, 0));
  BOOST_TEST(counters.acting_count(0) == 0);
  BOOST_TEST(counters.acting_start(0) == first_draw(10, 1));  // the lane's stream goes on
  BOOST_TEST(counters.rows.acting_observation_f64[1] == 0);
  BOOST_TEST(counters.rows.next_observation_f64[1] == 5);
  BOOST_TEST(counters.rows.terminated == (std::vector<std::uint8_t>{1, 0}), tt::per_element());
  BOOST_TEST(counters.rows.truncated == (std::vector<std::uint8_t>{0, 0}), tt::per_element());
  BOOST_TEST(counters.acting_count(1) == 1);
  BOOST_REQUIRE(counters.envs.finished_episodes().size() == 1);
  const EpisodeRecord& record = counters.envs.finished_episodes()[0];
  BOOST_TEST(record.env == 0);
  BOOST_TEST(record.episode == 0);
  BOOST_TEST(record.length == 2);
  BOOST_TEST(record.episode_return == 8);
  BOOST_TEST(record.term_sums == (std::vector<double>{8, 16}), tt::per_element());
  BOOST_TEST(record.terminated);
  BOOST_TEST(!record.truncated);
  BOOST_TEST(!record.invalid);
  counters.step({5, 0});
  BOOST_REQUIRE(counters.envs.finished_episodes().size() == 1);
  BOOST_TEST(counters.envs.finished_episodes()[0].episode == 1);
  BOOST_TEST(counters.envs.finished_episodes()[0].length == 1);
  counters.step({0, 0});
  BOOST_TEST(counters.envs.finished_episodes().empty());
}

BOOST_AUTO_TEST_CASE(the_time_limit_truncates_and_may_coincide_with_termination) {
  Counters counters(3, 2);
  counters.step({1, 4, 5});
  BOOST_TEST(counters.rows.terminated == (std::vector<std::uint8_t>{0, 0, 1}), tt::per_element());
  BOOST_TEST(counters.rows.truncated == (std::vector<std::uint8_t>{0, 0, 0}), tt::per_element());
  counters.step({1, 1, 1});
  BOOST_TEST(counters.rows.terminated == (std::vector<std::uint8_t>{0, 1, 0}), tt::per_element());
  BOOST_TEST(counters.rows.truncated == (std::vector<std::uint8_t>{1, 1, 0}), tt::per_element());
  BOOST_TEST(counters.count(0) == 2);
  BOOST_TEST(counters.acting_count(0) == 0);
  BOOST_TEST(counters.acting_count(2) == 1);
  BOOST_REQUIRE(counters.envs.finished_episodes().size() == 2);
  BOOST_TEST(counters.envs.finished_episodes()[1].terminated);
  BOOST_TEST(counters.envs.finished_episodes()[1].truncated);
}

BOOST_AUTO_TEST_CASE(actions_are_scaled_to_environment_units) {
  Counters counters(3, 0, -2, 6);  // scale 4, bias 2
  counters.step({-1, 0, 1});
  BOOST_TEST(counters.count(0) == -2);
  BOOST_TEST(counters.count(1) == 2);
  BOOST_TEST(counters.count(2) == 6);
  BOOST_TEST(counters.rows.action[0] == -1);  // the row keeps the normalised action
  counters.envs.set_scale_actions(false);
  counters.step({1, 1, 1});
  BOOST_TEST(counters.count(0) == -1);
}

BOOST_AUTO_TEST_CASE(bounds_of_one_leave_every_bit_of_an_action) {
  Counters counters(2);
  const float odd = std::nextafter(.1f, 1.0f);
  counters.step({odd, -3.7f});
  BOOST_TEST(counters.count(0) == odd);
  BOOST_TEST(counters.count(1) == -3.7f);
}

BOOST_AUTO_TEST_CASE(discrete_actions_are_indices) {
  Counters counters(7, 0, 0, 2, 3);  // actions 0, 1 and 2, and a range that would be scaled
  const auto below_three = std::nextafter(3.0f, 0.0f);
  counters.step({0, 1, 2, -1, 3, .5f, kNan});
  BOOST_TEST(counters.rows.invalid == (std::vector<std::uint8_t>{0, 0, 0, 1, 1, 1, 1}),
             tt::per_element());
  BOOST_TEST(counters.rows.action == (std::vector<float>{0, 1, 2, 0, 0, 0, 0}), tt::per_element());
  BOOST_TEST(counters.rows.reward == (std::vector<float>{0, 1, 2, 0, 0, 0, 0}), tt::per_element());
  BOOST_REQUIRE(counters.envs.invalid_transitions().size() == 4);
  BOOST_TEST(counters.envs.invalid_transitions()[0].invalid_action);
  counters.step({2, 2, 2, 2, 2, below_three, -0.0f});
  BOOST_TEST(counters.rows.invalid == (std::vector<std::uint8_t>{0, 0, 0, 0, 0, 1, 0}),
             tt::per_element());
}

BOOST_AUTO_TEST_CASE(a_bad_action_ends_that_lanes_episode_only) {
  for (const float bad : {kNan, std::numeric_limits<float>::infinity()}) {
    Counters counters(3);
    counters.step({1, 1, 1});
    counters.step({1, bad, 1});
    BOOST_TEST(counters.rows.invalid == (std::vector<std::uint8_t>{0, 1, 0}), tt::per_element());
    BOOST_TEST(counters.rows.action == (std::vector<float>{1, 0, 1}), tt::per_element());
    BOOST_TEST(counters.rows.reward == (std::vector<float>{2, 0, 2}), tt::per_element());
    BOOST_TEST(counters.count(1) == 0);
    BOOST_TEST(counters.rows.terminated[1] == 0);
    BOOST_TEST(counters.rows.truncated[1] == 0);
    BOOST_TEST(counters.acting_start(1) == first_draw(11, 1));
    BOOST_REQUIRE(counters.envs.invalid_transitions().size() == 1);
    const InvalidRecord& record = counters.envs.invalid_transitions()[0];
    BOOST_TEST(record.env == 1);
    BOOST_TEST(record.step == 1);
    BOOST_TEST(record.seed == 11u);
    BOOST_TEST(record.invalid_action);
    BOOST_REQUIRE(counters.envs.finished_episodes().size() == 1);
    BOOST_TEST(counters.envs.finished_episodes()[0].invalid);
    BOOST_TEST(counters.envs.finished_episodes()[0].length == 2);
    BOOST_TEST(counters.envs.finished_episodes()[0].episode_return == 1);
    BOOST_TEST(counters.envs.num_sim_warnings() == 1);
    counters.step({1, 1, 1});
    BOOST_TEST(counters.envs.invalid_transitions().empty());
    BOOST_TEST(counters.count(0) == 3);
    BOOST_TEST(counters.count(1) == 1);
    BOOST_TEST(counters.envs.num_sim_warnings() == 1);
  }
}

BOOST_AUTO_TEST_CASE(a_failed_step_writes_zeros_and_no_reason_to_bootstrap) {
  Counters counters(3, 1);
  counters.step({100, 200, 1});  // refused by the task; finite only in double; good
  BOOST_TEST(counters.rows.invalid == (std::vector<std::uint8_t>{1, 1, 0}), tt::per_element());
  BOOST_TEST(counters.rows.truncated == (std::vector<std::uint8_t>{0, 0, 1}), tt::per_element());
  for (std::size_t lane = 0; lane < 2; ++lane) {
    BOOST_TEST(counters.rows.reward[lane] == 0);
    BOOST_TEST(counters.rows.reward_f64[lane] == 0);
    BOOST_TEST(counters.rows.next_observation[2 * lane] == 0);
    BOOST_TEST(counters.count(lane) == 0);
    BOOST_TEST(!counters.envs.invalid_transitions()[lane].invalid_action);
  }
  BOOST_TEST(counters.rows.action[0] == 100);
  BOOST_TEST(counters.envs.num_sim_warnings() == 2);
}

BOOST_AUTO_TEST_CASE(wrong_use_is_refused) {
  ThreadPool pool(2);
  const auto env = make_env({.env = "Pendulum-v1"});
  BOOST_CHECK_THROW(VectorEnv(env, {}, pool), ConfigError);
  VectorEnv envs(env, seeds_from(0, 2), pool);
  Rows rows(envs.spec(), 2);
  BOOST_CHECK_THROW(rows.step(envs), std::logic_error);  // before reset
  BOOST_CHECK_THROW(envs.reset(std::span(rows.acting_observation).first(3)), std::invalid_argument);
  envs.reset(rows.acting_observation);
  TransitionView wrong = rows.view();
  wrong.action = wrong.action.first(1);
  BOOST_CHECK_THROW(envs.begin_step(wrong, rows.acting_observation), std::invalid_argument);
  BOOST_CHECK_THROW(envs.set_double_rows({.reward = std::span(rows.reward_f64).first(1)}),
                    std::invalid_argument);
  BOOST_CHECK_THROW(envs.restore(std::vector<double>(3)), std::invalid_argument);
  BOOST_CHECK_THROW(envs.finish_step(), std::logic_error);
  envs.begin_step(rows.view(), rows.acting_observation);
  BOOST_CHECK_THROW(envs.begin_step(rows.view(), rows.acting_observation), std::logic_error);
  BOOST_CHECK_THROW(envs.state(), std::logic_error);
  BOOST_CHECK_THROW(envs.reset(rows.acting_observation), std::logic_error);
  envs.finish_step();
  rows.step(envs);
}

BOOST_AUTO_TEST_CASE(a_vector_env_may_go_while_a_step_is_running) {
  ThreadPool pool(3);
  Rows rows(make_env({.env = "Pendulum-v1"})->spec(), 100);
  for (int i = 0; i < 50; ++i) {
    VectorEnv envs(make_env({.env = "Pendulum-v1"}), seeds_from(0, 100), pool);
    envs.reset(rows.acting_observation);
    envs.begin_step(rows.view(), rows.acting_observation);
  }
  Counters after(2);
  after.step({1, 1});
  BOOST_TEST(after.count(0) == 1);
}

BOOST_AUTO_TEST_CASE(some_lanes_are_reset_and_the_others_go_on) {
  Counters counters(3);
  counters.step({1, 2, 3});
  const std::vector<std::uint8_t> lanes = {0, 1, 0};
  counters.envs.reset(counters.rows.acting_observation, lanes);
  BOOST_TEST(counters.acting_count(0) == 1);
  BOOST_TEST(counters.acting_count(1) == 0);
  BOOST_TEST(counters.acting_start(1) == first_draw(11, 1));
  BOOST_TEST(counters.acting_count(2) == 3);
  counters.step({1, 1, 1});
  BOOST_TEST(counters.count(0) == 2);
  BOOST_TEST(counters.count(1) == 1);
  const std::vector<std::uint8_t> too_few = {1};
  BOOST_CHECK_THROW(counters.envs.reset(counters.rows.acting_observation, too_few),
                    std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_lane_that_is_seeded_waits_for_a_reset) {
  Counters counters(2);
  counters.step({1, 1});
  counters.envs.seed(1, 77);
  BOOST_CHECK_THROW(counters.step({1, 1}), std::logic_error);
  const std::vector<std::uint8_t> lanes = {0, 1};
  counters.envs.reset(counters.rows.acting_observation, lanes);
  BOOST_TEST(counters.acting_start(1) == first_draw(77, 0));
  counters.step({1, 1});
  BOOST_TEST(counters.count(0) == 2);
  BOOST_CHECK_THROW(counters.envs.seed(2, 0), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_lane_that_is_held_stays_as_it_is) {
  Counters counters(2);
  counters.step({1, 2});
  const std::vector<double> row(counters.envs.row(1).begin(), counters.envs.row(1).end());
  const std::vector<std::uint8_t> held = {0, 1};
  counters.rows.action = {1, 50};
  counters.envs.begin_step(counters.rows.view(), counters.rows.acting_observation, held);
  counters.envs.finish_step();
  BOOST_TEST(counters.count(0) == 2);
  BOOST_TEST(counters.count(1) == 2);  // of the step before
  BOOST_TEST(std::equal(row.begin(), row.end(), counters.envs.row(1).begin(), same_bits));
  BOOST_TEST(counters.envs.finished_episodes().empty());
  counters.step({1, 1});  // holds in that one step only
  BOOST_TEST(counters.count(1) == 3);
}
