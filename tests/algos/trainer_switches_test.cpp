// Bursts of updates, resets of all environments, and runs that end when the task is solved.
#define BOOST_TEST_MODULE trainer_switches
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>

#include "algos/training/trainer.hpp"

using namespace anthill;

namespace {

/// Pendulum with small networks.
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
  return config;
}

}  // namespace

BOOST_AUTO_TEST_CASE(bursts_make_the_same_number_of_updates_together) {
  struct Bursts : TrainingObserver {
    std::vector<std::int64_t> done;  // updates at the end of every vector step
    void on_safe_point(const Trainer& trainer, bool) override {
      done.push_back(trainer.counters().gradient_updates);
    }
  };
  for (const bool overlap : {false, true}) {
    ExperimentConfig config = small_experiment();
    config.training.overlap = overlap;
    config.training.burst = 50;
    config.training.replay_ratio = 0.1;
    Bursts bursts;
    std::atomic<bool> stop = false;
    Trainer trainer(config);
    trainer.run(stop, bursts);
    // 340 transitions since learning started: six bursts of five updates
    BOOST_TEST(trainer.counters().gradient_updates == 30);
    for (const std::int64_t done : bursts.done) BOOST_TEST(done % 5 == 0);
  }
}

BOOST_AUTO_TEST_CASE(rows_without_policy_updates_are_no_divergence) {
  struct Rows : TrainingObserver {
    int with_policy = 0, of_critics_alone = 0, of_policy_alone = 0;
    void on_metrics(const Counters&, const std::vector<std::string>& names,
                    const std::vector<double>& means) override {
      const bool critic = std::ranges::find(names, "critic_loss") != names.end();
      const bool policy = std::ranges::find(names, "actor_loss") != names.end();
      with_policy += policy ? 1 : 0;
      of_critics_alone += critic && !policy ? 1 : 0;
      of_policy_alone += policy && !critic ? 1 : 0;
      for (std::size_t k = 0; k < names.size(); ++k) {
        if (names[k].ends_with("_loss")) BOOST_TEST(std::isfinite(means[k]), names[k]);
      }
    }
  };
  ExperimentConfig config = small_experiment();
  config.training.overlap = false;
  config.log.period = 4;  // two updates a row
  for (const std::string algorithm : {"sac", "td3"}) {
    config.agent.algorithm = algorithm;
    config.agent.critic_updates = config.agent.policy_updates = 0;
    config.agent.policy_delay = 5;
    std::atomic<bool> stop = false;
    Rows delayed;
    BOOST_TEST((Trainer(config).run(stop, delayed) == TrainingEnd::finished), algorithm);
    BOOST_TEST(delayed.of_critics_alone > 20);
    BOOST_TEST(delayed.with_policy > 20);
    BOOST_TEST(delayed.of_policy_alone == 0);
    config.agent.policy_delay = 1;
    config.agent.critic_updates = config.agent.policy_updates = 4;
    Rows in_turns;
    BOOST_TEST((Trainer(config).run(stop, in_turns) == TrainingEnd::finished), algorithm);
    BOOST_TEST(in_turns.of_policy_alone > 20);
    BOOST_TEST(in_turns.of_critics_alone > 20);
  }
}

BOOST_AUTO_TEST_CASE(priming_and_schedules_are_made_to_the_update) {
  for (const bool overlap : {false, true}) {
    ExperimentConfig config = small_experiment();  // 400 env steps, 340 of them learned from
    config.training.overlap = overlap;
    config.training.prefill_updates = 30;
    config.training.replay_ratio_schedule = {{100, 1.0}, {300, 0.0}};
    std::atomic<bool> stop = false;
    TrainingObserver nobody;
    Trainer trainer(config);
    trainer.run(stop, nobody);
    // 40 transitions at .5, 200 at 1, 100 at 0
    BOOST_TEST(trainer.counters().gradient_updates == 30 + 20 + 200);
  }
}

BOOST_AUTO_TEST_CASE(all_environments_are_reset_together) {
  struct Ends : TrainingObserver {
    std::vector<std::int64_t> at, lengths;
    void on_step(const Counters& counters, const TransitionView& rows,
                 const StepRecords& records) override {
      for (const EpisodeRecord& episode : records.finished_episodes) {
        at.push_back(counters.env_steps);
        lengths.push_back(episode.length);
        BOOST_TEST(episode.truncated);
        BOOST_TEST(rows.truncated[static_cast<std::size_t>(episode.env)] == 1);
      }
    }
  } ends;
  ExperimentConfig config = small_experiment();
  config.training.total_env_steps = 200;
  config.training.reset_period = 80;  // 20 steps of 4 environments, whose own limit is 30
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  trainer.run(stop, ends);
  BOOST_TEST(ends.at == (std::vector<std::int64_t>{80, 80, 80, 80, 160, 160, 160, 160}),
             boost::test_tools::per_element());
  for (const std::int64_t length : ends.lengths) BOOST_TEST(length == 20);
}

