#include "algos/training/probe_states.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>
#include <string>

#include "algos/networks/noise.hpp"
#include "sim/row_stepper.hpp"
#include "sim/vector_env.hpp"

namespace anthill {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"on_policy", "reset", "buffer_action",
                                                    "buffer_policy"};
constexpr std::int64_t kLimitOfEndlessTasks = 1000;

/// A visited (s, a) with the number that decides whether it is taken.
struct Candidate {
  std::uint64_t priority;
  StartState start;
};

/// The num_states candidates with the smallest priorities: a uniform sample of however many come.
class Sample {
 public:
  Sample(const ProbeKey& key, std::int64_t num_states)
      : key_(key), num_states_(static_cast<std::size_t>(num_states)) {}

  /// `make` is called only when the candidate is taken for now.
  template <class Make>
  void offer(std::int64_t episode, std::int64_t step, const Make& make) {
    const PhiloxWords words = philox(key_.seed, RandomStream::probe_states, key_.counter(step),
                                     static_cast<std::uint32_t>(episode));
    const std::uint64_t priority =
        (static_cast<std::uint64_t>(words.word[0]) << 32) | words.word[1];
    if (heap_.size() == num_states_) {
      if (priority >= heap_.front().priority) return;
      std::ranges::pop_heap(heap_, {}, &Candidate::priority);
      heap_.pop_back();
    }
    heap_.push_back({priority, make()});
    std::ranges::push_heap(heap_, {}, &Candidate::priority);
  }

  /// By episode and step.
  std::vector<StartState> take() {
    std::vector<StartState> starts;
    for (Candidate& candidate : heap_) starts.push_back(std::move(candidate.start));
    std::ranges::sort(starts, {}, [](const StartState& s) { return std::pair(s.episode, s.step); });
    return starts;
  }

 private:
  ProbeKey key_;
  std::size_t num_states_;
  std::vector<Candidate> heap_;
};

/// The episodes that still run.
class Episodes {
 public:
  Episodes(const std::shared_ptr<const Env>& env, ThreadPool& pool, const ActorCritic& agent,
           std::vector<StartState> starts)
      : reward_scale_(agent.reward_scale()),
        stepper_(env, static_cast<std::int64_t>(starts.size()), pool),
        running_(starts) {
    for (const StartState& start : starts) {
      stepper_.load(start.episode, start.state, static_cast<std::uint64_t>(start.episode));
    }
    result_.returns.resize(starts.size());
    result_.lengths.resize(starts.size());
    result_.starts = std::move(starts);
  }

  bool any() const { return !running_.empty(); }
  /// Current observation and action of each; the state is in the stepper.
  std::vector<StartState>& running() { return running_; }
  OnPolicyEpisodes take_result() { return std::move(result_); }

  void offer_to(Sample& sample, std::int64_t step) const {
    for (const StartState& now : running_) {
      sample.offer(now.episode, step, [&] {
        StartState taken = now;
        const auto state = stepper_.state(now.episode);
        taken.state.assign(state.begin(), state.end());
        taken.step = step;
        return taken;
      });
    }
  }

  /// Takes the actions of running() and drops the episodes that end.
  void step() {
    const std::size_t count = running_.size(), width = running_[0].observation.size();
    std::vector<std::int64_t> lanes;
    std::vector<float> action, observation(count * width);
    std::vector<double> reward(count);
    std::vector<std::uint8_t> terminated(count), invalid(count);
    for (const StartState& now : running_) {
      lanes.push_back(now.episode);
      action.insert(action.end(), now.action.begin(), now.action.end());
    }
    stepper_.step(lanes, action, {observation, reward, terminated, invalid});
    std::size_t num_left = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto episode = static_cast<std::size_t>(lanes[i]);
      result_.returns[episode] += reward_scale_ * reward[i];
      result_.lengths[episode] += 1.0;
      if (terminated[i] || invalid[i]) continue;
      const std::span next = std::span(observation).subspan(i * width, width);
      running_[i].observation.assign(next.begin(), next.end());
      if (num_left != i) running_[num_left] = std::move(running_[i]);
      ++num_left;
    }
    running_.resize(num_left);
  }

 private:
  double reward_scale_;
  RowStepper stepper_;
  std::vector<StartState> running_;
  OnPolicyEpisodes result_;
};

/// All starts' observations, [n, D].
Tensor observations_of(const ActorCritic& agent, const std::vector<StartState>& starts) {
  std::vector<float> rows;
  for (const StartState& start : starts) {
    rows.insert(rows.end(), start.observation.begin(), start.observation.end());
  }
  return tensor_of_rows(agent, rows, static_cast<std::int64_t>(starts[0].observation.size()))
      .clone();
}

}  // namespace

std::string_view state_kind_name(StateKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

StateKind state_kind(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) {
    throw std::invalid_argument("no kind of probed states: " + std::string(name));
  }
  return static_cast<StateKind>(found - kNames.begin());
}

