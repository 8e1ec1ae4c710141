#define BOOST_TEST_MODULE sim_pendulum

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "tests/sim/rows.hpp"

using namespace anthill;

namespace {

/// Gymnasium's numbers of one lane over 450 steps: observations, rewards, flags, first
/// observations.
std::uint64_t hash_trajectory(const SimConfig& config) {
  ThreadPool pool(1);
  VectorEnv envs(make_env(config), seeds_from(3, 1), pool);
  envs.set_scale_actions(false);
  Rows rows(envs.spec(), 1);
  envs.set_double_rows(rows.doubles());
  envs.reset(rows.acting_observation);
  BitHash hash;
  hash.add(rows.acting_observation_f64);
  for (std::size_t t = 0; t < 450; ++t) {
    rows.action[0] = test_action(t, 0);
    rows.step(envs);
    hash.add(rows.next_observation_f64);
    hash.add(rows.reward_f64[0]);
    hash.add(static_cast<double>(rows.terminated[0]));
    hash.add(static_cast<double>(rows.truncated[0]));
    if (rows.truncated[0]) hash.add(rows.acting_observation_f64);
  }
  return hash.value();
}

}  // namespace

// made with Gymnasium 1.4.0: Pendulum-v1, seed 3, test_action, 450 steps
BOOST_AUTO_TEST_CASE(trajectory_has_gymnasiums_bits) {
  SimConfig config{.env = "Pendulum-v1"};
  BOOST_TEST(hash_trajectory(config) == 0x3ce385cb9863c022ull);
  config.pendulum.gravity = 9.81;
  BOOST_TEST(hash_trajectory(config) == 0xa6b9c67f93870735ull);
}

BOOST_AUTO_TEST_CASE(one_step_follows_the_equations) {
  const auto env = make_env({.env = "Pendulum-v1"});
  const auto workspace = env->make_workspace();
  NumpyGenerator rng(0);
  // an angle outside [-pi, pi] and a torque beyond the limit of 2
  double state[] = {3.5, 1.0};
  const float action[] = {5.0f};
  double observation[3];
  const StepResult result = env->step(*workspace, rng, state, action, observation, {});
  const double angle = 3.5 - 2 * std::numbers::pi;
  BOOST_TEST(result.reward == -(angle * angle + 0.1 + 0.001 * 4),
             boost::test_tools::tolerance(1e-7));
  const double speed = 1.0 + (15 * std::sin(3.5) + 3 * 2.0) * 0.05;
  BOOST_TEST(state[1] == speed, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(state[0] == 3.5 + speed * 0.05, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(observation[0] == static_cast<double>(static_cast<float>(std::cos(state[0]))));
  BOOST_TEST(observation[1] == static_cast<double>(static_cast<float>(std::sin(state[0]))));
  BOOST_TEST(observation[2] == static_cast<double>(static_cast<float>(state[1])));
  BOOST_TEST(!result.terminated);
  BOOST_TEST(!result.invalid);
}

BOOST_AUTO_TEST_CASE(speed_is_limited) {
  const auto env = make_env({.env = "Pendulum-v1"});
  const auto workspace = env->make_workspace();
  NumpyGenerator rng(0);
  double state[] = {std::numbers::pi / 2, 7.9};
  const float action[] = {2.0f};
  double observation[3];
  env->step(*workspace, rng, state, action, observation, {});
  BOOST_TEST(state[1] == 8.0);
}

BOOST_AUTO_TEST_CASE(spec_is_gymnasiums) {
  const auto env = make_env({.env = "Pendulum-v1"});
  BOOST_TEST(env->spec().observation_dim == 3);
  BOOST_TEST(env->spec().action_low.at(0) == -2.0f);
  BOOST_TEST(env->spec().action_high.at(0) == 2.0f);
  BOOST_TEST(env->spec().max_episode_steps == 200);
  BOOST_TEST(env->model_path() == "");
  BOOST_TEST(make_env({.env = "Pendulum-v1", .max_episode_steps = 17})->spec().max_episode_steps ==
             17);
}

BOOST_AUTO_TEST_CASE(gravity_must_be_finite) {
  SimConfig config{.env = "Pendulum-v1"};
  config.pendulum.gravity = std::numeric_limits<double>::infinity();
  BOOST_CHECK_THROW(make_env(config), ConfigError);
}
