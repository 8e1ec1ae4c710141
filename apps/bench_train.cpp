// Env steps per second of a whole training run, after its first updates.
#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "algos/training/run_recorder.hpp"
#include "algos/training/trainer.hpp"
#include "apps/bench_parts.hpp"

namespace anthill {
namespace {

struct TrainOptions {
  ExperimentConfig config;
  BenchOutput output;
  bool layer_norm = false;
};

/// Counts transitions from the first update on; ends the run with the last chunk.
class Stopwatch final : public TrainingObserver {
 public:
  explicit Stopwatch(const BenchOutput& output) : output_(output) {}

  void on_step(const Counters& counters, const TransitionView& rows, const StepRecords&) override {
    if (counters.gradient_updates == 0) return;
    if (!clock_) {
      clock_.emplace(output_);
    } else if (!clock_->add(static_cast<double>(rows.num_envs))) {
      stop = true;
    }
  }
  BenchRates rates() const { return clock_ ? clock_->rates() : BenchRates{}; }

  std::atomic<bool> stop = false;

 private:
  BenchOutput output_;
  std::optional<BenchClock> clock_;
};

void bench_train(const TrainOptions& options) {
  ExperimentConfig config = options.config;
  config.agent.critic.layer_norm = options.layer_norm;
  // the clock ends the run, and only the ring's size depends on its length
  config.training.total_env_steps = std::int64_t{1} << 40;
  config.buffer.capacity = 1'000'000;
  config.evaluation.period = 0;
  config.log.period = config.training.total_env_steps;
  Stopwatch stopwatch(options.output);
  Trainer trainer(config);
  trainer.run(stopwatch.stop, stopwatch);
  const BenchRates rates = stopwatch.rates();
  print_result({{"part", "train"},
                {"env", config.sim.env},
                {"num_envs", config.sim.num_envs},
                {"num_threads", trainer.threads().simulation},
                {"learner_threads", trainer.threads().learner},
                {"replay_ratio", config.training.replay_ratio},
                {"batch_size", config.training.batch_size},
                {"layer_norm", options.layer_norm},
                {"env_steps_per_s", rates.best},
                {"env_steps_per_s_median", rates.median},
                {"updates_per_s", rates.best * config.training.replay_ratio},
                {"env_steps", trainer.counters().env_steps},
                {"gradient_updates", trainer.counters().gradient_updates},
                {"memory_mib", resident_memory_mib()}},
               options.output);
}

}  // namespace

BenchRun add_bench_train(CLI::App& parser) {
  const auto options = std::make_shared<TrainOptions>();
  ExperimentConfig& config = options->config;
  config.training.random_steps = config.training.learning_starts = 1000;
  parser.add_option("--env", config.sim.env, "task to train on")->capture_default_str();
  parser.add_option("--num-envs", config.sim.num_envs, "environments")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  parser.add_option("--threads", config.sim.num_threads, "simulation threads; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  parser
      .add_option("--learner-threads", config.learner.num_threads, "learner threads; 0: automatic")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  parser.add_option("--replay-ratio", config.training.replay_ratio, "updates per transition")
      ->check(CLI::Range(1e-6, 10000.0))
      ->capture_default_str();
  parser.add_option("--batch-size", config.training.batch_size, "transitions in a batch")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  parser
      .add_option("--learning-starts", config.training.learning_starts,
                  "transitions with random actions before the first update")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  parser.add_flag("--layer-norm", options->layer_norm, "LayerNorm in the critics");
  add_output_options(parser, options->output);
  return [options] {
    options->config.training.random_steps = options->config.training.learning_starts;
    bench_train(*options);
  };
}

}  // namespace anthill
