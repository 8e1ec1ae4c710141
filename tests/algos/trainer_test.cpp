#define BOOST_TEST_MODULE trainer
#include "algos/training/trainer.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

using namespace anthill;

namespace {

/// Pendulum with small networks: a run of a second.
ExperimentConfig small_experiment() {
  ExperimentConfig config;
  config.run.device = DeviceChoice::cpu;
  config.sim.env = "Pendulum-v1";
  config.sim.num_envs = 4;
  config.sim.num_threads = 1;
  config.sim.max_episode_steps = 30;
  config.buffer.capacity = 1000;
  config.training = {.total_env_steps = 400,
                     .random_steps = 60,
                     .learning_starts = 60,
                     .replay_ratio = 0.5,
                     .batch_size = 16,
                     .overlap = true};
  config.agent.actor.hidden_dims = config.agent.critic.hidden_dims = {16, 16};
  config.evaluation = {.period = 0, .num_episodes = 2};
  config.log.period = 100;
  return config;
}

struct Outcome {
  std::vector<Tensor> parameters;
  Counters counters;
  TrainingEnd end;
};

Outcome train(const ExperimentConfig& config) {
  TrainingObserver nobody;
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  Outcome outcome;
  outcome.end = trainer.run(stop, nobody);
  outcome.counters = trainer.counters();
  for (const NamedTensor& named : trainer.agent().parameters()) {
    outcome.parameters.push_back(named.tensor.clone());
  }
  return outcome;
}

bool same_bits(const Outcome& a, const Outcome& b) {
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    if (!at::equal(a.parameters[i], b.parameters[i])) return false;
  }
  return a.parameters.size() == b.parameters.size();
}

}  // namespace

BOOST_AUTO_TEST_CASE(evaluation_does_not_change_training) {
  ExperimentConfig config = small_experiment();
  const Outcome without = train(config);
  config.evaluation.period = 50;
  const Outcome with = train(config);
  BOOST_TEST((without.end == TrainingEnd::finished && with.end == TrainingEnd::finished));
  BOOST_TEST(same_bits(without, with));
}

BOOST_AUTO_TEST_CASE(the_overestimation_probe_does_not_change_training) {
  ExperimentConfig config = small_experiment();
  for (const bool overlap : {false, true}) {
    config.training.overlap = overlap;
    config.overestimation = {};
    config.buffer.store_state = false;
    const Outcome without = train(config);
    config.buffer.store_state = true;
    BOOST_TEST(same_bits(without, train(config)));
    config.overestimation = {.period = 50,
                             .num_states = 5,
                             .horizon = 40,
                             .num_episodes = 3,
                             .states = {"on_policy", "reset", "buffer_action", "buffer_policy"}};
    BOOST_TEST(same_bits(without, train(config)));
  }
}

BOOST_AUTO_TEST_CASE(probes_come_when_due_and_do_not_depend_on_threads) {
  struct Probes : TrainingObserver {
    std::vector<std::pair<std::int64_t, double>> values;  // env steps, soft return
    void on_overestimation(const Counters& counters, const OverestimationResult& result) override {
      BOOST_TEST(result.kinds.size() == 2u);
      BOOST_TEST(result.kinds[0].states.size() == 5u);
      values.emplace_back(counters.env_steps, result.kinds[0].value("soft_return"));
    }
  };
  ExperimentConfig config = small_experiment();
  config.overestimation = {.period = 200,
                           .num_states = 5,
                           .horizon = 20,
                           .num_episodes = 3,
                           .states = {"on_policy", "reset"}};
  const auto probes_with = [&](std::int64_t threads) {
    config.sim.num_threads = threads;
    Probes probes;
    std::atomic<bool> stop = false;
    Trainer(config).run(stop, probes);
    return probes.values;
  };
  const auto one = probes_with(1);
  BOOST_REQUIRE(one.size() == 2u);  // the last one after the drain
  BOOST_TEST(one[0].first == 200);
  BOOST_TEST(one[1].first == 400);
  BOOST_TEST((probes_with(3) == one));
}

