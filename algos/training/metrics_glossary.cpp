#include "algos/training/metrics_glossary.hpp"

#include <array>

namespace anthill {
namespace {

constexpr std::string_view kAlways = "always";
constexpr std::string_view kUpdates = "empty when the period had no update";
constexpr std::string_view kEnded = "empty when no episode ended in the period";
constexpr std::string_view kLatest =
    "copy of the latest row of train.csv; empty before it, or where it is empty";

constexpr MetricColumn kEnvSteps = {
    "env_steps", "transitions",
    "transitions so far: one environment, one control step each, summed over the environments",
    kAlways, false};
constexpr MetricColumn kGradientUpdates = {
    "gradient_updates", "updates", "updates so far; one update trains all networks on one batch",
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
    MetricColumn{
        "critic_loss", "return^2",
        "sum over the critics j of mean_B (Q_j(s, a) - y)^2, with "
        "y = r + discount * bootstrap * (min_j Q'_j(s', a') - alpha * log pi(a'|s')) in SAC; "
        "the others' y are in docs/algorithms.md",
        kUpdates},
    MetricColumn{
        "actor_loss", "return",
        "mean_B (alpha * log pi(a|s) - min_j Q_j(s, a)), a ~ pi, in SAC; -mean_B Q_1(s, mu(s)) "
        "in DDPG and TD3",
        kUpdates},
    MetricColumn{"alpha_loss", "return",
                 "-f * (mean_B log pi(a|s) + target_entropy), f = alpha or log(alpha) as "
                 "temperature.loss_form says",
                 kUpdates},
    MetricColumn{"alpha", "return/nat", "temperature that the update used", kUpdates},
    MetricColumn{"entropy", "nat", "-mean_B log pi(a|s), a ~ pi: estimate from one action a row",
                 kUpdates},
    MetricColumn{"target_entropy", "nat", "-temperature.target_entropy_scale * action_dim",
                 kUpdates},
    MetricColumn{"q_mean", "return", "mean of Q_j(s, a) over the batch and the critics", kUpdates},
    MetricColumn{"q_min", "return", "smallest Q_j(s, a) of the batch and the critics", kUpdates},
    MetricColumn{"q_max", "return", "largest Q_j(s, a) of the batch and the critics", kUpdates},
    MetricColumn{"q_gap", "return", "mean_B |Q_1(s, a) - Q_2(s, a)|", kUpdates},
    MetricColumn{"target_mean", "return", "mean_B y (y as in critic_loss)", kUpdates},
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
                 "mean episode_length of the episodes that ended in the period", kEnded}};

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

std::string term_column(const std::string& reward_term) { return "episode_" + reward_term; }

const MetricTable& train_metrics() {
  static constexpr MetricTable table = {
      "train.csv", "train",
      "One row each `log.period` env steps and one at the end. The *period* of a row is the time "
      "since the row before. Learner columns (`critic_loss` to "
      "`target_mean`) are means over the period's updates of a value taken once per update on its "
      "batch: `q_min`, for instance, is the mean of the batch minima, not the minimum of the "
      "period. All are taken before the update changes what they measure, except that the actor's "
      "and the temperature's use the critics just updated.",
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
      "critic j, Q'_j its\ntarget network; pi the policy; bootstrap = 1 - terminated; return = sum "
      "of rewards, in units of reward. An\nempty cell means that there is no such value; `nan` and "
      "`inf` mean that the value was one. TensorBoard\nholds the same values, as float32, against "
      "`env_steps`.\n";
  append_table(text, train_metrics());
  append_table(text, episode_metrics());
  append_table(text, evaluation_metrics());
  append_table(text, overestimation_metrics());
  append_table(text, overestimation_state_metrics());
  return text;
}

}  // namespace anthill
