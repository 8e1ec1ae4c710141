// What every MuJoCo task promises: the row alone decides a step, and no setting of ours a bit.
#define BOOST_TEST_MODULE sim_mujoco_tasks
#include <boost/test/unit_test.hpp>
#include <limits>

#include "sim/mujoco_env.hpp"
#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;

namespace {

/// One environment with its row, driven without a VectorEnv.
struct Driver {
  explicit Driver(std::shared_ptr<const Env> env_in)
      : env(std::move(env_in)),
        spec(env->spec()),
        workspace(env->make_workspace()),
        rng(3),
        state(static_cast<std::size_t>(spec.state_dim)),
        action(static_cast<std::size_t>(spec.action_dim)),
        observation(static_cast<std::size_t>(spec.observation_dim)),
        terms(spec.reward_terms.size()) {
    reset();
  }

  void reset() { env->reset(*workspace, rng, state, observation); }
  StepResult step(std::size_t t) {
    for (std::size_t j = 0; j < action.size(); ++j) action[j] = 2 * test_action(t, j);
    return env->step(*workspace, rng, state, action, observation, terms);
  }
  mjData& data() { return static_cast<MujocoWorkspace&>(*workspace).data(); }
  void poison(unsigned char byte) {
    mj_resetDataDebug(&static_cast<const MujocoEnv&>(*env).model(), &data(), byte);
  }

  std::shared_ptr<const Env> env;
  const EnvSpec& spec;
  std::unique_ptr<Workspace> workspace;
  NumpyGenerator rng;
  std::vector<double> state;
  std::vector<float> action;
  std::vector<double> observation;
  std::vector<double> terms;
};

std::vector<std::shared_ptr<const MujocoEnv>> mujoco_tasks() {
  std::vector<std::shared_ptr<const MujocoEnv>> tasks;
  for (const std::string& name : task_names()) {
    auto task = std::dynamic_pointer_cast<const MujocoEnv>(make_env({.env = name}));
    if (task != nullptr) tasks.push_back(std::move(task));
  }
  return tasks;
}

std::uint64_t hash_trajectory(const std::shared_ptr<const Env>& env) {
  Driver driver(env);
  BitHash hash;
  for (std::size_t t = 0; t < 60; ++t) {
    const StepResult result = driver.step(t);
    BOOST_REQUIRE(!result.invalid);
    hash.add(driver.observation);
    hash.add(driver.state);
    hash.add(driver.terms);
    hash.add(result.reward);
    if (result.terminated) driver.reset();
  }
  return hash.value();
}

}  // namespace

BOOST_AUTO_TEST_CASE(poisoned_workspaces_change_no_bit) {
  for (const auto& task : mujoco_tasks()) {
    BOOST_TEST_CONTEXT(task->spec().name) {
      Driver clean(task);
      Driver poisoned(task);
      for (std::size_t t = 0; t < 40; ++t) {
        // all of mjData becomes NaN or garbage, as after some other environment's disaster
        poisoned.poison(t % 2 == 0 ? 0xff : 0x3f);
        if (t % 15 == 14) {
          clean.reset();
          poisoned.reset();
          BOOST_REQUIRE(poisoned.observation == clean.observation);
          poisoned.poison(0xff);
        }
        const StepResult expected = clean.step(t);
        const StepResult result = poisoned.step(t);
        BOOST_REQUIRE(!expected.invalid);
        BOOST_REQUIRE(result.reward == expected.reward);
        BOOST_REQUIRE(result.terminated == expected.terminated);
        BOOST_REQUIRE(poisoned.state == clean.state);
        BOOST_REQUIRE(poisoned.observation == clean.observation);
        BOOST_REQUIRE(poisoned.terms == clean.terms);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(islands_are_off_only_where_they_change_no_bit) {
  std::size_t num_with_one_tree = 0;
  for (const auto& task : mujoco_tasks()) {
    BOOST_TEST_CONTEXT(task->spec().name) {
      const mjModel& model = task->model();
      const bool islands_are_off = (model.opt.disableflags & mjDSBL_ISLAND) != 0;
      BOOST_TEST(islands_are_off == (model.ntree == 1));
      if (model.ntree != 1) continue;
      ++num_with_one_tree;
      const std::uint64_t expected = hash_trajectory(task);
      auto& flags = const_cast<mjModel&>(model).opt.disableflags;
      flags &= ~static_cast<int>(mjDSBL_ISLAND);
      BOOST_TEST(hash_trajectory(task) == expected);
    }
  }
#if !defined(__SANITIZE_THREAD__)
  BOOST_TEST(num_with_one_tree >= 15u);
#endif
}

BOOST_AUTO_TEST_CASE(state_that_is_not_finite_is_an_invalid_step) {
  for (const auto& task : mujoco_tasks()) {
    BOOST_TEST_CONTEXT(task->spec().name) {
      Driver driver(task);
      driver.state.back() = std::numeric_limits<double>::quiet_NaN();
      BOOST_TEST(driver.step(0).invalid);
      driver.reset();
      BOOST_TEST(!driver.step(0).invalid);
    }
  }
}

BOOST_AUTO_TEST_CASE(reset_noise_that_is_not_finite_makes_the_first_step_invalid) {
#if !defined(__SANITIZE_THREAD__)
  MujocoGuard::expect_warnings();
  SimConfig config{.env = "Hopper-v5"};
  config.hopper.reset_noise_scale = 1e300;
  Driver driver(make_env(config));
  BOOST_TEST(driver.step(0).invalid);
#endif
}