BOOST_AUTO_TEST_CASE(a_probe_that_cannot_be_is_refused) {
  ExperimentConfig config = small_experiment();
  config.overestimation.period = 100;
  config.overestimation.states = {"buffer_policy"};
  BOOST_CHECK_EXCEPTION(Trainer trainer(config), ConfigError, [](const ConfigError& error) {
    return std::string(error.what()).find("buffer.store_state = true") != std::string::npos;
  });
  config.sim.env = "LunarLanderContinuous-v3";
  config.overestimation.states = {"on_policy"};
  BOOST_CHECK_EXCEPTION(Trainer trainer(config), ConfigError, [](const ConfigError& error) {
    return std::string(error.what()).find("past the time limit") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(simulation_threads_do_not_change_training) {
  ExperimentConfig config = small_experiment();
  for (const bool overlap : {false, true}) {
    config.training.overlap = overlap;
    config.sim.num_threads = 1;
    const Outcome one = train(config);
    for (const int threads : {2, 7}) {
      config.sim.num_threads = threads;
      BOOST_TEST(same_bits(one, train(config)), "threads " << threads << ", overlap " << overlap);
    }
  }
}

BOOST_AUTO_TEST_CASE(learner_threads_do_not_change_training) {
  ExperimentConfig config = small_experiment();
  config.agent.critic.layer_norm = true;
  config.learner.num_threads = 1;
  const Outcome one = train(config);
  for (const int threads : {2, 3}) {
    config.learner.num_threads = threads;
    BOOST_TEST(same_bits(one, train(config)), "threads " << threads);
  }
}

BOOST_AUTO_TEST_CASE(the_seed_decides_and_nothing_else) {
  ExperimentConfig config = small_experiment();
  const Outcome first = train(config);
  BOOST_TEST(same_bits(first, train(config)));
  config.run.seed = 1;
  BOOST_TEST(!same_bits(first, train(config)));
}

BOOST_AUTO_TEST_CASE(replay_ratio_is_exact_at_every_width) {
  for (const bool overlap : {false, true}) {
    for (const int width : {1, 7, 64}) {
      for (const double ratio : {0.25, 1.0, 3.7, 8.0}) {
        ExperimentConfig config = small_experiment();
        config.sim.num_envs = width;
        config.training.overlap = overlap;
        config.training.total_env_steps = 200;
        config.training.replay_ratio = ratio;
        config.agent.actor.hidden_dims = config.agent.critic.hidden_dims = {4};
        config.training.batch_size = 4;
        const Outcome outcome = train(config);
        const std::int64_t steps = (200 + width - 1) / width * width;
        BOOST_TEST(outcome.counters.env_steps == steps);
        const auto tenths = static_cast<std::int64_t>(ratio * 100.0 + 0.5);
        BOOST_TEST(outcome.counters.gradient_updates == (steps - 60) * tenths / 100);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(random_steps_and_learning_starts_are_apart) {
  ExperimentConfig config = small_experiment();
  config.training.random_steps = 400;
  config.training.learning_starts = 100;
  BOOST_TEST(train(config).counters.gradient_updates == 150);
  config.training.random_steps = 0;
  config.training.learning_starts = 400;
  BOOST_TEST(train(config).counters.gradient_updates == 0);
}

BOOST_AUTO_TEST_CASE(a_stop_request_ends_inside_a_long_learn_phase) {
  struct StopAt : TrainingObserver {
    std::atomic<bool> stop = false;
    void on_tick(const Counters& counters) override {
      if (counters.gradient_updates == 5) stop = true;
    }
  } observer;
  for (const bool overlap : {false, true}) {
    ExperimentConfig config = small_experiment();
    config.training.replay_ratio = 100.0;  // 400 updates for every vector step
    config.training.overlap = overlap;
    observer.stop = false;
    Trainer trainer(config);
    BOOST_TEST((trainer.run(observer.stop, observer) == TrainingEnd::stopped));
    BOOST_TEST(trainer.counters().gradient_updates == 5);
    BOOST_TEST(trainer.counters().env_steps == (overlap ? 68 : 64));
  }
}

BOOST_AUTO_TEST_CASE(an_observer_that_throws_mid_step_leaves_no_writer_behind) {
  struct Thrower : TrainingObserver {
    void on_tick(const Counters&) override { throw std::runtime_error("disk full"); }
  } observer;
  ExperimentConfig config = small_experiment();
  for (const int threads : {1, 3}) {
    config.sim.num_threads = threads;
    std::atomic<bool> stop = false;
    Trainer trainer(config);
    BOOST_CHECK_THROW(trainer.run(stop, observer), std::runtime_error);
  }  // the destructor finishes the step into rows that still exist
}

BOOST_AUTO_TEST_CASE(only_invalid_transitions_are_an_error_that_says_so) {
  ExperimentConfig config = small_experiment();
  config.sim.env = "Ant-v4";
  config.sim.ant.reset_noise_scale = 1e300;
  TrainingObserver nobody;
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  BOOST_CHECK_EXCEPTION(trainer.run(stop, nobody), std::runtime_error, [](const auto& error) {
    return std::string(error.what()).find("transitions is invalid") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_stop_request_ends_an_evaluation) {
  ExperimentConfig config = small_experiment();
  config.sim.max_episode_steps = 1'000'000'000;  // without the request it would never end
  config.evaluation.period = 100;
  TrainingObserver nobody;
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  std::thread request([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop = true;
  });
  BOOST_TEST((trainer.run(stop, nobody) == TrainingEnd::stopped));
  request.join();
  BOOST_TEST(trainer.counters().env_steps == 0);
}

BOOST_AUTO_TEST_CASE(divergence_is_noticed) {
  ExperimentConfig config = small_experiment();
  config.agent.critic.learning_rate = 1e30;
  config.agent.actor.learning_rate = 1e30;
  BOOST_TEST((train(config).end == TrainingEnd::diverged));
}

BOOST_AUTO_TEST_CASE(observers_see_every_row_and_period) {
  struct Count : TrainingObserver {
    int steps = 0, metrics = 0, evaluations = 0;
    std::size_t values = 0;
    void on_step(const Counters&, const TransitionView& rows, const StepRecords&) override {
      steps += static_cast<int>(rows.num_envs);
    }
    void on_metrics(const Counters&, const std::vector<std::string>& names,
                    const std::vector<double>& means) override {
      ++metrics;
      values = means.size();
      BOOST_TEST(names.size() == means.size());
    }
    void on_evaluation(const Counters&, const EvaluationResult& result, Agent&) override {
      ++evaluations;
      BOOST_TEST(result.returns.size() == 2u);
      for (const auto length : result.lengths) BOOST_TEST(length == 30);
    }
  } observer;
  ExperimentConfig config = small_experiment();
  config.evaluation.period = 200;
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  trainer.run(stop, observer);
  BOOST_TEST(observer.steps == 400);
  BOOST_TEST(observer.metrics == 4);      // four periods, the last one after the drain
  BOOST_TEST(observer.evaluations == 3);  // before the first step, at 200, at the end
  BOOST_TEST(observer.values > 0u);
}
