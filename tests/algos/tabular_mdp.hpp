/// A Markov decision process of three states and two actions whose values are known exactly, and an
/// agent on it that holds any table of values.
#pragma once

#include <array>
#include <cmath>
#include <memory>
#include <numbers>

#include "algos/agents/actor_critic.hpp"
#include "sim/env.hpp"

namespace anthill {

using Table = std::array<std::array<double, 2>, 3>;  // [state][action]
using Policy = std::array<double, 3>;                // probability of action 0

/// From (s, a): the reward, and the probability of each next state; what is left terminates.
struct MdpStep {
  double reward;
  std::array<double, 3> next;
};
inline constexpr std::array<std::array<MdpStep, 2>, 3> kMdp = {
    {{{{1.0, {0.0, 1.0, 0.0}}, {-0.5, {0.0, 0.3, 0.7}}}},
     {{{2.0, {0.6, 0.0, 0.0}}, {0.0, {0.0, 0.0, 1.0}}}},
     {{{-1.0, {1.0, 0.0, 0.0}}, {3.0, {0.0, 0.5, 0.4}}}}}};

/// Q(s, a) = r + discount * sum_s' P(s') sum_a' pi(a'|s') (Q(s', a') - alpha log pi(a'|s')),
/// iterated to its fixed point; alpha 0 gives the hard values.
inline Table exact_values(const Policy& policy, double alpha, double discount) {
  Table q{};
  for (int iteration = 0; iteration < 2000; ++iteration) {
    std::array<double, 3> value{};
    for (std::size_t s = 0; s < 3; ++s) {
      for (const std::size_t a : {0u, 1u}) {
        const double p = a == 0 ? policy[s] : 1.0 - policy[s];
        if (p > 0.0) value[s] += p * (q[s][a] - alpha * std::log(p));
      }
    }
    for (std::size_t s = 0; s < 3; ++s) {
      for (std::size_t a = 0; a < 2; ++a) {
        q[s][a] = kMdp[s][a].reward;
        for (std::size_t next = 0; next < 3; ++next) {
          q[s][a] += discount * kMdp[s][a].next[next] * value[next];
        }
      }
    }
  }
  return q;
}

/// State row: | state |; observation one-hot; action 0 is a negative number, 1 a positive one.
class TabularMdp final : public Env {
 public:
  explicit TabularMdp(std::int64_t max_episode_steps)
      : spec_{.name = "TabularMdp",
              .observation_dim = 3,
              .action_dim = 1,
              .action_low = {-1.0f},
              .action_high = {1.0f},
              .state_dim = 1,
              .max_episode_steps = max_episode_steps,
              .control_dt = 1.0,
              .reward_terms = {}} {}

  const EnvSpec& spec() const override { return spec_; }
  std::unique_ptr<Workspace> make_workspace() const override {
    return std::make_unique<Workspace>();
  }
  void reset(Workspace&, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override {
    state[0] = std::floor(3.0 * rng.random());
    observe(state[0], observation);
  }
  StepResult step(Workspace&, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double>) const override {
    const MdpStep& step = kMdp[static_cast<std::size_t>(state[0])][action[0] > 0.0f ? 1 : 0];
    double left = rng.random();
    std::size_t next = 0;
    while (next < 3 && left >= step.next[next]) left -= step.next[next++];
    if (next < 3) state[0] = static_cast<double>(next);
    observe(state[0], next_observation);
    return {.reward = step.reward, .terminated = next == 3};
  }

 private:
  static void observe(double state, std::span<double> observation) {
    for (std::size_t i = 0; i < 3; ++i)
      observation[i] = state == static_cast<double>(i) ? 1.0 : 0.0;
  }

  EnvSpec spec_;
};

/// Action 0 where the noise is below thresholds[state]. Two critics: q + offset +- spread; the
/// targets are theirs.
class TabularAgent final : public ActorCritic {
 public:
  double alpha_value = 0.5, discount_value = 0.9;
  std::array<double, 3> thresholds = {-0.5, 0.3, 0.8};
  Table q_table{};
  double offset = 0.0, spread = 0.0;

  /// The probability of a normal number below the threshold.
  Policy policy() const {
    Policy p{};
    for (std::size_t s = 0; s < 3; ++s)
      p[s] = 0.5 * std::erfc(-thresholds[s] / std::numbers::sqrt2);
    return p;
  }

  at::Device device() const override { return at::kCPU; }
  std::int64_t action_dim() const override { return 1; }

  Sample sample(const Tensor& observation, const Tensor& noise) const override {
    Sample sample{at::empty({noise.size(0), 1}), at::empty({noise.size(0)})};
    const Tensor dense = noise.contiguous();
    const Policy first_share = policy();
    for (std::int64_t i = 0; i < noise.size(0); ++i) {
      const std::size_t s = state_of(observation, i);
      const bool first = static_cast<double>(dense.data_ptr<float>()[i]) < thresholds[s];
      const double p = first ? first_share[s] : 1.0 - first_share[s];
      sample.action.data_ptr<float>()[i] = first ? -0.5f : 0.5f;
      sample.log_prob.data_ptr<float>()[i] = static_cast<float>(std::log(p));
    }
    return sample;
  }
  Tensor mode(const Tensor& observation) const override {
    const Tensor action = at::empty({observation.size(0), 1});
    for (std::int64_t i = 0; i < observation.size(0); ++i) {
      action.data_ptr<float>()[i] = thresholds[state_of(observation, i)] > 0.0 ? -0.5f : 0.5f;
    }
    return action;
  }
  Tensor q(const Tensor& observation, const Tensor& action) const override {
    const Tensor values = at::empty({2, action.size(0)});
    for (std::int64_t i = 0; i < action.size(0); ++i) {
      const bool second = action.data_ptr<float>()[i] > 0.0f;
      const double value = q_table[state_of(observation, i)][second ? 1 : 0] + offset;
      values.data_ptr<float>()[i] = static_cast<float>(value + spread);
      values.data_ptr<float>()[action.size(0) + i] = static_cast<float>(value - spread);
    }
    return values;
  }
  Tensor target_q(const Tensor& observation, const Tensor& action) const override {
    return q(observation, action);
  }
  double alpha() const override { return alpha_value; }
  double discount() const override { return discount_value; }
  double reward_scale() const override { return 1.0; }

 private:
  /// Of row i of contiguous one-hot observations.
  static std::size_t state_of(const Tensor& observation, std::int64_t i) {
    const float* row = observation.data_ptr<float>() + 3 * i;
    return row[0] > 0.0f ? 0 : row[1] > 0.0f ? 1 : 2;
  }
};

}  // namespace anthill
