// A constant reward of 1 in a task that never ends: the value of bootstrapping through the time
// limit, and of taking the limit for an end.
#define BOOST_TEST_MODULE timeout
#include <boost/test/unit_test.hpp>

#include "algos/training/trainer.hpp"
#include "tests/sim/model_files.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kLimit = 1000, kEnvs = 20;

/// A mass on a damped spring, pushed at random: what it looks like does not tell the time.
constexpr const char* kModel = R"(<mujoco>
  <option timestep="0.02" gravity="0 0 0"/>
  <worldbody>
    <body>
      <joint name="x" type="slide" axis="1 0 0" stiffness="20" damping="2"/>
      <geom type="sphere" size=".1" mass="1"/>
    </body>
  </worldbody>
  <actuator><motor joint="x" gear="5" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>)";

ExperimentConfig constant_reward(const ModelFiles& files) {
  ExperimentConfig config;
  config.run.device = DeviceChoice::cpu;
  config.sim = files.task(kModel);
  config.sim.num_envs = kEnvs;
  config.sim.num_threads = 1;
  config.sim.max_episode_steps = kLimit;
  config.sim.mjcf.observation = {"qpos", "qvel"};
  config.sim.mjcf.forward_reward_weight = config.sim.mjcf.ctrl_cost_weight = 0.0;
  config.sim.mjcf.healthy_reward = 1.0;
  // the ring holds one whole episode of every environment: one row in kLimit is a timeout
  config.buffer.capacity = kEnvs * kLimit;
  config.training = {.total_env_steps = 2 * kEnvs * kLimit,
                     .random_steps = 2 * kEnvs * kLimit,
                     .learning_starts = kEnvs * kLimit,
                     .replay_ratio = 0.6,
                     .batch_size = 64,
                     .overlap = false};
  config.agent.tau = 0.05;
  config.agent.actor.hidden_dims = config.agent.critic.hidden_dims = {16, 16};
  config.agent.critic.learning_rate = 1e-3;
  config.agent.temperature.automatic = false;
  config.agent.temperature.initial_alpha = 1e-9;
  config.evaluation.period = 0;
  config.log.period = 2'000;
  return config;
}

/// Mean batch Q of the last rows of train.csv.
double learned_value(const ExperimentConfig& config) {
  struct LastRows : TrainingObserver {
    std::vector<double> q;
    void on_metrics(const Counters&, const std::vector<std::string>& names,
                    const std::vector<double>& values) override {
      const auto place = std::ranges::find(names, "q_mean") - names.begin();
      if (names.empty()) return;
      q.push_back(values[static_cast<std::size_t>(place)]);
      BOOST_TEST_MESSAGE("q " << q.back());
    }
  } rows;
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  BOOST_REQUIRE((trainer.run(stop, rows) == TrainingEnd::finished));
  double mean = 0.0;
  for (std::size_t i = rows.q.size() - 3; i < rows.q.size(); ++i) mean += rows.q[i] / 3.0;
  return mean;
}

}  // namespace

BOOST_AUTO_TEST_CASE(only_an_end_stops_bootstrapping) {
  const ModelFiles files;
  ExperimentConfig config = constant_reward(files);
  // Q = 1 + .99 Q
  BOOST_TEST(std::abs(learned_value(config) - 100.0) < 3.0);
  // a network that cannot see the time: Q = 1 + .99 (1 - 1 / limit) Q
  config.training.timeout_is_terminal = true;
  const double expected = 1.0 / (1.0 - 0.99 * (1.0 - 1.0 / kLimit));
  BOOST_TEST(std::abs(expected - 90.99) < 0.01);
  BOOST_TEST(std::abs(learned_value(config) - expected) < 3.0);
}
