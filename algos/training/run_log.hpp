/// What a run records about its training: CSV files and, if wanted, TensorBoard events.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "algos/checkpoint/state.hpp"
#include "algos/training/csv_log.hpp"
#include "algos/training/tensorboard_events.hpp"

namespace anthill {

/// One owner thread. Column names and meanings are those of metrics_glossary.hpp; every row needs
/// "env_steps", the step of its TensorBoard scalars (train/*, episode/*, eval/*). Errors:
/// std::logic_error for a wrong column, std::runtime_error for a failed write.
class RunLog {
 public:
  /// Opens train.csv, episodes.csv and eval.csv in an existing folder; continues existing files.
  /// episodes.csv gets a column for each of the task's `reward_terms` (EnvSpec).
  /// `resumed`: what save() wrote; the files are cut off behind what they held then. Throws
  /// ConfigError when they hold less.
  RunLog(const std::filesystem::path& folder, bool tensorboard,
         std::span<const std::string> reward_terms = {}, const StateReader* resumed = nullptr);

  /// Where the files end (after a flush), and what the next rows take from earlier ones.
  void save(StateWriter state);

  /// All files of the log.
  std::vector<std::filesystem::path> paths() const;

  /// A row of train.csv; everything recorded so far is then on disk.
  void train(const MetricRow& row);

  /// A row of episodes.csv, on disk with the next train(), evaluation() or flush(). The learner's
  /// columns (q_mean, alpha, entropy, critic_loss, actor_loss) are filled in from the latest row of
  /// train.csv.
  void episode(const MetricRow& row);

  /// A row of eval.csv; everything recorded so far is then on disk.
  void evaluation(const MetricRow& row);

  /// A row of overestimation.csv and the rows of its states. The files are made by the first call.
  /// `row` names its kind of "states", which is part of the TensorBoard tags
  /// (overestimation/on_policy/*). Everything recorded so far is then on disk.
  void overestimation(const MetricRow& row, std::span<const MetricRow> states);

  void flush();

 private:
  void resume(const StateReader& state);
  void resume_overestimation(const StateReader& state);
  void open_overestimation();
  void record(CsvLog& csv, const MetricTable& table, const MetricRow& row);

  std::filesystem::path folder_;
  TaskTable episode_table_;
  CsvLog train_;
  CsvLog episodes_;
  CsvLog evaluations_;
  std::optional<CsvLog> overestimation_, overestimation_states_;
  std::optional<EventWriter> events_;
  MetricRow learner_;  // the learner's columns of the latest train row
};

}  // namespace anthill
