// The tasks' shapes, options and documentation. Their numbers:
// tests/integration/gymnasium_parity_*.
#define BOOST_TEST_MODULE sim_tasks
#include "sim/tasks.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

namespace {

/// As in Gymnasium 1.4.0.
struct Shape {
  const char* name;
  std::int64_t observation_dim, action_dim, num_actions;
  float low, high;
  std::int64_t max_episode_steps;
  double control_dt;
};

constexpr Shape kShapes[] = {
    {"Ant-v4", 27, 8, 0, -1, 1, 1000, .05},
    {"Ant-v5", 105, 8, 0, -1, 1, 1000, .05},
    {"HalfCheetah-v4", 17, 6, 0, -1, 1, 1000, .05},
    {"HalfCheetah-v5", 17, 6, 0, -1, 1, 1000, .05},
    {"Hopper-v4", 11, 3, 0, -1, 1, 1000, .008},
    {"Hopper-v5", 11, 3, 0, -1, 1, 1000, .008},
    {"Walker2d-v4", 17, 6, 0, -1, 1, 1000, .008},
    {"Walker2d-v5", 17, 6, 0, -1, 1, 1000, .008},
    {"Humanoid-v4", 376, 17, 0, -.4f, .4f, 1000, .015},
    {"Humanoid-v5", 348, 17, 0, -.4f, .4f, 1000, .015},
    {"HumanoidStandup-v5", 348, 17, 0, -.4f, .4f, 1000, .015},
    {"Swimmer-v5", 8, 2, 0, -1, 1, 1000, .04},
    {"InvertedPendulum-v4", 4, 1, 0, -3, 3, 1000, .04},
    {"InvertedPendulum-v5", 4, 1, 0, -3, 3, 1000, .04},
    {"InvertedDoublePendulum-v5", 9, 1, 0, -1, 1, 1000, .05},
    {"Reacher-v5", 10, 2, 0, -1, 1, 50, .02},
    {"Pendulum-v1", 3, 1, 0, -2, 2, 200, .05},
    {"CartPole-v1", 4, 1, 2, 0, 1, 500, .02},
    {"MountainCarContinuous-v0", 2, 1, 0, -1, 1, 999, 1},
};

std::string error_of(const SimConfig& config) {
  try {
    make_env(config);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A classic control task's row, driven without a VectorEnv.
struct Classic {
  explicit Classic(const SimConfig& config, std::vector<double> state_in)
      : env(make_env(config)),
        workspace(env->make_workspace()),
        state(std::move(state_in)),
        observation(static_cast<std::size_t>(env->spec().observation_dim)) {}

  StepResult step(float action) {
    return env->step(*workspace, rng, state, {&action, 1}, observation, {});
  }

  std::shared_ptr<const Env> env;
  std::unique_ptr<Workspace> workspace;
  NumpyGenerator rng{0};
  std::vector<double> state;
  std::vector<double> observation;
};

}  // namespace

BOOST_AUTO_TEST_CASE(shapes_are_gymnasiums) {
  for (const Shape& shape : kShapes) {
    BOOST_TEST_CONTEXT(shape.name) {
      const auto env = make_env({.env = shape.name});
      const EnvSpec& spec = env->spec();
      const auto action_dim = static_cast<std::size_t>(shape.action_dim);
      BOOST_TEST(spec.name == shape.name);
      BOOST_TEST(spec.observation_dim == shape.observation_dim);
      BOOST_TEST(spec.action_dim == shape.action_dim);
      BOOST_TEST(spec.num_actions == shape.num_actions);
      BOOST_TEST(spec.action_low == std::vector<float>(action_dim, shape.low), tt::per_element());
      BOOST_TEST(spec.action_high == std::vector<float>(action_dim, shape.high), tt::per_element());
      BOOST_TEST(spec.max_episode_steps == shape.max_episode_steps);
      BOOST_TEST(spec.control_dt == shape.control_dt, tt::tolerance(1e-15));
      BOOST_TEST(make_env({.env = shape.name, .max_episode_steps = 7})->spec().max_episode_steps ==
                 7);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_documentation_has_every_task) {
  std::ifstream in("docs/environments.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  for (const Shape& shape : kShapes) {
    std::ostringstream row;
    row << "| " << shape.name << " | " << shape.observation_dim << " | ";
    if (shape.num_actions > 0) {
      row << shape.num_actions << " discrete | | ";
    } else {
      row << shape.action_dim << " | " << shape.low << " to " << shape.high << " | ";
    }
    row << shape.max_episode_steps << " | " << shape.control_dt << " |";
    BOOST_TEST(contains(page, row.str()), "docs/environments.md lacks " << row.str());
  }
}

BOOST_AUTO_TEST_CASE(options_that_v4_lacks_are_refused) {
  const auto check = [](const std::string& name, const std::string& key, const auto& change) {
    SimConfig config{.env = name};
    change(config);
    BOOST_TEST(contains(error_of(config), key + ": " + name + " has no such option; remove it"));
    config.env.back() = '5';
    BOOST_TEST(!contains(error_of(config), "no such option"));
  };
  check("HalfCheetah-v4", "sim.half_cheetah.frame_skip",
        [](SimConfig& c) { c.half_cheetah.frame_skip = 3; });
  check("Hopper-v4", "sim.hopper.xml_file", [](SimConfig& c) { c.hopper.xml_file = "a.xml"; });
  check("Walker2d-v4", "sim.walker2d.xml_file",
        [](SimConfig& c) { c.walker2d.xml_file = "walker2d.xml"; });
  check("Humanoid-v4", "sim.humanoid.frame_skip", [](SimConfig& c) { c.humanoid.frame_skip = 3; });
  check("Humanoid-v4", "sim.humanoid.contact_cost_weight",
        [](SimConfig& c) { c.humanoid.contact_cost_weight = 1; });
  check("Humanoid-v4", "sim.humanoid.contact_cost_range", [](SimConfig& c) {
    c.humanoid.contact_cost_range = {0, 1};
  });
  check("Humanoid-v4", "sim.humanoid.include_cinert_in_observation",
        [](SimConfig& c) { c.humanoid.include_cinert_in_observation = false; });
  check("Humanoid-v4", "sim.humanoid.include_cvel_in_observation",
        [](SimConfig& c) { c.humanoid.include_cvel_in_observation = false; });
  check("Humanoid-v4", "sim.humanoid.include_qfrc_actuator_in_observation",
        [](SimConfig& c) { c.humanoid.include_qfrc_actuator_in_observation = false; });
  check("Humanoid-v4", "sim.humanoid.include_cfrc_ext_in_observation",
        [](SimConfig& c) { c.humanoid.include_cfrc_ext_in_observation = false; });
  check("InvertedPendulum-v4", "sim.inverted_pendulum.reset_noise_scale",
        [](SimConfig& c) { c.inverted_pendulum.reset_noise_scale = 1; });
}

BOOST_AUTO_TEST_CASE(values_out_of_range_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto check = [](const std::string& name, const std::string& key, const auto& change) {
    SimConfig config{.env = name};
    change(config);
    BOOST_TEST(contains(error_of(config), "sim." + key + ": must be"));
  };
  check("HalfCheetah-v5", "half_cheetah.forward_reward_weight",
        [&](SimConfig& c) { c.half_cheetah.forward_reward_weight = nan; });
  check("Hopper-v5", "hopper.healthy_angle_range", [](SimConfig& c) {
    c.hopper.healthy_angle_range = {1, -1};
  });
  check("Walker2d-v5", "walker2d.frame_skip", [](SimConfig& c) { c.walker2d.frame_skip = 0; });
  check("Humanoid-v5", "humanoid.contact_cost_range", [](SimConfig& c) {
    c.humanoid.contact_cost_range = {2, 2};
  });
  check("HumanoidStandup-v5", "humanoid_standup.impact_cost_weight",
        [&](SimConfig& c) { c.humanoid_standup.impact_cost_weight = nan; });
  check("Swimmer-v5", "swimmer.reset_noise_scale",
        [](SimConfig& c) { c.swimmer.reset_noise_scale = -1; });
  check("InvertedPendulum-v5", "inverted_pendulum.frame_skip",
        [](SimConfig& c) { c.inverted_pendulum.frame_skip = 1001; });
  check("InvertedDoublePendulum-v5", "inverted_double_pendulum.healthy_reward",
        [&](SimConfig& c) { c.inverted_double_pendulum.healthy_reward = nan; });
  check("Reacher-v5", "reacher.reward_dist_weight",
        [&](SimConfig& c) { c.reacher.reward_dist_weight = nan; });
  check("MountainCarContinuous-v0", "mountain_car_continuous.goal_velocity",
        [&](SimConfig& c) { c.mountain_car_continuous.goal_velocity = nan; });
}

BOOST_AUTO_TEST_CASE(models_without_what_a_task_reads_are_refused) {
  const auto check = [](const std::string& name, std::string& file_of_config, SimConfig& config,
                        const std::string& file, const std::string& message) {
    config.env = name;
    file_of_config = file;
    BOOST_TEST(contains(error_of(config), message));
  };
  SimConfig c;
  check("Hopper-v5", c.hopper.xml_file, c, "inverted_pendulum.xml", "a hopper needs");
  check("Walker2d-v5", c.walker2d.xml_file, c, "inverted_pendulum.xml", "a walker needs");
  check("Humanoid-v5", c.humanoid.xml_file, c, "swimmer.xml", "a humanoid needs a free root");
  check("HumanoidStandup-v5", c.humanoid_standup.xml_file, c, "swimmer.xml", "a humanoid needs");
  check("InvertedPendulum-v5", c.inverted_pendulum.xml_file, c, "hopper.xml", "needs two joints");
  check("InvertedDoublePendulum-v5", c.inverted_double_pendulum.xml_file, c, "hopper.xml",
        "needs three joints");
  check("Reacher-v5", c.reacher.xml_file, c, "ant.xml", "'fingertip' and 'target'");
}

BOOST_AUTO_TEST_CASE(cartpole_follows_the_equations) {
  Classic cartpole({.env = "CartPole-v1"}, {.1, -.2, .03, .4});
  BOOST_TEST(cartpole.step(1).reward == 1);
  // Florian, 2007, "Correct equations for the dynamics of the cart-pole system", without friction
  const double push = (10 + .05 * .16 * std::sin(.03)) / 1.1;
  const double turn = (9.8 * std::sin(.03) - std::cos(.03) * push) /
                      (.5 * (4. / 3 - .1 * std::cos(.03) * std::cos(.03) / 1.1));
  const double expected[] = {.1 - .02 * .2, -.2 + .02 * (push - .05 * turn * std::cos(.03) / 1.1),
                             .03 + .02 * .4, .4 + .02 * turn};
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(cartpole.state[i] == expected[i], tt::tolerance(1e-14));
    BOOST_TEST(cartpole.observation[i] == static_cast<double>(static_cast<float>(expected[i])),
               tt::tolerance(1e-6));
  }
  Classic fallen({.env = "CartPole-v1"}, {0, 0, .2, 1});
  BOOST_TEST(fallen.step(0).terminated);
  BOOST_TEST(fallen.step(0).reward == 1);
  SimConfig sutton_barto{.env = "CartPole-v1"};
  sutton_barto.cartpole.sutton_barto_reward = true;
  BOOST_TEST(Classic(sutton_barto, {0, 0, 0, 0}).step(0).reward == 0);
  BOOST_TEST(Classic(sutton_barto, {0, 0, .2, 1}).step(0).reward == -1);
}

BOOST_AUTO_TEST_CASE(the_mountain_car_follows_the_equations) {
  const SimConfig config{.env = "MountainCarContinuous-v0"};
  Classic car(config, {-.5, 0, 1});
  const StepResult result = car.step(.5f);
  const double velocity = .5 * .0015 - .0025 * std::cos(-1.5);
  BOOST_TEST(result.reward == -.1 * .25, tt::tolerance(1e-15));
  BOOST_TEST(car.state[1] == velocity, tt::tolerance(1e-6));
  BOOST_TEST(car.state[0] == -.5 + velocity, tt::tolerance(1e-6));
  BOOST_TEST(car.state[2] == 0);
  // far beyond the bounds: the force is clipped, its cost is not; the left wall stops the car
  Classic stopped(config, {-1.19, -.05, 0});
  BOOST_TEST(stopped.step(-10).reward == -10, tt::tolerance(1e-15));
  BOOST_TEST(stopped.state[0] == -1.2, tt::tolerance(1e-7));
  BOOST_TEST(stopped.state[1] == 0);
  Classic arriving(config, {.44, .05, 0});
  const StepResult arrival = arriving.step(0);
  BOOST_TEST(arrival.terminated);
  BOOST_TEST(arrival.reward == 100);
}
