/// Monte-Carlo estimates of a policy's value: rollouts from stored states, past the time limit.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "algos/agents/actor_critic.hpp"
#include "algos/agents/agent.hpp"
#include "sim/env.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {

/// One (s, a) that rollouts start from.
struct StartState {
  std::vector<double> state;                                   // (S) the task's state row
  std::vector<float> observation;                              // (D)
  std::vector<float> action;                                   // (A) a_0, normalised
  double log_prob = std::numeric_limits<double>::quiet_NaN();  // log pi(a_0|s); nan: not sampled
  std::int64_t episode = 0;                                    // that it is from
  std::int64_t step = 0;                                       // control step in it
};

/// One rollout (r_k, a_k, k = 0, 1, ...); rewards are times reward_scale. The soft return is
/// hard_return + alpha * entropy_sum.
struct RolloutOutcome {
  double hard_return = 0.0;          // sum_{k<H} discount^k r_k
  double entropy_sum = 0.0;          // sum_{0<k<H} discount^k * -log pi(a_k|s_k)
  double undiscounted_return = 0.0;  // sum_{k<H} r_k
  // r_0 + discount * (min_j Q'_j(s_1, a_1) - alpha * log pi(a_1|s_1)), or r_0 where it terminated;
  // nan where the horizon cut it first
  double td_target = std::numeric_limits<double>::quiet_NaN();
  double log_prob_max = -std::numeric_limits<double>::infinity();
  std::int64_t length = 0;
  bool cut = false;      // by the horizon
  bool invalid = false;  // by a simulator failure: its numbers mean nothing
};

/// What the randomness of a probe is a function of. Counters hold the env steps of the probe in
/// their high bits and a step below kMaxProbeSteps in their low ones.
struct ProbeKey {
  std::uint64_t seed = 0;
  std::int64_t env_steps = 0;

  std::uint64_t counter(std::int64_t step) const {
    return (static_cast<std::uint64_t>(env_steps) << 20) | static_cast<std::uint64_t>(step);
  }
};
inline constexpr std::int64_t kMaxProbeSteps = std::int64_t{1} << 20;

/// Called before every step; once it says false the work ends with an empty result.
using KeepGoing = std::function<bool()>;

/// The policy's actions are not finite.
class NonFiniteActions : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `num_rollouts` rollouts from every start, each up to termination or `horizon` steps, all at
/// once: the policy is evaluated on the rollouts that still run, the pool steps them. Returns
/// (starts x num_rollouts). Rollout i's noise is a function of (key, i). Throws std::runtime_error
/// when the policy's actions are not finite.
std::vector<RolloutOutcome> run_rollouts(const std::shared_ptr<const Env>& env, ThreadPool& pool,
                                         const ActorCritic& agent, const ProbeKey& key,
                                         std::span<const StartState> starts,
                                         std::int64_t num_rollouts, std::int64_t horizon,
                                         ActionMode mode, const KeepGoing& keep_going = {});

/// Host rows [n, width] as a float32 tensor on the agent's device.
Tensor tensor_of_rows(const ActorCritic& agent, std::span<const float> rows, std::int64_t width);

}  // namespace anthill
