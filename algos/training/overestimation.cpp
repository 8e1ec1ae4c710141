#include "algos/training/overestimation.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "algos/training/statistics.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// far from the training environments' seed + i and from the evaluation's
constexpr std::uint64_t kFirstSeed = 20'000'000;

/// What the critics say of every (s, a), on the host.
struct CriticValues {
  std::vector<double> mean, min, target;
};

std::vector<double> to_host(const Tensor& values) {
  const Tensor host = values.to(at::kCPU, at::kDouble).contiguous();
  return {host.data_ptr<double>(), host.data_ptr<double>() + host.numel()};
}

CriticValues critic_values(const ActorCritic& agent, const std::vector<StartState>& starts) {
  at::NoGradGuard no_grad;
  std::vector<float> observation, action;
  for (const StartState& start : starts) {
    observation.insert(observation.end(), start.observation.begin(), start.observation.end());
    action.insert(action.end(), start.action.begin(), start.action.end());
  }
  const auto count = static_cast<std::int64_t>(starts.size());
  const Tensor s = tensor_of_rows(agent, observation, std::ssize(observation) / count);
  const Tensor a = tensor_of_rows(agent, action, std::ssize(action) / count);
  const Tensor q = agent.q(s, a);
  return {to_host(q.mean(0)), to_host(q.amin(0)), to_host(agent.target_q(s, a).amin(0))};
}

/// Means over the K rollouts of one state; nothing when one of them failed.
std::optional<ProbedState> probed_state(const StartState& start,
                                        std::span<const RolloutOutcome> rollouts, double alpha) {
  ProbedState state{.episode = start.episode, .step = start.step, .log_prob = start.log_prob};
  std::vector<double> soft;
  const auto count = static_cast<double>(rollouts.size());
  for (const RolloutOutcome& rollout : rollouts) {
    if (rollout.invalid) return {};
    soft.push_back(rollout.hard_return + alpha * rollout.entropy_sum);
    state.hard_return += rollout.hard_return / count;
    state.entropy_sum += rollout.entropy_sum / count;
    state.undiscounted_return += rollout.undiscounted_return / count;
    state.td_residual += rollout.td_target / count;
    state.rollout_length += static_cast<double>(rollout.length) / count;
    state.cut_share += (rollout.cut ? 1.0 : 0.0) / count;
  }
  state.soft_return = mean_of(soft);
  state.soft_return_std = sample_std(soft);
  state.q_deterministic = state.deterministic_return = kNan;
  return state;
}

}  // namespace

double ProbedKind::value(std::string_view column) const {
  const auto found = std::ranges::find(summary, column, &MetricRow::value_type::first);
  return found == summary.end() ? kNan : found->second.number;
}

/// The states of every wanted kind, behind each other.
struct OverestimationProbe::Starts {
  std::vector<StartState> all;
  std::vector<StateKind> kind;  // of each
  OnPolicyEpisodes episodes;

  void add(StateKind of, const std::vector<StartState>& starts) {
    all.insert(all.end(), starts.begin(), starts.end());
    kind.insert(kind.end(), starts.size(), of);
  }
};

OverestimationProbe::OverestimationProbe(std::shared_ptr<const Env> env,
                                         const OverestimationConfig& config, std::int64_t run_seed,
                                         std::int64_t num_envs, ThreadPool& pool,
                                         const ReplayBuffer* buffer, std::int64_t member)
    : env_(std::move(env)),
      config_(config),
      seed_(static_cast<std::uint64_t>(run_seed) + static_cast<std::uint64_t>(config.seed)),
      num_envs_(num_envs),
      pool_(pool),
      buffer_(buffer),
      member_(member) {
  if (env_->spec().workspace_per_lane) {
    throw ConfigError("overestimation.period: the states of " + env_->spec().name +
                      " cannot be followed past the time limit; set it to 0 or use another task");
  }
  const bool stores_state = buffer != nullptr && buffer->stores_state();
  for (const std::string& name : config.states) {
    if (name.starts_with("buffer") && !stores_state) {
      throw ConfigError("overestimation.states: \"" + name +
                        "\" needs the simulator rows of the replay buffer; set "
                        "buffer.store_state = true");
    }
  }
}

OverestimationProbe::Starts OverestimationProbe::collect(const ActorCritic& agent,
                                                         const ProbeKey& key,
                                                         const KeepGoing& keep_going) const {
  Starts starts;
  std::vector<StartState> stored;  // drawn once: the two kinds differ in the action alone
  for (const std::string& name : config_.states) {
    const StateKind kind = state_kind(name);
    if (kind == StateKind::on_policy) {
      starts.episodes = sample_on_policy(env_, pool_, agent, key, seed_ + kFirstSeed,
                                         config_.num_episodes, config_.num_states, keep_going);
      if (starts.episodes.starts.empty()) return {};
      starts.add(kind, starts.episodes.states);
    } else if (kind == StateKind::reset) {
      const auto first = seed_ + kFirstSeed + static_cast<std::uint64_t>(config_.num_episodes);
      starts.add(kind,
                 sample_reset(env_, pool_, agent, key, kResetStep, first, config_.num_states));
    } else {
      if (stored.empty()) {
        stored = sample_buffer(*env_, *buffer_, member_, key, num_envs_, config_.num_states);
      }
      std::vector<StartState> taken = stored;
      if (kind == StateKind::buffer_policy) {
        choose_policy_actions(agent, key, kBufferStep, ActionMode::stochastic, taken);
      }
      starts.add(kind, taken);
    }
  }
  return starts;
}

