#define BOOST_TEST_MODULE resume
#include <boost/test/unit_test.hpp>

#include "tests/algos/run_in_two.hpp"

using namespace anthill;
using namespace anthill::testing;

BOOST_AUTO_TEST_CASE(a_run_goes_on_bit_for_bit_from_any_moment) {
  for (const bool overlap : {false, true}) {
    ExperimentConfig config = small_experiment();
    config.training.overlap = overlap;
    const Whole whole = run_whole(config);
    // before the first step, in evaluations, inside learn phases
    for (const std::int64_t tick : {1, 20, 31, 32, 40, 75, 101, 130, 222, 290}) {
      compare(whole, run_in_two(config, tick, -1, config),
              "overlap " + std::to_string(overlap) + ", tick " + std::to_string(tick));
    }
    for (const std::int64_t step : {1, 15, 16, 50, 99, 100}) {
      compare(whole, run_in_two(config, -1, step, config),
              "overlap " + std::to_string(overlap) + ", step " + std::to_string(step));
    }
  }
}

BOOST_AUTO_TEST_CASE(other_threads_and_a_longer_run_change_nothing) {
  for (const bool overlap : {false, true}) {
    ExperimentConfig config = small_experiment();
    config.training.overlap = overlap;
    config.buffer.capacity = 1000;
    ExperimentConfig shorter = config, threads = config;
    const Whole whole = run_whole(config);
    threads.sim.num_threads = 4;
    threads.learner.num_threads = 2;
    compare(whole, run_in_two(config, 150, -1, threads), "threads");
    // up to 270, a multiple of no period and of three of them, to its very end, then up to 400
    for (const std::int64_t total : {272, 280, 360}) {
      shorter.training.total_env_steps = total;
      compare(whole, run_in_two(shorter, -1, -1, config), "longer than " + std::to_string(total));
    }
  }
}

BOOST_AUTO_TEST_CASE(environments_of_another_kind_are_refused) {
  const TemporaryFolder folder;
  ExperimentConfig config = small_experiment();
  CheckpointStore store(folder / "checkpoints", 2);
  StopAndSave first(store);
  first.stop_at_step = 20;
  Trainer(config).run(first.stop, first);
  const auto checkpoint = store.open_newest([](const std::string&) {});
  const auto refused = [&](const ExperimentConfig& other, const std::string& word) {
    Trainer trainer(other);
    BOOST_CHECK_EXCEPTION(trainer.load(*checkpoint), ConfigError, [&](const ConfigError& error) {
      return std::string(error.what()).find(word) != std::string::npos;
    });
  };
  ExperimentConfig other = config;
  other.sim.env = "MountainCarContinuous-v0";
  refused(other, "Pendulum-v1");
  other = config;
  other.sim.num_envs = 5;
  refused(other, "envs.rows");
  other = config;
  other.agent.critic.hidden_dims = {16, 17};
  refused(other, "agent.critic");
}
