#include "algos/training/metrics_glossary.hpp"

#include <array>

namespace anthill {
namespace {

constexpr std::string_view kCriticUpdates = "empty when the period had no update of the critics";
constexpr std::string_view kTwoCritics =
    "SAC, TD3; empty when the period had no update of the critics";
constexpr std::string_view kPolicyUpdates =
    "not DQN; empty when the period had no update of the policy";
constexpr std::string_view kTemperature = "SAC; empty when the period had no update";
constexpr std::string_view kPolicySamples =
    "SAC; empty when the period had no update of the policy";
constexpr std::string_view kDiagnosed = "SAC; empty when the period had no update";
constexpr std::string_view kHeldOut =
    "SAC with buffer.held_out_share > 0, once an episode is held out; empty when the period had no "
    "update";
constexpr std::string_view kEnded = "empty when no episode ended in the period";
constexpr std::string_view kLatest =
    "copy of the latest row of train.csv; empty before it, or where it is empty";

constexpr MetricColumn kEnvSteps = {
    "env_steps", "transitions",
    "transitions so far: one environment, one control step each, summed over the environments",
    kAlways, false};
constexpr MetricColumn kGradientUpdates = {
    "gradient_updates", "updates",
    "updates so far, each on one batch of its own; which networks one trains: agent.policy_delay, "
    "agent.target_period, agent.critic_updates",
    kAlways};
constexpr MetricColumn kWallTime = {"wall_time_s", "s", "time since the start of the run", kAlways};

constexpr std::array kTrain = {
    kEnvSteps,
    kGradientUpdates,
    MetricColumn{"episodes", "episodes", "training episodes ended so far", kAlways},
    kWallTime,
    MetricColumn{"env_steps_per_s", "transitions/s",
                 "transitions of the period / its wall time (evaluation included)", kAlways},
    MetricColumn{"updates_per_s", "updates/s", "updates of the period / its wall time", kAlways},
    MetricColumn{"replay_ratio", "updates/transition",
                 "achieved so far: gradient_updates / max(1, env_steps - learning_starts)",
                 kAlways},
    MetricColumn{"samples_per_transition", "samples/transition",
                 "gradient_updates * training.batch_size / env_steps: how often a transition was "
                 "replayed, on average",
                 kAlways},
    MetricColumn{
        "critic_loss", "return^2",
        "sum over the critics j of mean_B (Q_j(s, a) - y)^2, with "
        "y = reward_scale * r + discount * bootstrap * (min_j Q'_j(s', a') - alpha * log "
        "pi(a'|s')) in SAC (or what critic.target_aggregation puts in place of min_j); the "
        "others' y are in docs/algorithms.md",
        kCriticUpdates},
    MetricColumn{
        "actor_loss", "return",
        "mean_B (alpha * log pi(a|s) - min_j Q_j(s, a)), a ~ pi, in SAC (agent.policy_value: the "
        "first or the mean instead of the minimum); -mean_B Q_1(s, mu(s)) in DDPG and TD3",
        kPolicyUpdates},
    MetricColumn{"alpha_loss", "return",
                 "-f * (mean_B log pi(a|s) + target_entropy), f = alpha or log(alpha) as "
                 "temperature.loss_form says; 0 with temperature.automatic = false",
                 kPolicySamples},
    MetricColumn{"alpha", "return/nat", "temperature that the update used", kTemperature},
    MetricColumn{"entropy", "nat", "-mean_B log pi(a|s), a ~ pi: estimate from one action a row",
                 kPolicySamples},
    MetricColumn{"target_entropy", "nat", "-temperature.target_entropy_scale * action_dim",
                 kTemperature},
    MetricColumn{"q_mean", "return", "mean of Q_j(s, a) over the batch and the critics",
                 kCriticUpdates},
    MetricColumn{"q_min", "return", "smallest Q_j(s, a) of the batch and the critics",
                 kCriticUpdates},
    MetricColumn{"q_max", "return", "largest Q_j(s, a) of the batch and the critics",
                 kCriticUpdates},
    MetricColumn{"q_gap", "return", "mean_B (max_j Q_j(s, a) - min_j Q_j(s, a))", kTwoCritics},
    MetricColumn{"target_mean", "return", "mean_B y (y as in critic_loss)", kCriticUpdates},
    MetricColumn{"reward_mean", "reward",
                 "mean reward of the transitions that the environments made in the period",
                 kAlways},
    MetricColumn{"sim_warnings", "transitions",
                 "transitions so far that a simulator warning or a number that is not finite made "
                 "invalid; each ends its episode and is not used for learning",
                 kAlways},
    MetricColumn{"memory_mib", "MiB", "resident memory of the process at the end of the period",
                 kAlways},
    MetricColumn{"train_return", "return",
                 "mean episode_return of the episodes that ended in the period", kEnded},
    MetricColumn{"train_length", "steps",
                 "mean episode_length of the episodes that ended in the period", kEnded},
    MetricColumn{"actor_gradient_norm", "1",
                 "Euclidean norm of d actor_loss / d (all parameters of the actor), before "
                 "actor.max_gradient_norm",
                 kDiagnosed},
    MetricColumn{"critic_gradient_norm", "1",
                 "the same of critic_loss and the parameters of all critics together", kDiagnosed},
    MetricColumn{"actor_parameter_norm", "1", "Euclidean norm of all parameters of the actor",
                 kDiagnosed},
    MetricColumn{"critic_parameter_norm", "1", "the same of all critics together", kDiagnosed},
    MetricColumn{"actor_update_ratio", "1",
                 "norm of what the latest update added to the actor's parameters / "
                 "actor_parameter_norm: the effective learning rate",
                 kDiagnosed},
    MetricColumn{"critic_update_ratio", "1", "the same of the critics", kDiagnosed},
    MetricColumn{"critic_dormant_025", "1",
                 "share of the units of the critics' last hidden layer with mean_B |h| <= .025 * "
                 "(mean of that over the layer's units): ReDo's dormant units (Sokar et al., 2023)",
                 kDiagnosed},
    MetricColumn{"critic_dormant_100", "1", "the same with .1", kDiagnosed},
    MetricColumn{"critic_effective_rank", "1",
                 "exp(-sum_i p_i ln p_i), p_i = sigma_i / sum sigma, sigma the singular values of "
                 "the last hidden layer's output on the batch (Roy & Vetterli, 2007); mean over "
                 "the critics; nan where an output is not finite",
                 kDiagnosed},
    MetricColumn{"policy_log_std", "1",
                 "mean over batch and action elements of log_std(s), the Gaussian's before tanh",
                 kDiagnosed},
    MetricColumn{"policy_u_abs", "1",
                 "mean over batch and action elements of |u|, a = tanh(u) ~ pi", kDiagnosed},
    MetricColumn{"policy_saturated", "1",
                 "share of batch and action elements with |a| > .99, a ~ pi", kDiagnosed},
    MetricColumn{"action_gradient_norm", "return",
                 "mean_B |d min_j Q_j(s, a) / d a|, a ~ pi (Euclidean)", kDiagnosed},
    MetricColumn{"implausible_share", "1",
                 "share of the batch's Q_j(s, a) outside of [L, U] as in overestimation.csv, with "
                 "max log pi over the batch; an alarm, no proof",
                 kDiagnosed},
    MetricColumn{"held_out_critic_loss", "return^2",
                 "critic_loss of a batch of held-out transitions, by the networks as they are and "
                 "with the latest update's noise",
                 kHeldOut},
    MetricColumn{"held_out_ratio", "1",
                 "held_out_critic_loss / the same of the rows that the latest update drew: above 1 "
                 "where the critics fit what they have replayed better than what they have not",
                 kHeldOut}};

constexpr std::array kEpisodes = {
    kEnvSteps,
    MetricColumn{"env", "index", "environment, from 0", kAlways, false},
    MetricColumn{"episode", "index", "number of the episode in that environment, from 0", kAlways,
                 false},
    MetricColumn{"episode_return", "return", "undiscounted sum of the episode's rewards", kAlways},
    MetricColumn{"episode_length", "steps", "control steps of the episode", kAlways},
    MetricColumn{"terminated", "0 or 1", "the task ended it (no bootstrapping)", kAlways, false},
    MetricColumn{"truncated", "0 or 1", "the time limit ended it (may come with terminated)",
                 kAlways, false},
    MetricColumn{"invalid", "0 or 1",
                 "a simulator warning or a number that is not finite ended it; its last transition "
                 "is not used for learning",
                 kAlways, false},
    MetricColumn{"q_mean", "return", "as in train.csv", kLatest, false},
    MetricColumn{"alpha", "return/nat", "as in train.csv", kLatest, false},
    MetricColumn{"entropy", "nat", "as in train.csv", kLatest, false},
    MetricColumn{"critic_loss", "return^2", "as in train.csv", kLatest, false},
    MetricColumn{"actor_loss", "return", "as in train.csv", kLatest, false},
    kWallTime,
    MetricColumn{
        "episode_<term>", "reward",
        "undiscounted sum over the episode's valid steps of each term of the task's reward "
        "(named in the comment above its step function in sim/): one column per term, "
        "`episode_reward_forward` for Ant's `reward_forward`; they add up to "
        "episode_return up to rounding",
        kAlways}};

constexpr std::array kEvaluation = {
    kEnvSteps,
    kGradientUpdates,
    kWallTime,
    MetricColumn{"num_episodes", "episodes", "episodes of this evaluation", kAlways},
    MetricColumn{"return_mean", "return", "mean undiscounted return of the episodes", kAlways},
    MetricColumn{"return_std", "return",
                 "standard deviation over the episodes, divided by num_episodes (not minus 1)",
                 kAlways},
    MetricColumn{"return_min", "return", "smallest return", kAlways},
    MetricColumn{"return_max", "return", "largest return", kAlways},
    MetricColumn{"length_mean", "steps", "mean episode length", kAlways},
    MetricColumn{"invalid_episodes", "episodes",
                 "episodes that a simulator warning ended; their returns count as they are",
                 kAlways},
    MetricColumn{"deterministic", "0 or 1", "1: tanh of the policy's mean; 0: actions are sampled",
                 kAlways, false},
    MetricColumn{"seconds", "s", "wall time of this evaluation", kAlways}};

void append_table(std::string& text, const MetricTable& table) {
  text += "\n## " + std::string(table.file) + "\n\n" + std::string(table.row) +
          "\n\n| column | unit | meaning | filled | TensorBoard |\n|---|---|---|---|---|\n";
  for (const MetricColumn& column : table.columns) {
    std::string definition;
    for (const char letter : column.definition) {
      if (letter == '|') definition += '\\';  // a bar would end the cell
      definition += letter;
    }
    text += "| `" + std::string(column.name) + "` | " + std::string(column.unit) + " | " +
            definition + " | " + std::string(column.written) + " | ";
    if (column.scalar && !table.prefix.empty()) {
      text += '`' + std::string(table.prefix) + '/' + std::string(column.name) + '`';
    }
    text += " |\n";
  }
}

}  // namespace

TaskTable::TaskTable(const MetricTable& table, std::span<const std::string> reward_terms)
    : table_(table) {
  for (const MetricColumn& column : table.columns) {
    if (!column.name.ends_with(kTermFamily)) {
      columns_.push_back(column);
      continue;
    }
    for (const std::string& term : reward_terms) {
      columns_.push_back(column);
      columns_.back().name = names_.emplace_back(term_column(term));
    }
  }
  table_.columns = columns_;
}

ExtendedTable::ExtendedTable(const MetricTable& table, std::span<const MetricColumn> more)
    : columns_(table.columns.begin(), table.columns.end()), table_(table) {
  columns_.insert(columns_.end(), more.begin(), more.end());
  table_.columns = columns_;
}

std::string term_column(const std::string& reward_term) { return "episode_" + reward_term; }

const MetricTable& train_metrics() {
  static constexpr MetricTable table = {
      "train.csv", "train",
      "One row each `log.period` env steps and one at the end. The *period* of a row is the time "
      "since the row before. Learner columns (`critic_loss` to "
      "`target_mean`) are means over the period's updates of a value taken once per update on its "
      "batch: `q_min`, for instance, is the mean of the batch minima, not the minimum of the "
      "period. All are taken before the update changes what they measure, except that the actor's "
      "and the temperature's use the critics just updated. The columns from `actor_gradient_norm` "
      "on are taken once per row, of the networks as they are then, on a batch with the draw "
      "number "
      "and the noise of the latest update.",
      kTrain};
  return table;
}

const MetricTable& episode_metrics() {
  static constexpr MetricTable table = {
      "episodes.csv", "episode",
      "One row for each training episode that ends. Actions are sampled from the policy (uniform "
      "during `training.random_steps`). With many environments and few steps the episodes that end "
      "early are over-represented: compare runs by `eval.csv`.",
      kEpisodes};
  return table;
}

const MetricTable& evaluation_metrics() {
  static constexpr MetricTable table = {"eval.csv", "eval",
                                        "One row for each evaluation, every `evaluation.period` "
                                        "env steps, on environments and random "
                                        "numbers of its own.",
                                        kEvaluation};
  return table;
}

std::string metrics_markdown() {
  std::string text =
      "# Metrics\n\n"
      "Every column of the CSV files in a run folder. This page is generated from\n"
      "`algos/training/metrics_glossary.cpp`, which also gives the files their headers: edit "
      "there, "
      "then run\n`ANTHILL_WRITE_DOCS=1 build/cpu/tests/test_algos_metrics_glossary`.\n\n"
      "Notation: (s, a, r, s') a transition of the replay buffer; mean_B a mean over a batch; Q_j "
      "critic j, Q'_j its\ntarget network; pi the policy; bootstrap = 1 - terminated, "
      "times\ndiscount^(n - 1) where r sums n discounted rewards (agent.n_step); return = sum "
      "of rewards, in units of reward. An empty cell means that there is no such value; `nan` and "
      "`inf` mean\nthat the value was one. TensorBoard holds the same values, as float32, against "
      "`env_steps`.\n";
  append_table(text, train_metrics());
  append_table(text, episode_metrics());
  append_table(text, evaluation_metrics());
  append_table(text, overestimation_metrics());
  append_table(text, overestimation_state_metrics());
  append_table(text, probe_origin_metrics());
  return text;
}

}  // namespace anthill
