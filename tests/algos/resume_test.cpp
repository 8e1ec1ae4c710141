#define BOOST_TEST_MODULE resume
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <sstream>

#include "algos/checkpoint/checkpoint.hpp"
#include "algos/checkpoint/checkpoint_store.hpp"
#include "algos/training/trainer.hpp"
#include "tests/algos/temporary_folder.hpp"

using namespace anthill;

namespace {

/// Pendulum with small networks, every period off the others' beat.
ExperimentConfig small_experiment() {
  ExperimentConfig config;
  config.run.device = DeviceChoice::cpu;
  config.sim.env = "Pendulum-v1";
  config.sim.num_envs = 4;
  config.sim.num_threads = 1;
  config.sim.max_episode_steps = 30;
  config.buffer.capacity = 200;  // it overflows
  config.training = {.total_env_steps = 400,
                     .random_steps = 60,
                     .learning_starts = 60,
                     .replay_ratio = 0.7,
                     .batch_size = 16,
                     .overlap = true};
  config.agent.actor.hidden_dims = config.agent.critic.hidden_dims = {16, 16};
  config.evaluation = {.period = 90, .num_episodes = 2};
  config.log.period = 70;
  config.buffer.store_state = true;
  config.overestimation = {.period = 110,
                           .num_states = 3,
                           .horizon = 10,
                           .num_episodes = 2,
                           .states = {"on_policy", "buffer_action"}};
  return config;
}

/// What an observer can see of a run, as text: equal texts are equal runs.
struct Record : TrainingObserver {
  std::ostringstream text;
  void on_step(const Counters& c, const TransitionView& rows, const StepRecords& records) override {
    text << "step " << c.env_steps << ' ' << c.episodes << std::hexfloat;
    for (const float reward : rows.reward) text << ' ' << reward;
    for (const EpisodeRecord& episode : records.finished_episodes) {
      text << " | " << episode.env << ' ' << episode.episode_return;
    }
    text << '\n';
  }
  void on_metrics(const Counters& c, const std::vector<std::string>&,
                  const std::vector<double>& means) override {
    text << "metrics " << c.env_steps << ' ' << c.gradient_updates << std::hexfloat;
    for (const double mean : means) text << ' ' << mean;
    text << '\n';
  }
  void on_evaluation(const Counters& c, const EvaluationResult& result, Agent&) override {
    text << "evaluation " << c.env_steps << ' ' << std::hexfloat << result.return_mean() << '\n';
  }
  void on_overestimation(const Counters& c, const OverestimationResult& result) override {
    text << "probe " << c.env_steps << std::hexfloat;
    for (const ProbedKind& kind : result.kinds) {
      text << ' ' << kind.value("soft_return") << ' ' << kind.value("plausible_high");
    }
    text << '\n';
  }
};

/// Everything in memory at the end: the trainer's arrays and the ring.
std::string final_state(const Trainer& trainer) {
  NamedArrays arrays;
  trainer.save(StateWriter(arrays));
  std::ostringstream out;
  for (const auto& [name, array] : arrays) {
    out << name << ' ';
    out.write(reinterpret_cast<const char*>(array.bytes.data()),
              static_cast<std::streamsize>(array.bytes.size()));
  }
  trainer.buffer().save(out);
  return out.str();
}

CheckpointSnapshot snapshot_of(const Trainer& trainer, std::int64_t stored_until) {
  CheckpointSnapshot snapshot;
  trainer.save(StateWriter(snapshot.arrays));
  CheckpointInfo& info = snapshot.info;
  info.env = row_identity(trainer.env());
  info.device = "cpu";
  info.env_steps = trainer.counters().env_steps;
  info.gradient_updates = trainer.counters().gradient_updates;
  info.first_step = trainer.first_stored_step();
  info.end_step = trainer.end_stored_step();
  info.step_bytes = trainer.buffer().step_bytes();
  snapshot.config_toml = "[run]\n";
  snapshot.rows_first = std::max(stored_until, info.first_step);
  const std::int64_t count = info.end_step - snapshot.rows_first;
  snapshot.rows.resize(static_cast<std::size_t>(count * info.step_bytes));
  trainer.buffer().read_steps(snapshot.rows_first - info.first_step, count, snapshot.rows.data());
  return snapshot;
}

/// Stops after some ticks (updates and steps of evaluations) or steps, and saves at the last safe
/// point and at some before it.
struct StopAndSave : Record {
  std::atomic<bool> stop = false;
  std::int64_t ticks = 0, stop_at_tick = -1, stop_at_step = -1;
  CheckpointStore& store;
  std::string text_when_saved;
  explicit StopAndSave(CheckpointStore& s) : store(s) {}
  void on_tick(const Counters&) override {
    if (++ticks == stop_at_tick) stop = true;
  }
  void on_step(const Counters& c, const TransitionView& rows, const StepRecords& records) override {
    Record::on_step(c, rows, records);
    if (c.vector_steps == stop_at_step) stop = true;
  }
  void on_safe_point(const Trainer& trainer, bool last) override {
    if (!last && trainer.counters().vector_steps % 33 != 0) return;
    store.write(snapshot_of(trainer, store.stored_until()), false);
    text_when_saved = text.str();
  }
};

struct Whole {
  std::string text, state;
};

Whole run_whole(const ExperimentConfig& config) {
  std::atomic<bool> stop = false;
  Record record;
  Trainer trainer(config);
  BOOST_TEST((trainer.run(stop, record) == TrainingEnd::finished));
  return {record.text.str(), final_state(trainer)};
}

/// Stops a run, throws everything but its newest checkpoint away, and goes on.
Whole run_in_two(const ExperimentConfig& config, std::int64_t tick, std::int64_t step,
                 const ExperimentConfig& config_after) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  StopAndSave first(store);
  first.stop_at_tick = tick;
  first.stop_at_step = step;
  {
    Trainer trainer(config);
    trainer.run(first.stop, first);
  }
  CheckpointStore again(folder / "checkpoints", 2);
  const auto checkpoint = again.open_newest([](const std::string& line) { BOOST_ERROR(line); });
  BOOST_REQUIRE(checkpoint.has_value());
  std::atomic<bool> stop = false;
  Record second;
  second.text << first.text_when_saved;
  Trainer trainer(config_after);
  trainer.load(*checkpoint);
  BOOST_TEST((trainer.run(stop, second) == TrainingEnd::finished));
  return {second.text.str(), final_state(trainer)};
}

