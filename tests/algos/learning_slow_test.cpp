#define BOOST_TEST_MODULE learning
#include <boost/test/unit_test.hpp>
#include <iostream>

#include "algos/networks/device.hpp"
#include "algos/training/trainer.hpp"

using namespace anthill;

// A random policy scores about -1200 and a solved Pendulum about -150: nothing but learning
// crosses -250.
BOOST_AUTO_TEST_CASE(sac_learns_to_swing_the_pendulum_up) {
  set_learner_threads(1);
  ExperimentConfig config;
  config.run.device = DeviceChoice::cpu;
  config.sim.env = "Pendulum-v1";
  config.sim.num_envs = 4;
  config.sim.num_threads = 1;
  config.buffer.capacity = 10'000;
  config.training = {.total_env_steps = 6'000,
                     .random_steps = 500,
                     .learning_starts = 500,
                     .replay_ratio = 1.0,
                     .batch_size = 128,
                     .overlap = true};
  config.agent.actor.hidden_dims = config.agent.critic.hidden_dims = {64, 64};
  config.agent.actor.learning_rate = config.agent.critic.learning_rate = 1e-3;
  config.agent.temperature.learning_rate = 1e-3;
  config.evaluation = {.period = 6'000, .num_episodes = 10};

  struct Evaluations : TrainingObserver {
    std::vector<double> means;
    void on_evaluation(const Counters&, const EvaluationResult& result, Agent&) override {
      BOOST_TEST(result.returns.size() == 10u);
      means.push_back(result.return_mean());
    }
  } evaluations;
  const std::atomic<bool> stop = false;
  Trainer trainer(config);
  BOOST_REQUIRE((trainer.run(stop, evaluations) == TrainingEnd::finished));
  BOOST_TEST(trainer.counters().gradient_updates == 5'500);
  BOOST_REQUIRE(evaluations.means.size() == 2u);  // before the first step and at the end
  std::cout << "evaluation mean before " << evaluations.means.front() << ", after "
            << evaluations.means.back() << '\n';
  BOOST_TEST(evaluations.means.front() < -500.0);
  BOOST_TEST(evaluations.means.back() >= -250.0);
}
