#include "apps/rollout_options.hpp"

#include "configs/experiment.hpp"
#include "configs/toml_reader.hpp"
#include "sim/errors.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {
namespace {

/// The options as --set would say them, --set itself last.
std::vector<std::string> all_overrides(const RolloutOptions& options) {
  std::vector<std::string> overrides;
  const auto add = [&](const char* key, const std::optional<std::int64_t>& value) {
    if (value) overrides.push_back(std::string(key) + "=" + std::to_string(*value));
  };
  if (!options.env.empty()) overrides.push_back("sim.env=" + options.env);
  add("sim.num_envs", options.num_envs);
  add("sim.num_threads", options.num_threads);
  overrides.insert(overrides.end(), options.overrides.begin(), options.overrides.end());
  return overrides;
}

/// Refuses what would have no effect, and what is said twice.
void check_overrides(const RolloutOptions& options) {
  for (const std::string& text : options.overrides) {
    const std::string key = read_override(text).field->key();
    if (!key.starts_with("sim.")) {
      throw ConfigError("--set " + key + ": has no effect on a rollout; set keys of [sim] only");
    }
    const bool is_twice = (key == "sim.env" && !options.env.empty()) ||
                          (key == "sim.num_envs" && options.num_envs) ||
                          (key == "sim.num_threads" && options.num_threads);
    if (is_twice) {
      throw ConfigError("--set " + key + ": an option of rollout says the same; give one of them");
    }
  }
}

/// The defaults with `overrides`.
ResolvedExperiment experiment_without_file(const std::vector<std::string>& overrides) {
  ResolvedExperiment experiment;
  for (const std::string& text : overrides) {
    const Setting setting = read_override(text);
    setting.field->set(experiment.config, setting.value);
    experiment.origins[setting.field->key()] = "--set";
  }
  return experiment;
}

}  // namespace

void add_rollout_options(CLI::App& app, RolloutOptions& options) {
  app.add_option("CONFIG", options.config,
                 "configuration file whose [sim] is stepped (optional; --env otherwise)");
  app.add_option("--env", options.env, "task, by Gymnasium's name, e.g. Ant-v5");
  app.add_option("--num-envs", options.num_envs,
                 "number of environments N (default: CONFIG's, else 1)");
  app.add_option("--seed", options.seed,
                 "environment i is reset with seed + i (default: CONFIG's run.seed, else 0)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 53));
  app.add_option("--steps", options.num_steps,
                 "control steps T per environment (default: as many as --actions has, else 1000)")
      ->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--actions", options.actions,
                 "float32 or float64 .npy file [T, N, action_dim] in environment units, or indices "
                 "where actions are discrete (default: uniform)");
  app.add_option("--output", options.output,
                 "the .npz file to write, in place of an older one (default: ENV-seed-SEED.npz): "
                 "float64 arrays observation, "
                 "action, reward, next_observation, terminated, truncated, invalid, each "
                 "[T, N, ...], and terms/NAME [T, N] for each term of the reward; where invalid is "
                 "1, the row's other values but observation are 0");
  app.add_option("--num-threads", options.num_threads,
                 "simulation threads (default: CONFIG's, else 0: one per core)");
  add_set_option(app, options.overrides);
}

RolloutSettings read_rollout_settings(const RolloutOptions& options) {
  const bool has_file = !options.config.empty();
  if (!has_file && options.env.empty()) {
    throw ConfigError("rollout needs --env or a configuration file; see anthill rollout --help");
  }
  check_overrides(options);
  const std::vector<std::string> overrides = all_overrides(options);
  const ResolvedExperiment experiment =
      has_file ? read_experiment(options.config, overrides) : experiment_without_file(overrides);
  for (const std::string& warning : check_experiment(experiment, num_available_cores())) {
    print_message("warning: " + warning);
  }
  const std::int64_t seed = options.seed.value_or(experiment.config.run.seed);
  const std::string default_output =
      experiment.config.sim.env + "-seed-" + std::to_string(seed) + ".npz";
  return {.sim = experiment.config.sim,
          .seed = seed,
          .output = options.output.empty() ? default_output : options.output};
}

}  // namespace anthill
