/// A small run, whole and in two parts with a checkpoint between; what an observer sees, and the
/// state at its end.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <sstream>

#include "algos/checkpoint/checkpoint.hpp"
#include "algos/checkpoint/checkpoint_store.hpp"
#include "algos/training/trainer.hpp"
#include "tests/algos/temporary_folder.hpp"

namespace anthill::testing {

/// Pendulum with small networks, every period off the others' beat.
inline ExperimentConfig small_experiment() {
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
inline std::string final_state(const Trainer& trainer) {
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

inline CheckpointSnapshot snapshot_of(const Trainer& trainer, std::int64_t stored_until) {
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

inline Whole run_whole(const ExperimentConfig& config) {
  std::atomic<bool> stop = false;
  Record record;
  Trainer trainer(config);
  BOOST_TEST((trainer.run(stop, record) == TrainingEnd::finished));
  return {record.text.str(), final_state(trainer)};
}

/// Stops a run, throws everything but its newest checkpoint away, and goes on.
inline Whole run_in_two(const ExperimentConfig& config, std::int64_t tick, std::int64_t step,
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

inline void compare(const Whole& whole, const Whole& two, const std::string& where) {
  BOOST_TEST((whole.text == two.text), where << ": the observer sees another run");
  BOOST_TEST((whole.state == two.state), where << ": the state at the end differs");
}

}  // namespace anthill::testing