void compare(const Whole& whole, const Whole& two, const std::string& where) {
  BOOST_TEST((whole.text == two.text), where << ": the observer sees another run");
  BOOST_TEST((whole.state == two.state), where << ": the state at the end differs");
}

}  // namespace

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

BOOST_AUTO_TEST_CASE(every_switch_with_a_state) {
  ExperimentConfig config = small_experiment();
  config.agent.critic.layer_norm = config.agent.actor.layer_norm = true;
  config.agent.critic.dropout = 0.1;
  config.agent.critic.weight_decay = 0.01;
  config.agent.critic.max_gradient_norm = 1.0;
  config.agent.temperature.loss_form = AlphaLossForm::alpha;
  config.training.replay_ratio = 3.0;
  const Whole whole = run_whole(config);
  for (const std::int64_t tick : {100, 500}) {
    compare(whole, run_in_two(config, tick, -1, config), "tick " + std::to_string(tick));
  }
  config.agent.temperature = {.automatic = false, .initial_alpha = 0.2};
  compare(run_whole(config), run_in_two(config, 300, -1, config), "fixed alpha");
}

BOOST_AUTO_TEST_CASE(every_switch_of_the_reference_systems) {
  for (const bool overlap : {false, true}) {
    ExperimentConfig config = small_experiment();
    config.training.overlap = overlap;
    config.training.reset_period = 84;
    config.training.burst = 20;
    config.training.replay_ratio = 0.9;
    config.training.solved_return = -1e6;  // at once when there are nine episodes
    config.training.solved_episodes = 9;
    config.buffer.replacement = false;
    config.agent.action_units = ActionUnits::environment;
    config.agent.target_policy = true;
    config.agent.temperature = {
        .automatic = false, .initial_alpha = 0.5, .decay_steps = 100.0, .final_alpha = 0.01};
    config.agent.policy_delay = 2;
    config.agent.target_period = 3;
    config.agent.exploration = {.scale = 0.4, .correlation_steps = 8.0};
    const Whole whole = run_whole(config);
    for (const std::int64_t tick : {30, 61, 77, 133, 200, 260}) {
      compare(whole, run_in_two(config, tick, -1, config),
              "delays, overlap " + std::to_string(overlap) + ", tick " + std::to_string(tick));
    }
    config.agent.policy_delay = config.agent.target_period = 1;
    config.agent.critic_updates = 4;
    config.agent.policy_updates = 2;
    config.agent.actor.distribution = PolicyDistribution::clipped_gaussian;
    config.agent.temperature.entropy = EntropyForm::analytic;
    const Whole turns = run_whole(config);
    for (const std::int64_t tick : {61, 133, 201}) {
      compare(turns, run_in_two(config, tick, -1, config), "turns");
    }
  }
}