void choose_policy_actions(const ActorCritic& agent, const ProbeKey& key, std::int64_t step,
                           ActionMode mode, std::vector<StartState>& starts) {
  at::NoGradGuard no_grad;
  const Tensor observation = observations_of(agent, starts);
  Tensor action, log_prob;
  if (mode == ActionMode::deterministic) {
    action = agent.mode(observation);
  } else {
    const Tensor noise =
        at::empty({1, observation.size(0), agent.action_dim()}, observation.options());
    fill_normal(noise, {key.seed}, RandomStream::probe_actions, key.counter(step));
    const ActorCritic::Sample sample = agent.sample(observation, noise[0]);
    action = sample.action;
    log_prob = sample.log_prob.to(at::kCPU, at::kDouble);
  }
  action = action.to(at::kCPU).contiguous();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const float* first = action.data_ptr<float>() + static_cast<std::int64_t>(i) * action.size(1);
    starts[i].action.assign(first, first + action.size(1));
    if (log_prob.defined())
      starts[i].log_prob = log_prob[static_cast<std::int64_t>(i)].item<double>();
  }
}

std::vector<StartState> sample_reset(const std::shared_ptr<const Env>& env, ThreadPool& pool,
                                     const ActorCritic& agent, const ProbeKey& key,
                                     std::int64_t step, std::uint64_t first_seed,
                                     std::int64_t num_states) {
  RowStepper stepper(env, 1, pool);
  std::vector<StartState> starts(static_cast<std::size_t>(num_states));
  for (std::size_t i = 0; i < starts.size(); ++i) {
    starts[i].observation.resize(static_cast<std::size_t>(env->spec().observation_dim));
    stepper.reset(0, first_seed + i, starts[i].observation);
    const auto state = stepper.state(0);
    starts[i].state.assign(state.begin(), state.end());
    starts[i].episode = static_cast<std::int64_t>(i);
  }
  choose_policy_actions(agent, key, step, ActionMode::stochastic, starts);
  return starts;
}

std::vector<StartState> sample_buffer(const Env& env, const ReplayBuffer& buffer,
                                      std::int64_t member, const ProbeKey& key,
                                      std::int64_t num_envs, std::int64_t num_states) {
  const EnvSpec& spec = env.spec();
  std::vector<double> row(lane_row_size(spec));
  StartState start;
  start.observation.resize(static_cast<std::size_t>(spec.observation_dim));
  start.action.resize(static_cast<std::size_t>(spec.action_dim));
  std::vector<StartState> starts;
  constexpr std::uint32_t kMaxAttempts = 1u << 16;
  for (std::uint32_t attempt = 0; std::ssize(starts) < num_states; ++attempt) {
    if (attempt == kMaxAttempts || buffer.size() == 0) {
      throw std::runtime_error("overestimation probe: no valid transition in the replay buffer");
    }
    const PhiloxWords words = philox(key.seed, RandomStream::probe_states, key.counter(kBufferStep),
                                     static_cast<std::uint32_t>(starts.size()), attempt);
    const auto drawn = static_cast<std::int64_t>(
        philox_below(words.word[0], words.word[1], static_cast<std::uint64_t>(buffer.size())));
    if (!buffer.read_row(member, drawn, {start.observation, start.action, row})) continue;
    const StoredState stored = stored_state(env, row);
    start.state.assign(stored.state.begin(), stored.state.end());
    start.episode = stored.episode * num_envs + drawn % num_envs;
    start.step = stored.step;
    starts.push_back(start);
    attempt = UINT32_MAX;  // the next state begins with attempt 0
  }
  return starts;
}

OnPolicyEpisodes sample_on_policy(const std::shared_ptr<const Env>& env, ThreadPool& pool,
                                  const ActorCritic& agent, const ProbeKey& key,
                                  std::uint64_t first_seed, std::int64_t num_episodes,
                                  std::int64_t num_states, const KeepGoing& keep_going) {
  const std::int64_t task_limit = env->spec().max_episode_steps;
  const std::int64_t limit =
      task_limit > 0 ? std::min(task_limit, kBufferStep) : kLimitOfEndlessTasks;
  Episodes episodes(env, pool, agent,
                    sample_reset(env, pool, agent, key, 0, first_seed, num_episodes));
  Sample sample(key, num_states);
  for (std::int64_t step = 0; step < limit && episodes.any(); ++step) {
    if (keep_going && !keep_going()) return {};
    if (step > 0)
      choose_policy_actions(agent, key, step, ActionMode::stochastic, episodes.running());
    episodes.offer_to(sample, step);
    episodes.step();
  }
  OnPolicyEpisodes result = episodes.take_result();
  result.states = sample.take();
  return result;
}

}  // namespace anthill
