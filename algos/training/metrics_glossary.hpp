/// Every column of train.csv, episodes.csv and eval.csv, defined once. The CSV headers and
/// docs/metrics.md are made from these tables.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace anthill {

struct MetricColumn {
  std::string_view name;        // CSV column and last part of the TensorBoard tag
  std::string_view unit;        // "1" for a pure number
  std::string_view definition;  // formula or meaning
  std::string_view written;     // when the cell is filled
  bool scalar = true;           // also a TensorBoard scalar
};

struct MetricTable {
  std::string_view file;    // "train.csv"
  std::string_view prefix;  // of the TensorBoard tags: "train" gives train/q_mean
  std::string_view row;     // when a row is written
  std::span<const MetricColumn> columns;
};

/// The three tables; static storage.
const MetricTable& train_metrics();
const MetricTable& episode_metrics();
const MetricTable& evaluation_metrics();

/// The text of docs/metrics.md.
std::string metrics_markdown();

}  // namespace anthill
