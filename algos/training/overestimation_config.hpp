/// Settings of the overestimation probe: the section [overestimation].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace anthill {

struct OverestimationConfig {
  std::int64_t period = 0;         // env steps; 0: never
  std::int64_t num_states = 64;    // of every kind
  std::int64_t num_rollouts = 2;   // K, from every (s, a)
  std::int64_t horizon = 459;      // steps; discount .99 leaves 1 % of the value behind it
  std::int64_t num_episodes = 16;  // that the on-policy states are from
  std::vector<std::string> states = {"on_policy"};  // kinds, see StateKind
  bool deterministic_rollouts = true;  // one more rollout per state, for DroQ's measure
  std::int64_t num_resamples = 1000;   // of the bootstrap
  std::int64_t seed = 0;               // added to run.seed
};

}  // namespace anthill
