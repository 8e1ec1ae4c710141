/// The command line of `anthill rollout`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/command_line.hpp"
#include "sim/sim_config.hpp"

namespace anthill {

struct RolloutOptions {
  std::string config;                     // a configuration file; "": none
  std::string env;                        // "": the file's
  std::optional<std::int64_t> num_envs;   // default: the file's, else 1
  std::optional<std::int64_t> seed;       // default: the file's run.seed, else 0
  std::optional<std::int64_t> num_steps;  // default: as many as the actions, else 1000
  std::optional<std::int64_t> num_threads;
  std::string actions;
  std::string output;  // "": ENV-seed-SEED.npz
  std::vector<std::string> overrides;
};

void add_rollout_options(CLI::App& app, RolloutOptions& options);

/// What a rollout needs of the options and the file together.
struct RolloutSettings {
  SimConfig sim;
  std::int64_t seed = 0;
  std::string output;
};

/// The file, then the options as settings, then --set, through the checks of a configuration.
/// Prints warnings. Throws ConfigError.
RolloutSettings read_rollout_settings(const RolloutOptions& options);

}  // namespace anthill
