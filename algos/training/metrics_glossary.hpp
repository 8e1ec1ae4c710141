/// Every column of a run's CSV files, defined once. The CSV headers and
/// docs/metrics.md are made from these tables.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anthill {

struct MetricColumn {
  std::string_view name;        // CSV column and last part of the TensorBoard tag; a name that ends
                                // in kTermFamily stands for one column per reward term of the task
  std::string_view unit;        // "1" for a pure number
  std::string_view definition;  // formula or meaning
  std::string_view written;     // when the cell is filled
  bool scalar = true;           // also a TensorBoard scalar
};

struct MetricTable {
  std::string_view file;    // "train.csv"
  std::string_view prefix;  // of the TensorBoard tags: "train" gives train/q_mean; "": none
  std::string_view row;     // when a row is written
  std::span<const MetricColumn> columns;
};

inline constexpr std::string_view kAlways = "always";  // of `written`
inline constexpr std::string_view kTermFamily = "<term>";

/// A table with its families written out: `episode_<term>` becomes `episode_reward_forward` and so
/// on. Owns the names.
class TaskTable {
 public:
  TaskTable(const MetricTable& table, std::span<const std::string> reward_terms);
  TaskTable(const TaskTable&) = delete;
  TaskTable& operator=(const TaskTable&) = delete;

  const MetricTable& table() const { return table_; }

 private:
  std::deque<std::string> names_;  // does not move what it holds
  std::vector<MetricColumn> columns_;
  MetricTable table_;
};

/// A table with more columns behind its own. Owns the columns.
class ExtendedTable {
 public:
  ExtendedTable(const MetricTable& table, std::span<const MetricColumn> more);
  ExtendedTable(const ExtendedTable&) = delete;
  ExtendedTable& operator=(const ExtendedTable&) = delete;

  const MetricTable& table() const { return table_; }

 private:
  std::vector<MetricColumn> columns_;
  MetricTable table_;
};

/// The column of one reward term in episodes.csv, e.g. "episode_reward_forward".
std::string term_column(const std::string& reward_term);

/// The tables; static storage.
const MetricTable& train_metrics();
const MetricTable& episode_metrics();
const MetricTable& evaluation_metrics();
const MetricTable& overestimation_metrics();        // overestimation_glossary.cpp
const MetricTable& overestimation_state_metrics();  // overestimation_glossary.cpp

/// What `anthill probe` appends to the columns of both.
const MetricTable& probe_origin_metrics();  // overestimation_glossary.cpp

/// The text of docs/metrics.md.
std::string metrics_markdown();

}  // namespace anthill
