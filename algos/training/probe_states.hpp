/// The states that the overestimation probe starts from.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "algos/training/value_rollouts.hpp"
#include "buffers/replay_buffer.hpp"

namespace anthill {

/// Where a probed (s, a) is from; the names are those of the CSV files (metrics_glossary.hpp).
enum class StateKind { on_policy, reset, buffer_action, buffer_policy };

std::string_view state_kind_name(StateKind kind);

/// The kind of that name; it must be one.
StateKind state_kind(std::string_view name);

/// Episodes of the policy (SAC's samples), from first states that are the same in every probe of a
/// run.
struct OnPolicyEpisodes {
  std::vector<StartState> states;  // a sample of the visited ones, by episode and step
  std::vector<StartState> starts;  // first state and action of every episode
  std::vector<double> returns;     // undiscounted, times reward_scale, up to the time limit
  std::vector<double> lengths;     // control steps
};

/// Plays `num_episodes` episodes to their end (1,000 steps where the task has no time limit) and
/// takes `num_states` of all visited (s, a) uniformly without replacement; all of them where there
/// are fewer. Which ones is a function of (key, episode, step). Episode i starts from NumPy's
/// generator seeded with first_seed + i. Empty when `keep_going` said false.
OnPolicyEpisodes sample_on_policy(const std::shared_ptr<const Env>& env, ThreadPool& pool,
                                  const ActorCritic& agent, const ProbeKey& key,
                                  std::uint64_t first_seed, std::int64_t num_episodes,
                                  std::int64_t num_states, const KeepGoing& keep_going = {});

/// First states of the task, seeded with first_seed + i, and a ~ pi as below.
std::vector<StartState> sample_reset(const std::shared_ptr<const Env>& env, ThreadPool& pool,
                                     const ActorCritic& agent, const ProbeKey& key,
                                     std::int64_t step, std::uint64_t first_seed,
                                     std::int64_t num_states);

/// Rows of a member of the buffer, drawn uniformly with replacement, with their own actions. Rows
/// and noise are functions of (key, place). `num_envs`: lanes of one member. Throws
/// std::runtime_error when the buffer holds no valid row.
std::vector<StartState> sample_buffer(const Env& env, const ReplayBuffer& buffer,
                                      std::int64_t member, const ProbeKey& key,
                                      std::int64_t num_envs, std::int64_t num_states);

/// Gives every start an action of the policy: its mode, or a sample whose noise is a function of
/// (key, step, place in `starts`).
void choose_policy_actions(const ActorCritic& agent, const ProbeKey& key, std::int64_t step,
                           ActionMode mode, std::vector<StartState>& starts);

/// Steps for which no episode draws actions, one per kind of state that needs some.
inline constexpr std::int64_t kResetStep = kMaxProbeSteps - 1;
inline constexpr std::int64_t kBufferStep = kMaxProbeSteps - 2;

}  // namespace anthill