BOOST_AUTO_TEST_CASE(a_solved_task_ends_the_run) {
  struct Rows : TrainingObserver {
    int metrics = 0, evaluations = 0;
    std::vector<double> returns;
    void on_step(const Counters&, const TransitionView&, const StepRecords& records) override {
      for (const auto& episode : records.finished_episodes)
        returns.push_back(episode.episode_return);
    }
    void on_metrics(const Counters&, const std::vector<std::string>&,
                    const std::vector<double>&) override {
      ++metrics;
    }
    void on_evaluation(const Counters&, const EvaluationResult&, Agent&) override { ++evaluations; }
  };
  ExperimentConfig config = small_experiment();
  config.log.period = config.evaluation.period = 120;
  config.training.solved_return = -1e6;
  config.training.solved_episodes = 8;
  Rows rows;
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  BOOST_TEST((trainer.run(stop, rows) == TrainingEnd::finished));
  // four environments with episodes of 30 steps: eight are over at 240, which has one row and one
  // evaluation
  BOOST_TEST(trainer.counters().env_steps == 240);
  BOOST_TEST(rows.metrics == 2);
  BOOST_TEST(rows.evaluations == 3);
  const double mean = std::accumulate(rows.returns.begin(), rows.returns.end(), 0.0) / 8.0;
  BOOST_REQUIRE(trainer.solved_with().has_value());
  BOOST_TEST(std::abs(*trainer.solved_with() - mean) < 1e-9);
  config.training.solved_return = 0.0;  // out of reach
  Trainer longer(config);
  BOOST_TEST((longer.run(stop, rows) == TrainingEnd::finished));
  BOOST_TEST(longer.counters().env_steps == 400);
}

BOOST_AUTO_TEST_CASE(held_out_episodes_are_judged_and_not_learned_from) {
  struct Rows : TrainingObserver {
    std::vector<double> losses, ratios;
    std::size_t num_rows = 0;
    void on_metrics(const Counters&, const std::vector<std::string>& names,
                    const std::vector<double>& values) override {
      ++num_rows;
      for (std::size_t k = 0; k < names.size(); ++k) {
        if (names[k] == "held_out_critic_loss") losses.push_back(values[k]);
        if (names[k] == "held_out_ratio") ratios.push_back(values[k]);
      }
    }
  };
  ExperimentConfig config = small_experiment();
  config.log.period = 20;
  config.training.total_env_steps = 2000;
  config.buffer.capacity = 2000;
  config.buffer.held_out_share = 0.25;
  Rows rows;
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  trainer.run(stop, rows);
  BOOST_TEST(rows.losses.size() > 50u);
  BOOST_TEST(rows.losses.size() < rows.num_rows);  // none before the first held-out episode
  BOOST_TEST(rows.ratios.size() == rows.losses.size());
  for (const double loss : rows.losses) BOOST_TEST(loss > 0.0);
  for (const double ratio : rows.ratios) BOOST_TEST(ratio > 0.0);
  // whole episodes of 30 steps, of which the first of each environment is never held out: 63 others
  const ReplayBuffer& buffer = trainer.buffer();
  std::vector<float> observation(3), action(1);
  std::int64_t num_held_out = 0;
  for (std::int64_t env = 0; env < 4; ++env) {
    for (std::int64_t step = 0; step < 500; ++step) {
      const auto is_held_out = [&](std::int64_t t) {
        return !buffer.read_row(0, t * 4 + env, {observation, action, {}});
      };
      num_held_out += is_held_out(step);
      BOOST_TEST(is_held_out(step) == is_held_out(step / 30 * 30), "step " << step);
      if (step < 30) BOOST_TEST(!is_held_out(step));
    }
  }
  BOOST_TEST(num_held_out == buffer.num_held_out(0));
  // binomial: 64 episodes that may be, .25 of them: 16 +- 3.5
  BOOST_TEST(num_held_out > 30 * 5);
  BOOST_TEST(num_held_out < 30 * 30);
}

BOOST_AUTO_TEST_CASE(without_a_share_nothing_is_held_out) {
  ExperimentConfig config = small_experiment();
  std::atomic<bool> stop = false;
  TrainingObserver nobody;
  Trainer trainer(config);
  trainer.run(stop, nobody);
  BOOST_TEST(trainer.buffer().num_held_out(0) == 0);
}
