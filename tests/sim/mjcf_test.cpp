#define BOOST_TEST_MODULE sim_mjcf
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "sim/mujoco_env.hpp"
#include "sim/tasks.hpp"
#include "tests/sim/driver.hpp"
#include "tests/sim/model_files.hpp"
#include "tests/sim/mujoco_guard.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

namespace {

/// Ant-v5 in words of [sim.mjcf].
SimConfig ant_in_words(const AntConfig& ant) {
  SimConfig config{.env = "mjcf"};
  config.mjcf.model = make_env({.env = "Ant-v5"})->model_path();
  config.mjcf.frame_skip = ant.frame_skip;
  config.mjcf.observation = {"qpos[2:]", "qvel", "cfrc_ext[1:]"};
  config.mjcf.forward_body = "torso";
  config.mjcf.forward_reward_weight = ant.forward_reward_weight;
  config.mjcf.ctrl_cost_weight = ant.ctrl_cost_weight;
  config.mjcf.contact_cost_weight = ant.contact_cost_weight;
  config.mjcf.contact_force_range = ant.contact_force_range;
  config.mjcf.healthy_reward = ant.healthy_reward;
  config.mjcf.terminate_when_unhealthy = ant.terminate_when_unhealthy;
  config.mjcf.healthy = {std::to_string(ant.healthy_z_range[0]) +
                         " <= qpos[2] <= " + std::to_string(ant.healthy_z_range[1])};
  config.mjcf.reset_noise_scale = ant.reset_noise_scale;
  return config;
}

void check_same_bits(const AntConfig& ant, std::size_t num_steps) {
  Driver expected({.env = "Ant-v5", .ant = ant}, 11);
  Driver ours(ant_in_words(ant), 11);
  BOOST_REQUIRE(ours.observation == expected.observation);
  std::size_t num_episodes = 0;
  for (std::size_t t = 0; t < num_steps; ++t) {
    ours.set_action(t);
    expected.set_action(t);
    const StepResult a = ours.step();
    const StepResult b = expected.step();
    BOOST_REQUIRE(!b.invalid);
    BOOST_REQUIRE(ours.observation == expected.observation);
    BOOST_REQUIRE(a.reward == b.reward);
    BOOST_REQUIRE(ours.terms == expected.terms);
    BOOST_REQUIRE(a.terminated == b.terminated);
    if (b.terminated) {
      ++num_episodes;
      ours.reset();
      expected.reset();
      BOOST_REQUIRE(ours.observation == expected.observation);
    }
  }
  BOOST_TEST(num_episodes >= 1u);
}

}  // namespace

BOOST_AUTO_TEST_CASE(ant_in_words_has_the_bits_of_ant_v5) {
  check_same_bits({}, 400);
  check_same_bits({.frame_skip = 3,
                   .forward_reward_weight = 1.75,
                   .ctrl_cost_weight = .3,
                   .contact_cost_weight = .07,
                   .healthy_reward = .9,
                   .healthy_z_range = {.35, .9},
                   .contact_force_range = {-3, 5},
                   .reset_noise_scale = .15},
                  300);
}

BOOST_AUTO_TEST_CASE(fields_are_what_mujoco_has) {
  const ModelFiles files;
  SimConfig config = files.hopper();
  config.mjcf.observation = {"qpos",
                             "qvel[1]",
                             "joint(hip)",
                             "joint_velocity(hip)",
                             "sensor(rate)[1]",
                             "sensordata[3:4]",
                             "xpos(foot)",
                             "cvel[1:2]",
                             "cfrc_ext(foot)",
                             "actuator_force"};
  Driver hopper(config);
  const auto& m = static_cast<const MujocoEnv&>(*hopper.env).model();
  BOOST_TEST(hopper.spec.observation_dim == m.nq + 1 + 1 + 1 + 1 + 1 + 3 + 6 + 6 + m.nu);
  for (std::size_t t = 0; t < 30; ++t) {
    hopper.set_action(t);
    BOOST_REQUIRE(!hopper.step().invalid);
    const mjData& d = hopper.data();
    std::vector<double> expected(d.qpos, d.qpos + m.nq);
    expected.insert(expected.end(), {d.qvel[1], d.qpos[2], d.qvel[2], d.sensordata[1]});
    expected.push_back(d.sensordata[3]);
    const int foot = mj_name2id(&m, mjOBJ_BODY, "foot");
    expected.insert(expected.end(), d.xpos + 3 * foot, d.xpos + 3 * foot + 3);
    expected.insert(expected.end(), d.cvel + 6, d.cvel + 12);
    for (int i = 0; i < 6; ++i) {
      expected.push_back(std::min(std::max(d.cfrc_ext[6 * foot + i], -1.0), 1.0));
    }
    expected.insert(expected.end(), d.actuator_force, d.actuator_force + m.nu);
    BOOST_REQUIRE(hopper.observation == expected);
  }
}

