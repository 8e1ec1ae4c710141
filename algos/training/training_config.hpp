/// Settings of a training run: the sections [run], [training], [learner],
/// [evaluation], [checkpoint] and [log].
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace anthill {

/// What happens when the learner's numbers are no longer finite.
enum class OnNonFinite {
  abort,  // the run ends, with a post-mortem folder
  go_on   // a warning, and on
};

enum class DeviceChoice { automatic, cpu, cuda };

struct RunConfig {
  std::string name = "";  // for provenance.json; empty: the configuration file's stem
  std::int64_t seed = 0;  // environments seed + i; every Philox stream is keyed by it
  DeviceChoice device = DeviceChoice::automatic;
};

struct TrainingConfig {
  std::int64_t total_env_steps = 1'000'000;  // transitions over all environments
  std::int64_t random_steps = 10'000;        // transitions taken with uniform random actions
  std::int64_t learning_starts = 10'000;     // transitions before the first update is earned
  double replay_ratio = 1.0;  // gradient updates per transition, any real number >= 0
  // [env steps, ratio] each: from there on that ratio instead
  std::vector<std::vector<double>> replay_ratio_schedule = {};
  std::int64_t prefill_updates = 0;  // updates that the first one comes with
  std::int64_t burst = 1;            // env steps whose updates are made together
  std::int64_t batch_size = 256;
  OnNonFinite on_non_finite = OnNonFinite::abort;
  bool timeout_is_terminal = false;  // the learner takes the time limit for an end
  bool overlap = true;               // learn while the simulator steps; false: the textbook order
  std::int64_t reset_period = 0;     // env steps after which all episodes are cut; 0: never
  // the run ends early once the last so many training episodes have this mean return
  double solved_return = std::numeric_limits<double>::infinity();
  std::int64_t solved_episodes = 100;
};

struct LearnerConfig {
  // threads that share an update on the CPU; 0: two per member, at most half of more than two cores
  std::int64_t num_threads = 0;
  bool cuda_graph = false;  // launch updates on a GPU as graphs
};

struct EvaluationConfig {
  std::int64_t period = 10'000;  // env steps; 0: never
  std::int64_t num_episodes = 10;
};

struct CheckpointConfig {
  std::int64_t period = 100'000;    // env steps; 0: none by env steps
  double period_s = 600.0;          // wall time; 0: none by time; both 0: no checkpoints at all
  std::int64_t keep = 2;            // newest checkpoints that are kept
  std::int64_t archive_period = 0;  // env steps between those that are kept for good; 0: none
};

struct LogConfig {
  std::int64_t period = 1'000;  // env steps between rows of train.csv
  bool tensorboard = true;
  double progress_period_s = 5.0;  // plain progress lines when stderr is no terminal
};

}  // namespace anthill
