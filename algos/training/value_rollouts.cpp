#include "algos/training/value_rollouts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "algos/networks/noise.hpp"
#include "sim/row_stepper.hpp"

namespace anthill {
namespace {

/// The rollouts that still run, packed: element i of everything belongs to rollout running[i].
class Rollouts {
 public:
  Rollouts(const std::shared_ptr<const Env>& env, ThreadPool& pool, const ActorCritic& agent,
           const ProbeKey& key, std::span<const StartState> starts, std::int64_t num_rollouts);

  bool any() const { return !running_.empty(); }
  void choose_actions(std::int64_t k, ActionMode mode);
  void step(std::int64_t k, std::int64_t horizon);
  std::vector<RolloutOutcome> take_outcomes() { return std::move(outcomes_); }

 private:
  Tensor noise_of_running(std::int64_t k) const;
  void add_log_probs(std::int64_t k, const Tensor& observation, const ActorCritic::Sample& sample);
  void keep(std::size_t from, std::size_t to);

  const ActorCritic& agent_;
  ProbeKey key_;
  RowStepper stepper_;
  std::size_t observation_dim_, action_dim_;
  std::vector<RolloutOutcome> outcomes_;  // (R)
  std::vector<std::int64_t> running_;     // (n)
  std::vector<float> observation_;        // (n x D)
  std::vector<float> action_;             // (n x A)
  std::vector<double> reward_;            // (n)
  std::vector<std::uint8_t> terminated_, invalid_;
};

Rollouts::Rollouts(const std::shared_ptr<const Env>& env, ThreadPool& pool,
                   const ActorCritic& agent, const ProbeKey& key,
                   std::span<const StartState> starts, std::int64_t num_rollouts)
    : agent_(agent),
      key_(key),
      stepper_(env, static_cast<std::int64_t>(starts.size()) * num_rollouts, pool),
      observation_dim_(static_cast<std::size_t>(env->spec().observation_dim)),
      action_dim_(static_cast<std::size_t>(env->spec().action_dim)) {
  const auto count = static_cast<std::size_t>(stepper_.num_lanes());
  outcomes_.resize(count);
  running_.resize(count);
  std::iota(running_.begin(), running_.end(), 0);
  reward_.resize(count);
  terminated_.resize(count);
  invalid_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const StartState& start = starts[i / static_cast<std::size_t>(num_rollouts)];
    // a task that draws numbers in its steps must draw others in every rollout
    const PhiloxWords words = philox(key.seed, RandomStream::probe_rollouts, key.counter(0),
                                     static_cast<std::uint32_t>(i), 1);
    const std::uint64_t seed = (static_cast<std::uint64_t>(words.word[0]) << 32) | words.word[1];
    stepper_.load(static_cast<std::int64_t>(i), start.state, seed);
    observation_.insert(observation_.end(), start.observation.begin(), start.observation.end());
    action_.insert(action_.end(), start.action.begin(), start.action.end());
  }
}

/// (n x A) standard normal: what every rollout would get whichever others still run.
Tensor Rollouts::noise_of_running(std::int64_t k) const {
  const auto options = at::TensorOptions(agent_.device()).dtype(at::kFloat);
  const Tensor noise =
      at::empty({1, stepper_.num_lanes(), static_cast<std::int64_t>(action_dim_)}, options);
  fill_normal(noise, {key_.seed}, RandomStream::probe_rollouts, key_.counter(k));
  const Tensor rows = at::from_blob(const_cast<std::int64_t*>(running_.data()),
                                    {static_cast<std::int64_t>(running_.size())}, at::kLong);
  return noise[0].index_select(0, rows.to(agent_.device()));
}

/// a_k for k > 0.
void Rollouts::choose_actions(std::int64_t k, ActionMode mode) {
  const Tensor observation =
      tensor_of_rows(agent_, observation_, static_cast<std::int64_t>(observation_dim_));
  Tensor action;
  if (mode == ActionMode::deterministic) {
    action = agent_.mode(observation);
  } else {
    const ActorCritic::Sample sample = agent_.sample(observation, noise_of_running(k));
    add_log_probs(k, observation, sample);
    action = sample.action;
  }
  const Tensor host = action.to(at::kCPU).contiguous();
  std::copy_n(host.data_ptr<float>(), action_.size(), action_.begin());
  if (!std::ranges::all_of(action_, [](float a) { return std::isfinite(a); })) {
    throw NonFiniteActions("overestimation probe: the policy's actions are not finite");
  }
}

void Rollouts::add_log_probs(std::int64_t k, const Tensor& observation,
                             const ActorCritic::Sample& sample) {
  const double discount = agent_.discount(), weight = std::pow(discount, k);
  const Tensor log_prob = sample.log_prob.to(at::kCPU, at::kDouble).contiguous();
  Tensor next_q;
  if (k == 1) {
    next_q = agent_.target_q(observation, sample.action).amin(0).to(at::kCPU, at::kDouble);
    next_q = next_q.contiguous();
  }
  const double alpha = k == 1 ? agent_.alpha() : 0.0;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    RolloutOutcome& outcome = outcomes_[static_cast<std::size_t>(running_[i])];
    const double value = log_prob.data_ptr<double>()[i];
    outcome.entropy_sum -= weight * value;
    outcome.log_prob_max = std::max(outcome.log_prob_max, value);
    if (k != 1) continue;
    outcome.td_target =
        outcome.hard_return + discount * (next_q.data_ptr<double>()[i] - alpha * value);
  }
}

