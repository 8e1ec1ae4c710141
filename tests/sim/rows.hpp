/// Storage for one vector step, and small helpers that the tests of sim/ share.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "sim/env_factory.hpp"
#include "sim/vector_env.hpp"

namespace anthill {

/// Owns what a VectorEnv reads and writes, in float32 and double.
struct Rows {
  explicit Rows(const EnvSpec& spec, std::size_t num_envs)
      : N(num_envs),
        D(static_cast<std::size_t>(spec.observation_dim)),
        A(static_cast<std::size_t>(spec.action_dim)),
        observation(N * D),
        action(N * A),
        reward(N),
        next_observation(N * D),
        acting_observation(N * D),
        terminated(N),
        truncated(N),
        invalid(N),
        next_observation_f64(N * D),
        acting_observation_f64(N * D),
        reward_f64(N),
        terms(N * spec.reward_terms.size()) {}

  TransitionView view() {
    return {.num_envs = static_cast<std::int64_t>(N),
            .observation_dim = static_cast<std::int64_t>(D),
            .action_dim = static_cast<std::int64_t>(A),
            .observation = observation,
            .action = action,
            .reward = reward,
            .next_observation = next_observation,
            .terminated = terminated,
            .truncated = truncated,
            .invalid = invalid};
  }

  DoubleRows doubles() { return {next_observation_f64, acting_observation_f64, reward_f64, terms}; }

  void step(VectorEnv& envs) {
    envs.begin_step(view(), acting_observation);
    envs.finish_step();
  }

  std::size_t N, D, A;
  std::vector<float> observation, action, reward, next_observation, acting_observation;
  std::vector<std::uint8_t> terminated, truncated, invalid;
  std::vector<double> next_observation_f64, acting_observation_f64, reward_f64, terms;
};

inline std::vector<std::uint64_t> seeds_from(std::uint64_t first, std::size_t num_envs) {
  std::vector<std::uint64_t> seeds(num_envs);
  std::iota(seeds.begin(), seeds.end(), first);
  return seeds;
}

/// A deterministic action with values k/16, some of them outside [-1, 1].
inline float test_action(std::size_t step, std::size_t element) {
  return static_cast<float>(static_cast<int>((step * 7 + element * 13) % 41) - 20) / 16.0f;
}

/// The same for any task: where actions are discrete, an index.
inline float test_action(const EnvSpec& spec, std::size_t step, std::size_t element) {
  if (spec.num_actions == 0) return test_action(step, element);
  return static_cast<float>((step * 7 + step / 5) % static_cast<std::size_t>(spec.num_actions));
}

/// Every task but "mjcf", which is nothing without a user's model. ThreadSanitizer cannot see into
/// MuJoCo: only tasks without a model are run under it.
inline std::vector<std::string> task_names() {
  std::vector<std::string> names = env_names();
  std::erase_if(names, [](const std::string& name) {
#if defined(__SANITIZE_THREAD__)
    return name == "mjcf" || !make_env({.env = name})->model_path().empty();
#else
    return name == "mjcf";
#endif
  });
  return names;
}

/// FNV-1a over 64-bit words: one number that tells whether doubles are bit-identical.
class BitHash {
 public:
  void add(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3ull; }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value)); }
  void add(std::span<const double> values) {
    for (const double value : values) add(value);
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ull;
};

}  // namespace anthill
