/// A toy task whose numbers can be followed by hand, for the tests of VectorEnv.
#pragma once

#include <algorithm>
#include <limits>

#include "tests/sim/rows.hpp"

namespace anthill {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Counts up from a random start by the action. State and observation: | start | count |; the
/// reward is the count. Terminates at count 5, breaks at count 100, overflows float32 at count 200.
class Counter final : public Env {
 public:
  Counter(float low, float high, std::int64_t max_episode_steps, std::int64_t num_actions = 0)
      : spec_{.name = "Counter",
              .observation_dim = 2,
              .action_dim = 1,
              .num_actions = num_actions,
              .action_low = {low},
              .action_high = {high},
              .state_dim = 2,
              .max_episode_steps = max_episode_steps,
              .control_dt = 1.0,
              .reward_terms = {"count", "double_count"}} {}

  const EnvSpec& spec() const override { return spec_; }
  std::unique_ptr<Workspace> make_workspace() const override {
    return std::make_unique<Workspace>();
  }
  void reset(Workspace&, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override {
    state[0] = rng.random();
    state[1] = 0;
    std::ranges::copy(state, observation.begin());
  }
  StepResult step(Workspace&, NumpyGenerator&, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override {
    state[1] += static_cast<double>(action[0]);
    std::ranges::copy(state, next_observation.begin());
    terms[0] = state[1];
    terms[1] = 2 * state[1];
    const double reward = state[1] == 200 ? 1e39 : state[1];
    return {.reward = reward, .terminated = state[1] == 5, .invalid = state[1] == 100};
  }

 private:
  EnvSpec spec_;
};

/// N counters with everything that a step needs.
struct Counters {
  explicit Counters(std::size_t num_envs, std::int64_t max_episode_steps = 0, float low = -1,
                    float high = 1, std::int64_t num_actions = 0)
      : envs(std::make_shared<Counter>(low, high, max_episode_steps, num_actions),
             seeds_from(10, num_envs), pool),
        rows(envs.spec(), num_envs) {
    envs.set_double_rows(rows.doubles());
    envs.reset(rows.acting_observation);
  }

  void step(const std::vector<float>& actions) {
    rows.action = actions;
    rows.step(envs);
  }
  float count(std::size_t lane) const { return rows.next_observation[2 * lane + 1]; }
  float acting_count(std::size_t lane) const { return rows.acting_observation[2 * lane + 1]; }
  float acting_start(std::size_t lane) const { return rows.acting_observation[2 * lane]; }

  ThreadPool pool{2};
  VectorEnv envs;
  Rows rows;
};

inline float first_draw(std::uint64_t seed, int skipped) {
  NumpyGenerator rng(seed);
  for (int i = 0; i < skipped; ++i) rng.random();
  return static_cast<float>(rng.random());
}

}  // namespace anthill