BOOST_AUTO_TEST_CASE(reward_is_the_sum_of_its_terms) {
  const ModelFiles files;
  SimConfig config = files.hopper();
  config.mjcf.forward_axis = "z";
  config.mjcf.forward_body = "foot";
  config.mjcf.contact_cost_weight = .01;
  config.mjcf.extra_rewards = {"0.25 * sensor(touch)", "-0.5 * qvel[1:]^2", "-2*xpos(foot)[2]"};
  Driver hopper(config);
  BOOST_TEST(hopper.spec.reward_terms.back() == "reward_extra_2");
  const std::size_t z = hopper.state.size() - 1;
  for (std::size_t t = 0; t < 60; ++t) {
    hopper.set_action(t);
    const double before = hopper.state[z];
    const StepResult result = hopper.step();
    BOOST_REQUIRE(!result.invalid);
    double sum = 0;
    for (const double term : hopper.terms) sum += term;
    BOOST_TEST(result.reward == sum, tt::tolerance(1e-12));
    const mjData& d = hopper.data();
    BOOST_TEST(hopper.terms[0] == (hopper.state[z] - before) / hopper.spec.control_dt,
               tt::tolerance(1e-12));
    BOOST_TEST(hopper.terms[4] == .25 * d.sensordata[3], tt::tolerance(1e-12));
    const double squares = d.qvel[1] * d.qvel[1] + d.qvel[2] * d.qvel[2];
    BOOST_TEST(hopper.terms[5] == -.5 * squares, tt::tolerance(1e-12));
    BOOST_TEST(hopper.terms[6] == -2 * hopper.state[z], tt::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(contact_forces_are_computed_wherever_they_are_named) {
  const ModelFiles files;
  const auto largest_force = [&](auto name_them) {
    SimConfig config = files.hopper();
    name_them(config.mjcf);
    Driver hopper(config);
    double largest = 0;
    for (std::size_t t = 0; t < 60; ++t) {
      // what some other environment left behind must not be taken for a force
      std::fill_n(hopper.data().cfrc_ext, 24, 1e9);
      BOOST_REQUIRE(!hopper.step().invalid);
      for (int i = 0; i < 24; ++i) largest = std::max(largest, std::abs(hopper.data().cfrc_ext[i]));
    }
    return largest;
  };
  for (const double force :
       {largest_force([](MjcfConfig& c) { c.observation = {"cfrc_ext(foot)"}; }),
        largest_force([](MjcfConfig& c) { c.healthy = {"cfrc_ext < 1e12"}; }),
        largest_force([](MjcfConfig& c) { c.extra_rewards = {"1e-3 * cfrc_ext^2"}; }),
        largest_force([](MjcfConfig& c) { c.contact_cost_weight = 1e-3; })}) {
    BOOST_TEST(force > 1);
    BOOST_TEST(force < 1e8);
  }
}

BOOST_AUTO_TEST_CASE(bounds_decide_health) {
  const ModelFiles files;
  const auto terminated = [&](std::vector<std::string> healthy, bool terminate = true) {
    SimConfig config = files.hopper();
    config.mjcf.reset_noise_scale = 0;
    config.mjcf.healthy = std::move(healthy);
    config.mjcf.terminate_when_unhealthy = terminate;
    Driver hopper(config);
    const StepResult result = hopper.step();
    BOOST_TEST(hopper.terms[3] == (result.terminated || !terminate ? 0.0 : 1.0));
    return result.terminated;
  };
  BOOST_TEST(!terminated({}));
  BOOST_TEST(!terminated({"-100 < qpos < 100", "xpos(foot)[2] <= inf"}));
  BOOST_TEST(terminated({"-100 < qpos < 100", "5 < xpos(foot)[2]"}));
  BOOST_TEST(!terminated({"5 < xpos(foot)[2]"}, false));
  // the hopper's first coordinate does not move: open and closed ends differ
  BOOST_TEST(!terminated({"0 <= qpos[0]"}));
  BOOST_TEST(terminated({"0 < qpos[0]"}));
  BOOST_TEST(!terminated({"-1 < qpos[0] <= 0.0"}));
  BOOST_TEST(terminated({"-1 < qpos[0] < 0.0"}));
}

BOOST_AUTO_TEST_CASE(starts_follow_keyframe_and_noise) {
  const ModelFiles files;
  SimConfig config = files.hopper();
  config.mjcf.observation = {"qpos", "qvel"};
  config.mjcf.reset_noise_scale = 0;
  config.mjcf.reset_keyframe = "high";
  BOOST_TEST(Driver(config).observation == (std::vector<double>{0, .5, .1, 0, 0, 2}),
             tt::per_element());
  config.mjcf.reset_noise_scale = .25;
  config.mjcf.reset_velocity_noise = "uniform";
  NumpyGenerator rng(3);
  const std::vector<double> start = Driver(config, 3).observation;
  const std::vector<double> key = {0, .5, .1, 0, 0, 2};
  for (std::size_t i = 0; i < 6; ++i) BOOST_TEST(start[i] == key[i] + rng.uniform(-.25, .25));
}

BOOST_AUTO_TEST_CASE(activations_are_kept_in_the_row) {
  const ModelFiles files;
  const SimConfig config = files.filtered();
  Driver clean(config), poisoned(config);
  BOOST_TEST(clean.spec.observation_dim == 4);
  for (std::size_t t = 0; t < 40; ++t) {
    const auto& model = static_cast<const MujocoEnv&>(*poisoned.env).model();
    mj_resetDataDebug(&model, &poisoned.data(), 0xff);
    if (t == 20) {
      clean.reset();
      poisoned.reset();
      BOOST_TEST(clean.observation[2] == 0);
    }
    clean.set_action(t);
    poisoned.set_action(t);
    BOOST_REQUIRE(clean.step().reward == poisoned.step().reward);
    BOOST_REQUIRE(clean.observation == poisoned.observation);
    BOOST_REQUIRE(clean.state == poisoned.state);
    if (t % 20 > 2) BOOST_TEST(clean.observation[2] != 0);
  }
}