BOOST_AUTO_TEST_CASE(every_remedy) {
  const auto in_two = [](const std::string& name, const auto& change) {
    ExperimentConfig config = small_experiment();
    config.overestimation.period = 0;
    config.evaluation.period = 0;
    change(config);
    const Whole whole = run_whole(config);
    for (const std::int64_t tick : {31, 133, 201}) {
      compare(whole, run_in_two(config, tick, -1, config), name);
    }
  };
  in_two("clipped to the range of targets, time limits as ends, held actions", [](auto& config) {
    config.agent.critic.target_clip = TargetClip::range;
    config.agent.critic.target_range_period = 20;
    config.training.timeout_is_terminal = true;
    config.sim.action_repeat = 2;
  });
  in_two("clipped to the bound, capped temperature, n steps", [](auto& config) {
    config.agent.critic.target_clip = TargetClip::bound;
    config.agent.temperature.max_alpha = 0.9;
    config.agent.n_step = 3;
  });
  in_two("subsets of five critics, unit features", [](auto& config) {
    config.agent.critic.num_critics = 5;
    config.agent.critic.target_subset = 2;
    config.agent.policy_value = PolicyValue::mean;
    config.agent.critic.unit_features = true;
    config.agent.actor.residual = config.agent.critic.residual = true;
  });
  in_two("resets by env steps", [](auto& config) {
    config.agent.reset_period = 90;
    config.agent.reset_unit = ResetUnit::env_steps;
    config.agent.reset_networks = {"critic", "temperature"};
  });
  in_two("resets by updates", [](auto& config) { config.agent.reset_period = 50; });
}

BOOST_AUTO_TEST_CASE(every_algorithm) {
  for (const std::string algorithm : {"td3", "ddpg", "dqn"}) {
    ExperimentConfig config = small_experiment();
    config.overestimation.period = 0;
    config.agent.algorithm = algorithm;
    if (algorithm == "dqn") config.sim.env = "CartPole-v1";
    config.agent.policy_delay = algorithm == "dqn" ? 1 : 2;
    config.agent.target_period = 3;
    config.agent.exploration = {.scale = 0.9,
                                .final_scale = 0.1,
                                .schedule = ExplorationSchedule::exponential,
                                .period = 50};
    config.agent.n_step = 3;
    if (algorithm != "dqn") config.agent.exploration.correlation_steps = 5.0;
    const Whole whole = run_whole(config);
    for (const std::int64_t tick : {40, 133}) {
      compare(whole, run_in_two(config, tick, -1, config), algorithm);
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
