// From probed states to the columns of overestimation.csv and overestimation_states.csv.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "algos/training/overestimation.hpp"
#include "algos/training/statistics.hpp"

namespace anthill {
namespace {

/// One column of the states, as `get` reads it.
template <class Get>
std::vector<double> column(const std::vector<ProbedState>& states, const Get& get) {
  std::vector<double> values;
  for (const ProbedState& state : states) values.push_back(get(state));
  return values;
}

/// Adds cells and leaves out those that do not exist (nan where `value` is so by definition).
class Row {
 public:
  void add(std::string_view name, Cell value) { cells_.emplace_back(name, value); }
  void add_existing(std::string_view name, double value) {
    if (!std::isnan(value)) add(name, value);
  }
  MetricRow take() { return std::move(cells_); }

 private:
  MetricRow cells_;
};

double square(double value) { return value * value; }

void add_bias(Row& row, const std::vector<ProbedState>& states, const ProbeContext& context) {
  const std::vector<double> bias =
      column(states, [](const ProbedState& s) { return s.q_mean - s.soft_return; });
  const auto mean_bias = [&](auto member) {
    return mean_of(column(states, [&](const ProbedState& s) { return s.*member - s.soft_return; }));
  };
  std::vector<std::int64_t> episode;
  for (const ProbedState& state : states) episode.push_back(state.episode);
  const auto interval_of = [&](const std::vector<double>& values) {
    return bootstrap_mean(values, episode, context.config.num_resamples, context.bootstrap_seed);
  };
  const double per_step = 1.0 - context.discount, mean = mean_of(bias);
  const Interval interval = interval_of(bias);
  row.add("bias_reward", per_step * mean);
  row.add_existing("bias_reward_low", per_step * interval.low);
  row.add_existing("bias_reward_high", per_step * interval.high);
  row.add("bias_mean", mean);
  row.add_existing("bias_low", interval.low);
  row.add_existing("bias_high", interval.high);
  row.add("bias_min", mean_bias(&ProbedState::q_min));
  row.add("bias_target", mean_bias(&ProbedState::q_target));
  const double soft = mean_of(column(states, [](const ProbedState& s) { return s.soft_return; }));
  row.add("bias_normalised", mean / std::max(std::abs(soft), 10.0));
  row.add("bias_median", quantile(bias, 0.5));
  row.add("bias_p05", quantile(bias, 0.05));
  row.add("bias_p95", quantile(bias, 0.95));

  const double spread = sample_std(bias);
  row.add_existing("bias_std", spread);
  const double noise =
      mean_of(column(states, [](const ProbedState& s) { return square(s.soft_return_std); })) /
      static_cast<double>(context.config.num_rollouts);
  if (!std::isnan(spread) && !std::isnan(noise)) {
    row.add("bias_std_corrected", std::sqrt(std::max(0.0, square(spread) - noise)));
  }
  std::vector<double> positive;
  for (const double b : bias) positive.push_back(b > 0.0 ? 1.0 : 0.0);
  const Interval share = interval_of(positive);
  row.add("bias_positive", mean_of(positive));
  row.add_existing("bias_positive_low", share.low);
  row.add_existing("bias_positive_high", share.high);
}

/// What others call the bias, on the same rollouts.
void add_variants(Row& row, StateKind kind, const std::vector<ProbedState>& states,
                  const ProbeContext& context) {
  const auto mean = [&](const auto& get) { return mean_of(column(states, get)); };
  constexpr double kRedqAlpha = 0.2, kRedqFloor = 10.0;
  row.add("redq_bias", mean([&](const ProbedState& s) {
            const double value = s.hard_return + kRedqAlpha * s.entropy_sum;
            return (s.q_mean - value) / std::max(std::abs(value), kRedqFloor);
          }));
  row.add_existing("crossq_bias", mean([&](const ProbedState& s) {
                     return s.q_mean - (s.soft_return - context.alpha * s.log_prob);
                   }));
  row.add_existing("droq_bias", mean([](const ProbedState& s) {
                     return s.q_deterministic - s.deterministic_return;
                   }));
  row.add("undiscounted_bias",
          mean([](const ProbedState& s) { return s.q_mean - s.undiscounted_return; }));
  if (kind != StateKind::on_policy || context.start_q.empty()) return;
  const double episode_return = mean_of(context.episodes.returns);
  row.add("episode_bias", mean_of(context.start_q) - episode_return);
  row.add("episode_return", episode_return);
  row.add("episode_length", mean_of(context.episodes.lengths));
}

void add_alarm(Row& row, const std::vector<ProbedState>& states, const ProbeContext& context) {
  const auto [reward_low, reward_high] = context.rewards;
  if (std::isnan(reward_low) || context.discount >= 1.0) return;
  const auto action_dim = static_cast<double>(context.action_dim);
  const double factor = context.discount * context.alpha;
  // without a sampled action there is no entropy term to bound
  const double log_prob_max = std::isinf(context.log_prob_max) ? 0.0 : context.log_prob_max;
  const double high = std::max(
      0.0, (reward_high + factor * action_dim * std::numbers::ln2) / (1.0 - context.discount));
  const double low = std::min(0.0, (reward_low - factor * log_prob_max) / (1.0 - context.discount));
  row.add("plausible_high", high);
  row.add("plausible_low", low);
  row.add("implausible_share", mean_of(column(states, [&](const ProbedState& s) {
            return s.q_mean < low || s.q_mean > high ? 1.0 : 0.0;
          })));
}

std::int64_t num_episodes(const std::vector<ProbedState>& states) {
  std::vector<std::int64_t> episodes;
  for (const ProbedState& state : states) episodes.push_back(state.episode);
  std::ranges::sort(episodes);
  return std::ranges::unique(episodes).begin() - episodes.begin();
}

}  // namespace

MetricRow summarise(StateKind kind, const std::vector<ProbedState>& states,
                    const ProbeContext& context) {
  Row row;
  row.add("states", state_kind_name(kind));
  row.add("num_states", std::ssize(states));
  row.add("num_episodes", num_episodes(states));
  row.add("num_rollouts", context.config.num_rollouts);
  row.add("horizon", context.config.horizon);
  row.add("discount", context.discount);
  row.add("alpha", context.alpha);
  row.add("invalid_states", context.num_invalid);
  if (states.empty()) return row.take();
  const auto mean = [&](auto member) {
    return mean_of(column(states, [&](const ProbedState& s) { return s.*member; }));
  };
  const double soft = mean(&ProbedState::soft_return), hard = mean(&ProbedState::hard_return);
  row.add("q_mean", mean(&ProbedState::q_mean));
  row.add("q_min", mean(&ProbedState::q_min));
  row.add("q_target", mean(&ProbedState::q_target));
  row.add("soft_return", soft);
  row.add("hard_return", hard);
  row.add("entropy_return", soft - hard);
  add_bias(row, states, context);
  row.add_existing("spearman",
                   spearman(column(states, [](const ProbedState& s) { return s.q_mean; }),
                            column(states, [](const ProbedState& s) { return s.soft_return; })));
  add_variants(row, kind, states, context);
  row.add_existing("td_residual", mean(&ProbedState::td_residual));
  row.add_existing("td_residual_rms", std::sqrt(mean_of(column(states, [](const ProbedState& s) {
                     return square(s.td_residual);
                   }))));
  add_alarm(row, states, context);
  row.add("rollout_length", mean(&ProbedState::rollout_length));
  row.add("cut_share", mean(&ProbedState::cut_share));
  return row.take();
}

std::string overestimation_line(const ProbedKind& kind, std::int64_t env_steps) {
  char text[256];
  std::snprintf(text, sizeof text,
                "overestimation at %lld, %s: Q %.4g, soft return %.4g, bias %+.3g [%.3g, %.3g] "
                "reward per step",
                static_cast<long long>(env_steps), std::string(state_kind_name(kind.kind)).c_str(),
                kind.value("q_mean"), kind.value("soft_return"), kind.value("bias_reward"),
                kind.value("bias_reward_low"), kind.value("bias_reward_high"));
  return text;
}

std::string overestimation_cost_line(const OverestimationResult& result, double probe_seconds,
                                     double run_seconds) {
  char text[160];
  std::snprintf(text, sizeof text,
                "overestimation: %lld rollout steps in %.1f s (%.0f steps/s), %.1f %% of the run's "
                "time so far",
                static_cast<long long>(result.num_steps), result.seconds,
                static_cast<double>(result.num_steps) / std::max(result.seconds, 1e-9),
                100.0 * probe_seconds / std::max(run_seconds, 1e-9));
  return text;
}

MetricRow state_row(StateKind kind, std::int64_t index, const ProbedState& state) {
  Row row;
  row.add("states", state_kind_name(kind));
  row.add("state", index);
  row.add("episode", state.episode);
  row.add("step", state.step);
  row.add("q_mean", state.q_mean);
  row.add("q_min", state.q_min);
  row.add("q_target", state.q_target);
  row.add("soft_return", state.soft_return);
  row.add_existing("soft_return_std", state.soft_return_std);
  row.add("hard_return", state.hard_return);
  row.add("entropy_sum", state.entropy_sum);
  row.add("undiscounted_return", state.undiscounted_return);
  row.add_existing("log_prob", state.log_prob);
  row.add_existing("q_deterministic", state.q_deterministic);
  row.add_existing("deterministic_return", state.deterministic_return);
  row.add_existing("td_residual", state.td_residual);
  row.add("rollout_length", state.rollout_length);
  row.add("cut_share", state.cut_share);
  return row.take();
}

}  // namespace anthill
