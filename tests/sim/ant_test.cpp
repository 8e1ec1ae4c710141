#define BOOST_TEST_MODULE sim_ant

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <limits>

#include "tests/sim/driver.hpp"
#include "tests/sim/mujoco_guard.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

namespace {

SimConfig many_options() {
  SimConfig config{.env = "Ant-v5"};
  config.ant.frame_skip = 3;
  config.ant.forward_reward_weight = 1.75;
  config.ant.main_body = 4;
  config.ant.ctrl_cost_weight = .3;
  config.ant.contact_cost_weight = .07;
  config.ant.healthy_reward = .9;
  config.ant.reset_noise_scale = .2;
  config.ant.contact_force_range = {-3, 5};
  config.ant.healthy_z_range = {.3, .9};
  config.ant.exclude_current_positions_from_observation = false;
  return config;
}

std::uint64_t hash_trajectory(const SimConfig& config) {
  Driver ant(config);
  BitHash hash;
  hash.add(ant.observation);
  for (std::size_t t = 0; t < 400; ++t) {
    ant.set_action(t);
    const StepResult result = ant.step();
    BOOST_REQUIRE(!result.invalid);
    hash.add(ant.observation);
    hash.add(result.reward);
    hash.add(result.terminated ? 1.0 : 0.0);
    hash.add(0.0);  // not truncated
    if (result.terminated) {
      ant.reset();
      hash.add(ant.observation);
    }
  }
  return hash.value();
}

/// Trajectories may be compared only within one version of MuJoCo.
tt::assertion_result same_mujoco(boost::unit_test::test_unit_id) {
  tt::assertion_result same(mujoco_version() == "3.17.0");
  same.message() << "the reference numbers are MuJoCo 3.17.0's, this is " << mujoco_version();
  return same;
}

std::string error_of(const SimConfig& config) {
  try {
    make_env(config);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

// made with Gymnasium 1.4.0, seed 3, test_action, 400 steps
BOOST_AUTO_TEST_CASE(trajectories_have_gymnasiums_bits,
                     *boost::unit_test::precondition(same_mujoco)) {
  BOOST_TEST(hash_trajectory({.env = "Ant-v4"}) == 0x4d2126fce351be76ull);
  BOOST_TEST(hash_trajectory({.env = "Ant-v5"}) == 0x1c90fb46de37c1aaull);
  SimConfig with_forces{.env = "Ant-v4"};
  with_forces.ant.use_contact_forces = true;
  BOOST_TEST(hash_trajectory(with_forces) == 0xd21a658e579733a2ull);
  BOOST_TEST(hash_trajectory(many_options()) == 0xa1cc53903fd6b362ull);
}

BOOST_AUTO_TEST_CASE(options_set_the_observations_size) {
  const auto dim = [](const std::string& name, bool exclude, bool include_forces, bool use_forces) {
    SimConfig config{.env = name};
    config.ant.exclude_current_positions_from_observation = exclude;
    config.ant.include_cfrc_ext_in_observation = include_forces;
    config.ant.use_contact_forces = use_forces;
    return make_env(config)->spec().observation_dim;
  };
  BOOST_TEST(dim("Ant-v4", true, true, false) == 27);
  BOOST_TEST(dim("Ant-v4", false, true, false) == 29);
  BOOST_TEST(dim("Ant-v4", true, true, true) == 111);
  BOOST_TEST(dim("Ant-v4", false, true, true) == 113);
  BOOST_TEST(dim("Ant-v5", true, true, false) == 105);
  BOOST_TEST(dim("Ant-v5", false, true, false) == 107);
  BOOST_TEST(dim("Ant-v5", true, false, false) == 27);
  BOOST_TEST(dim("Ant-v5", false, false, false) == 29);
}

BOOST_AUTO_TEST_CASE(spec_is_gymnasiums) {
  const auto env = make_env({.env = "Ant-v5"});
  BOOST_TEST(env->spec().action_dim == 8);
  BOOST_TEST(env->spec().action_low == std::vector<float>(8, -1), tt::per_element());
  BOOST_TEST(env->spec().action_high == std::vector<float>(8, 1), tt::per_element());
  BOOST_TEST(env->spec().max_episode_steps == 1000);
  BOOST_TEST(env->spec().control_dt == 0.05, tt::tolerance(1e-15));
  BOOST_TEST(std::filesystem::path(env->model_path()).filename() == "ant.xml");
  BOOST_TEST(std::filesystem::is_regular_file(env->model_path()));
  BOOST_TEST(make_env({.env = "Ant-v4", .max_episode_steps = 7})->spec().max_episode_steps == 7);
}

BOOST_AUTO_TEST_CASE(observation_is_the_state_without_x_and_y) {
  Driver ant({.env = "Ant-v4"});
  ant.set_action(1);
  ant.step();
  for (std::size_t i = 0; i < 27; ++i) BOOST_TEST(ant.observation[i] == ant.state[i + 2]);
}

BOOST_AUTO_TEST_CASE(reward_is_the_sum_of_its_terms) {
  for (const SimConfig& config : {SimConfig{.env = "Ant-v4"}, many_options()}) {
    Driver ant(config);
    for (std::size_t t = 0; t < 50; ++t) {
      ant.set_action(t);
      const double x_before = ant.state[ant.state.size() - 2];
      const StepResult result = ant.step();
      double sum = 0;
      for (const double term : ant.terms) sum += term;
      BOOST_TEST(result.reward == sum, tt::tolerance(1e-12));
      const double weight = config.env == "Ant-v5" ? config.ant.forward_reward_weight : 1.0;
      const double x_after = ant.state[ant.state.size() - 2];
      BOOST_TEST(ant.terms[0] == weight * (x_after - x_before) / ant.spec.control_dt,
                 tt::tolerance(1e-12));
      double squares = 0;
      for (const float a : ant.action) squares += static_cast<double>(a) * static_cast<double>(a);
      BOOST_TEST(ant.terms[1] == -config.ant.ctrl_cost_weight * squares, tt::tolerance(1e-6));
      BOOST_TEST(ant.terms[2] <= 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(health_decides_termination_and_survival_reward) {
  const auto step_at_height = [](const std::string& name, double z, bool terminate) {
    SimConfig config{.env = name};
    config.ant.terminate_when_unhealthy = terminate;
    config.ant.reset_noise_scale = 0;
    Driver ant(config);
    ant.state[2] = z;
    const StepResult result = ant.step();
    BOOST_TEST(!result.invalid);
    return std::pair(result.terminated, ant.terms[3]);
  };
  for (const std::string name : {"Ant-v4", "Ant-v5"}) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(!step_at_height(name, .75, true).first);
      BOOST_TEST(step_at_height(name, .75, true).second == 1.0);
      BOOST_TEST(step_at_height(name, 2.0, true).first);
      BOOST_TEST(!step_at_height(name, 2.0, false).first);
      BOOST_TEST(step_at_height(name, 2.0, false).second == 0.0);
    }
  }
  // v4 pays the healthy reward whenever unhealthiness terminates
  BOOST_TEST(step_at_height("Ant-v4", 2.0, true).second == 1.0);
  BOOST_TEST(step_at_height("Ant-v5", 2.0, true).second == 0.0);
}

BOOST_AUTO_TEST_CASE(the_row_alone_decides_a_step) {
  for (const SimConfig& config : {SimConfig{.env = "Ant-v4"}, SimConfig{.env = "Ant-v5"}}) {
    Driver clean(config);
    Driver poisoned(config);
    for (std::size_t t = 0; t < 60; ++t) {
      // every derived field becomes NaN, as after some other environment's disaster
      const auto& model = static_cast<const MujocoEnv&>(*poisoned.env).model();
      mj_resetDataDebug(&model, &poisoned.data(), 0xff);
      if (t == 30) {
        clean.reset();
        poisoned.reset();
      }
      clean.set_action(t);
      poisoned.set_action(t);
      const StepResult expected = clean.step();
      const StepResult result = poisoned.step();
      BOOST_REQUIRE(result.reward == expected.reward);
      BOOST_REQUIRE(result.terminated == expected.terminated);
      BOOST_REQUIRE(poisoned.state == clean.state);
      BOOST_REQUIRE(poisoned.observation == clean.observation);
    }
  }
}

BOOST_AUTO_TEST_CASE(huge_velocity_is_an_invalid_step) {
  MujocoGuard::expect_warnings();
  Driver ant({.env = "Ant-v5"});
  ant.state[15] = 1e11;
  BOOST_TEST(ant.step().invalid);
  // the workspace is none the worse
  ant.reset();
  BOOST_TEST(!ant.step().invalid);
}

BOOST_AUTO_TEST_CASE(state_that_is_not_finite_is_an_invalid_step) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const std::size_t i : {0u, 2u, 20u, 35u}) {
      Driver ant({.env = "Ant-v4"});
      ant.state[i] = bad;
      BOOST_TEST(ant.step().invalid);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_mujoco_error_does_not_end_the_process) {
  MujocoGuard::expect_warnings();
  BOOST_TEST(!call_mujoco([](void*) { mju_error("a test's error"); }, nullptr));
  BOOST_TEST(last_mujoco_warning() == "a test's error");
  BOOST_TEST(call_mujoco([](void*) { mju_warning("a test's warning"); }, nullptr));
  BOOST_TEST(last_mujoco_warning() == "a test's warning");
  Driver ant({.env = "Ant-v4"});
  BOOST_TEST(!ant.step().invalid);
}

BOOST_AUTO_TEST_CASE(options_that_a_version_lacks_are_refused) {
  SimConfig v4{.env = "Ant-v4"};
  v4.ant.frame_skip = 4;
  BOOST_TEST(contains(error_of(v4), "sim.ant.frame_skip: Ant-v4 has no such option"));
  v4.ant = {.forward_reward_weight = 2};
  BOOST_TEST(contains(error_of(v4), "sim.ant.forward_reward_weight"));
  v4.ant = {.main_body = 2};
  BOOST_TEST(contains(error_of(v4), "sim.ant.main_body"));
  v4.ant = {.include_cfrc_ext_in_observation = false};
  BOOST_TEST(contains(error_of(v4), "sim.ant.include_cfrc_ext_in_observation"));
  SimConfig v5{.env = "Ant-v5"};
  v5.ant.use_contact_forces = true;
  BOOST_TEST(contains(error_of(v5), "sim.ant.use_contact_forces: Ant-v5 has no such option"));
}

BOOST_AUTO_TEST_CASE(values_out_of_range_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto error_with = [](const AntConfig& ant) {
    return error_of({.env = "Ant-v5", .ant = ant});
  };
  BOOST_TEST(contains(error_with({.frame_skip = 0}), "sim.ant.frame_skip"));
  BOOST_TEST(contains(error_with({.frame_skip = 1001}), "sim.ant.frame_skip"));
  BOOST_TEST(contains(error_with({.ctrl_cost_weight = nan}), "sim.ant.ctrl_cost_weight"));
  BOOST_TEST(contains(error_with({.main_body = 14}), "bodies 0 to 13"));
  BOOST_TEST(contains(error_with({.healthy_z_range = {1, .2}}), "sim.ant.healthy_z_range"));
  BOOST_TEST(contains(error_with({.healthy_z_range = {nan, 1}}), "sim.ant.healthy_z_range"));
  BOOST_TEST(contains(error_with({.healthy_z_range = {1, 1}}), "with low < high"));
  BOOST_TEST(contains(error_with({.contact_force_range = {1, 0}}), "sim.ant.contact_force_range"));
  BOOST_TEST(contains(error_with({.reset_noise_scale = -.1}), "sim.ant.reset_noise_scale"));
}