/// One deterministic rollout from every state whose action is not the buffer's, for DroQ's measure.
/// False when `keep_going` said so.
bool OverestimationProbe::add_deterministic(const ActorCritic& agent, const ProbeKey& key,
                                            const Starts& starts,
                                            std::vector<std::optional<ProbedState>>& states,
                                            OverestimationResult& result,
                                            const KeepGoing& keep_going) const {
  std::vector<StartState> chosen;
  std::vector<std::size_t> place;
  for (std::size_t i = 0; i < starts.all.size(); ++i) {
    if (starts.kind[i] == StateKind::buffer_action) continue;
    chosen.push_back(starts.all[i]);
    place.push_back(i);
  }
  if (chosen.empty()) return true;
  choose_policy_actions(agent, key, 0, ActionMode::deterministic, chosen);
  const CriticValues q = critic_values(agent, chosen);
  const auto rollouts = run_rollouts(env_, pool_, agent, key, chosen, 1, config_.horizon,
                                     ActionMode::deterministic, keep_going);
  for (std::size_t i = 0; i < rollouts.size(); ++i) {
    result.num_steps += rollouts[i].length;
    std::optional<ProbedState>& state = states[place[i]];
    if (!state) continue;
    if (rollouts[i].invalid) {
      state.reset();
      continue;
    }
    state->q_deterministic = q.mean[i];
    state->deterministic_return = rollouts[i].hard_return;
  }
  return !rollouts.empty();
}

OverestimationResult OverestimationProbe::run(const ActorCritic& agent, std::int64_t env_steps,
                                              const KeepGoing& keep_going) const {
  const auto begin = std::chrono::steady_clock::now();
  const ProbeKey key{seed_, env_steps};
  const Starts starts = collect(agent, key, keep_going);
  if (starts.all.empty()) return {};
  const auto rollouts = run_rollouts(env_, pool_, agent, key, starts.all, config_.num_rollouts,
                                     config_.horizon, ActionMode::stochastic, keep_going);
  if (rollouts.empty()) return {};

  OverestimationResult result;
  ProbeContext context = context_of(agent, key, starts);
  const CriticValues q = critic_values(agent, starts.all);
  const auto num_rollouts = static_cast<std::size_t>(config_.num_rollouts);
  std::vector<std::optional<ProbedState>> states;
  for (std::size_t i = 0; i < starts.all.size(); ++i) {
    const std::span own = std::span(rollouts).subspan(i * num_rollouts, num_rollouts);
    states.push_back(probed_state(starts.all[i], own, context.alpha));
    if (!states[i]) continue;
    states[i]->q_mean = q.mean[i];
    states[i]->q_min = q.min[i];
    states[i]->q_target = q.target[i];
    states[i]->td_residual -= q.mean[i];
  }
  for (const RolloutOutcome& rollout : rollouts) {
    context.log_prob_max = std::max(context.log_prob_max, rollout.log_prob_max);
    result.num_steps += rollout.length;
  }
  for (const double length : starts.episodes.lengths) {
    result.num_steps += static_cast<std::int64_t>(length);
  }
  if (config_.deterministic_rollouts &&
      !add_deterministic(agent, key, starts, states, result, keep_going)) {
    return {};
  }
  add_kinds(starts, states, context, result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

ProbeContext OverestimationProbe::context_of(const ActorCritic& agent, const ProbeKey& key,
                                             const Starts& starts) const {
  ProbeContext context{.config = config_,
                       .discount = agent.discount(),
                       .alpha = agent.alpha(),
                       .action_dim = agent.action_dim(),
                       .episodes = starts.episodes,
                       .bootstrap_seed = key.seed ^ key.counter(0)};
  if (buffer_ != nullptr) {
    const RewardRange range = buffer_->reward_range(member_);
    const double scale = agent.reward_scale();
    const auto [low, high] = std::minmax({scale * range.low, scale * range.high});
    if (range.low <= range.high) context.rewards = {low, high};
  }
  for (const StartState& start : starts.all) {
    context.log_prob_max = std::fmax(context.log_prob_max, start.log_prob);  // passes over nan
  }
  if (!starts.episodes.starts.empty()) {
    context.start_q = critic_values(agent, starts.episodes.starts).mean;
  }
  return context;
}

void OverestimationProbe::add_kinds(const Starts& starts,
                                    const std::vector<std::optional<ProbedState>>& states,
                                    ProbeContext& context, OverestimationResult& result) const {
  for (const std::string& name : config_.states) {
    ProbedKind kind;
    kind.kind = state_kind(name);
    context.num_invalid = 0;
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (starts.kind[i] != kind.kind) continue;
      if (states[i]) {
        kind.states.push_back(*states[i]);
      } else {
        ++context.num_invalid;
      }
    }
    kind.summary = summarise(kind.kind, kind.states, context);
    result.kinds.push_back(std::move(kind));
  }
}

}  // namespace anthill
