/// Episodes of a policy step by step, with what its critics say and what then came of it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "algos/agents/agent.hpp"
#include "sim/env.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {

/// T steps; S = state_dim, D = observation_dim, A = action_dim, K = reward terms. A plain value. Of
/// the last four, NaN: not known. Values are in the critics' unit: rewards times reward_scale.
struct RecordedEpisode {
  std::uint64_t seed = 0;
  bool terminated = false, truncated = false, invalid = false;
  double episode_return = 0.0;        // undiscounted, as evaluations count it
  std::vector<double> state;          // (T x S) that the action was chosen in
  std::vector<float> observation;     // (T x D)
  std::vector<float> action;          // (T x A) normalised, or an index
  std::vector<double> reward;         // (T)
  std::vector<double> terms;          // (T x K)
  std::vector<double> q_mean, q_min;  // (T) over the critics at (s, a)
  // (T) discounted sum of this and all later rewards; and the same with the policy's entropy from
  // the next step on, which is what the critics of a maximum-entropy agent estimate
  std::vector<double> hard_value, soft_value;
  // whether the values hold what came after a time limit: a rollout of the same policy from there
  bool values_are_whole = true;

  std::int64_t length() const { return static_cast<std::int64_t>(reward.size()); }
};

struct EpisodeOptions {
  std::vector<std::uint64_t> seeds = {};  // one episode each
  std::vector<std::size_t> keep = {};     // indices of those to return; the others are played alike
  ActionMode mode = ActionMode::deterministic;
  std::uint64_t agent_seed = 0;  // AgentShape::seeds[0]
  std::int64_t horizon = 459;    // steps of the rollout behind a time limit
};

/// Plays the episodes that Evaluator plays from these seeds (an episode's noise depends on its
/// index among them), and returns those of `keep`, in its order. Sampled episodes get soft values;
/// a deterministic policy has no entropy, so they stay NaN. Throws std::runtime_error when actions
/// are not finite.
std::vector<RecordedEpisode> record_episodes(const std::shared_ptr<const Env>& env, Agent& agent,
                                             ThreadPool& pool, const EpisodeOptions& options);

}  // namespace anthill