/// Packs row `from` at `to`, which is not behind it.
void Rollouts::keep(std::size_t from, std::size_t to) {
  running_[to] = running_[from];
  const auto at = [](auto& rows, std::size_t row, std::size_t width) {
    return rows.begin() + static_cast<std::ptrdiff_t>(row * width);
  };
  std::copy_n(at(observation_, from, observation_dim_), observation_dim_,
              at(observation_, to, observation_dim_));
}

void Rollouts::step(std::int64_t k, std::int64_t horizon) {
  const std::size_t count = running_.size();
  stepper_.step(running_, action_,
                {observation_, std::span(reward_).first(count), std::span(terminated_).first(count),
                 std::span(invalid_).first(count)});
  const double scale = agent_.reward_scale(), weight = std::pow(agent_.discount(), k);
  std::size_t num_left = 0;
  for (std::size_t i = 0; i < count; ++i) {
    RolloutOutcome& outcome = outcomes_[static_cast<std::size_t>(running_[i])];
    const double reward = scale * reward_[i];
    outcome.hard_return += weight * reward;
    outcome.undiscounted_return += reward;
    outcome.length = k + 1;
    outcome.invalid = invalid_[i] != 0;
    if (terminated_[i] && k == 0) outcome.td_target = reward;
    if (terminated_[i] || invalid_[i]) continue;
    outcome.cut = k + 1 == horizon;
    keep(i, num_left++);
  }
  running_.resize(num_left);
  observation_.resize(num_left * observation_dim_);
  action_.resize(num_left * action_dim_);
}

}  // namespace

Tensor tensor_of_rows(const ActorCritic& agent, std::span<const float> rows, std::int64_t width) {
  const auto count = static_cast<std::int64_t>(rows.size()) / width;
  return at::from_blob(const_cast<float*>(rows.data()), {count, width}, at::kFloat)
      .to(agent.device());
}

std::vector<RolloutOutcome> run_rollouts(const std::shared_ptr<const Env>& env, ThreadPool& pool,
                                         const ActorCritic& agent, const ProbeKey& key,
                                         std::span<const StartState> starts,
                                         std::int64_t num_rollouts, std::int64_t horizon,
                                         ActionMode mode, const KeepGoing& keep_going) {
  at::NoGradGuard no_grad;
  Rollouts rollouts(env, pool, agent, key, starts, num_rollouts);
  for (std::int64_t k = 0; k < horizon && rollouts.any(); ++k) {
    if (keep_going && !keep_going()) return {};
    if (k > 0) rollouts.choose_actions(k, mode);
    rollouts.step(k, horizon);
  }
  return rollouts.take_outcomes();
}

}  // namespace anthill
