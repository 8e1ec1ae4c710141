// The columns of overestimation.csv and overestimation_states.csv.
#include <array>

#include "algos/training/metrics_glossary.hpp"

namespace anthill {
namespace {

constexpr std::string_view kSeveralEpisodes = "empty with fewer than two episodes";
constexpr std::string_view kSeveralRollouts = "empty for one rollout per state";
constexpr std::string_view kOwnAction = "empty for buffer_action, whose a_0 is not the policy's";
constexpr std::string_view kOnPolicy = "on_policy only";

constexpr MetricColumn kProbedAt = {"env_steps", "transitions", "as in train.csv", kAlways, false};
constexpr MetricColumn kStates = {
    "states", "name",
    "where (s, a) is from. on_policy: a step of an episode of the current policy (SAC's samples, "
    "else without exploration); "
    "reset: a first observation, a ~ pi; buffer_action: a transition of the replay buffer; "
    "buffer_policy: its observation, a ~ pi",
    kAlways, false};

constexpr std::array kOverestimation = {
    kProbedAt,
    MetricColumn{"gradient_updates", "updates", "as in train.csv", kAlways, false},
    MetricColumn{"wall_time_s", "s", "time since the start of the run", kAlways, false},
    kStates,
    MetricColumn{"num_states", "states", "states that count below", kAlways, false},
    MetricColumn{"num_episodes", "episodes", "episodes that these states are from", kAlways, false},
    MetricColumn{"num_rollouts", "rollouts", "K, independent rollouts from every (s, a)", kAlways,
                 false},
    MetricColumn{"horizon", "steps", "H, steps after which a rollout is cut", kAlways, false},
    MetricColumn{"discount", "1", "agent.discount", kAlways, false},
    MetricColumn{"alpha", "return/nat", "temperature in the rewards' entropy terms", kAlways,
                 false},
    MetricColumn{"q_mean", "return", "mean over states of mean_j Q_j(s, a)", kAlways},
    MetricColumn{"q_min", "return", "mean over states of min_j Q_j(s, a)", kAlways},
    MetricColumn{"q_target", "return",
                 "mean over states of min_j Q'_j(s, a), the target networks' value", kAlways},
    MetricColumn{"soft_return", "return",
                 "mean over states of G_S = mean over the K rollouts of r_0 + sum_{0<k<H} "
                 "discount^k (r_k - alpha * log pi(a_k|s_k)): no entropy at k = 0",
                 kAlways},
    MetricColumn{"hard_return", "return",
                 "mean over states and rollouts of G = sum_{k<H} discount^k r_k", kAlways},
    MetricColumn{"entropy_return", "return", "soft_return - hard_return", kAlways},
    MetricColumn{"bias_reward", "reward/step",
                 "B_r = (1 - discount) * bias_mean, the primary measure: error of the value as "
                 "reward per step",
                 kAlways},
    MetricColumn{"bias_reward_low", "reward/step",
                 "lower end of the 95 % interval of bias_reward: percentile bootstrap over "
                 "episodes (all states of a drawn episode together)",
                 kSeveralEpisodes},
    MetricColumn{"bias_reward_high", "reward/step", "upper end", kSeveralEpisodes},
    MetricColumn{"bias_mean", "return", "mean over states of b = mean_j Q_j(s, a) - G_S", kAlways},
    MetricColumn{"bias_low", "return", "lower end of its 95 % interval, as above",
                 kSeveralEpisodes},
    MetricColumn{"bias_high", "return", "upper end", kSeveralEpisodes},
    MetricColumn{"bias_min", "return", "the same bias of min_j Q_j(s, a)", kAlways},
    MetricColumn{"bias_target", "return", "the same bias of min_j Q'_j(s, a)", kAlways},
    MetricColumn{"bias_normalised", "1", "bias_mean / max(|soft_return|, 10)", kAlways},
    MetricColumn{"bias_median", "return", "median over states of b", kAlways},
    MetricColumn{"bias_p05", "return", "5 % quantile over states of b (linear interpolation)",
                 kAlways},
    MetricColumn{"bias_p95", "return", "95 % quantile", kAlways},
    MetricColumn{"bias_std", "return",
                 "standard deviation over states of b (divided by num_states - 1); includes the "
                 "rollouts' noise",
                 "empty for one state"},
    MetricColumn{"bias_std_corrected", "return",
                 "spread of the bias itself: sqrt(max(0, bias_std^2 - mean over states of "
                 "s_G^2 / K)), s_G the standard deviation of a state's K returns (K - 1)",
                 kSeveralRollouts},
    MetricColumn{"bias_positive", "1", "share of the states with b > 0", kAlways},
    MetricColumn{"bias_positive_low", "1", "lower end of its 95 % interval, as above",
                 kSeveralEpisodes},
    MetricColumn{"bias_positive_high", "1", "upper end", kSeveralEpisodes},
    MetricColumn{"spearman", "1",
                 "rank correlation over states of mean_j Q_j(s, a) and G_S (ties: mean rank)",
                 "empty for fewer than three states or equal values"},
    MetricColumn{"redq_bias", "1",
                 "REDQ's measure (Chen et al., 2021): mean over states of (mean_j Q_j - G_.2) / "
                 "max(|G_.2|, 10), where G_.2 is G_S with .2 in alpha's place",
                 kAlways},
    MetricColumn{"crossq_bias", "return",
                 "CrossQ's measure (Bhatt et al., 2024): b with the entropy at k = 0 counted too, "
                 "mean over states of mean_j Q_j - (G_S - alpha * log pi(a_0|s_0))",
                 kOwnAction},
    MetricColumn{"droq_bias", "return",
                 "DroQ's measure (Hiraoka et al., 2022): mean over states of mean_j Q_j(s, m) - "
                 "hard return of the deterministic policy m = tanh(mean) from s",
                 "empty for buffer_action, or with deterministic_rollouts = false"},
    MetricColumn{"undiscounted_bias", "return",
                 "mean over states of mean_j Q_j(s, a) - sum_{k<H} r_k", kAlways},
    MetricColumn{"episode_bias", "return",
                 "mean over the episodes that the states are from of mean_j Q_j(s_0, a_0) - "
                 "undiscounted return of the episode up to the time limit: the usual plot",
                 kOnPolicy},
    MetricColumn{"episode_return", "return", "mean undiscounted return of those episodes",
                 kOnPolicy},
    MetricColumn{"episode_length", "steps", "their mean length", kOnPolicy},
    MetricColumn{"td_residual", "return",
                 "mean over states and rollouts of y - mean_j Q_j(s, a), y = r_0 + discount * "
                 "bootstrap * (min_j Q'_j(s_1, a_1) - alpha * log pi(a_1|s_1))",
                 "empty where the horizon is 1"},
    MetricColumn{"td_residual_rms", "return",
                 "root of the mean over states of (mean over the K rollouts of that residual)^2",
                 "empty where the horizon is 1"},
    MetricColumn{"plausible_high", "return",
                 "U = max(0, (max r + discount * alpha * action_dim * ln 2) / (1 - discount)), max "
                 "r over the valid transitions stored so far: no policy's entropy exceeds "
                 "action_dim * ln 2",
                 kAlways},
    MetricColumn{"plausible_low", "return",
                 "L = min(0, (min r - discount * alpha * max log pi) / (1 - discount)), max log pi "
                 "over the actions of this probe",
                 kAlways},
    MetricColumn{"implausible_share", "1",
                 "share of the states with mean_j Q_j(s, a) outside of [L, U]; an alarm, no proof: "
                 "alpha moves, and the buffer need not hold the extreme reward",
                 kAlways},
    MetricColumn{"rollout_length", "steps", "mean steps of a rollout", kAlways},
    MetricColumn{"cut_share", "1", "share of the rollouts that the horizon cut", kAlways},
    MetricColumn{"invalid_states", "states",
                 "states left out because the simulator failed in one of their rollouts", kAlways},
    MetricColumn{"seconds", "s", "wall time of the whole probe, all of its states together",
                 kAlways},
    MetricColumn{"time_share", "1", "time of all probes so far / wall time of the run so far",
                 "empty from anthill probe"}};

constexpr std::array kStateColumns = {
    kProbedAt,
    kStates,
    MetricColumn{"state", "index", "number of the state in this probe, from 0", kAlways},
    MetricColumn{"episode", "index",
                 "episode that the state is from: what the bootstrap draws; of a buffer state: "
                 "episode of the environment * num_envs + environment",
                 kAlways},
    MetricColumn{"step", "index", "control step of the state in its episode", kAlways},
    MetricColumn{"q_mean", "return", "mean_j Q_j(s, a)", kAlways},
    MetricColumn{"q_min", "return", "min_j Q_j(s, a)", kAlways},
    MetricColumn{"q_target", "return", "min_j Q'_j(s, a)", kAlways},
    MetricColumn{"soft_return", "return", "G_S, see overestimation.csv", kAlways},
    MetricColumn{"soft_return_std", "return", "s_G, over the K rollouts", kSeveralRollouts},
    MetricColumn{"hard_return", "return", "mean over the rollouts of G", kAlways},
    MetricColumn{"entropy_sum", "nat",
                 "mean over the rollouts of sum_{0<k<H} discount^k * -log pi(a_k|s_k)", kAlways},
    MetricColumn{"undiscounted_return", "return", "mean over the rollouts of sum_{k<H} r_k",
                 kAlways},
    MetricColumn{"log_prob", "nat", "log pi(a_0|s_0)", kOwnAction},
    MetricColumn{"q_deterministic", "return", "mean_j Q_j(s, m), m = tanh(mean)", "as droq_bias"},
    MetricColumn{"deterministic_return", "return",
                 "hard return of the deterministic policy from s, first action m", "as droq_bias"},
    MetricColumn{"td_residual", "return", "mean over the rollouts, as in overestimation.csv",
                 "empty where the horizon is 1"},
    MetricColumn{"rollout_length", "steps", "mean over the rollouts", kAlways},
    MetricColumn{"cut_share", "1", "share of the rollouts that the horizon cut", kAlways}};

constexpr std::string_view kSwapped = "empty where it is the checkpoint's own";

constexpr std::array kOriginColumns = {
    MetricColumn{"run", "name", "the run: its path below the folder that was named", kAlways,
                 false},
    MetricColumn{"checkpoint", "name", "the probed checkpoint of that run", kAlways, false},
    MetricColumn{"actor_from", "name", "run and checkpoint whose policy acts in its place",
                 kSwapped, false},
    MetricColumn{"critic_from", "name", "run and checkpoint whose critics and targets are judged",
                 kSwapped, false},
    MetricColumn{"alpha_from", "name", "run and checkpoint whose temperature weighs the entropy",
                 kSwapped, false}};

}  // namespace

const MetricTable& overestimation_metrics() {
  static constexpr MetricTable table = {
      "overestimation.csv", "overestimation",
      "One row for each kind of state of each probe (`overestimation.period`). With policy, "
      "temperature and critics frozen, K rollouts of the policy start from each (s, a) "
      "and run past the time limit, up to termination or the horizon. Rewards are in the critic's "
      "unit: times `agent.reward_scale`. TensorBoard's tags hold the kind: "
      "`overestimation/on_policy/bias_reward`.",
      kOverestimation};
  return table;
}

const MetricTable& overestimation_state_metrics() {
  static constexpr MetricTable table = {
      "overestimation_states.csv", "",
      "One row for each probed state that counts in overestimation.csv; no TensorBoard.",
      kStateColumns};
  return table;
}

const MetricTable& probe_origin_metrics() {
  static constexpr MetricTable table = {
      "anthill probe", "",
      "`anthill probe` writes overestimation.csv and overestimation_states.csv with these columns "
      "behind the others. `wall_time_s` is the run's when the checkpoint was saved.",
      kOriginColumns};
  return table;
}

}  // namespace anthill
