/// A CSV file with fixed columns that grows row by row.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "algos/training/file_io.hpp"
#include "algos/training/metrics_glossary.hpp"

namespace anthill {

/// A number, or a word (no comma, quote or line end) that outlives the row.
struct Cell {
  double number = 0.0;
  std::string_view word = {};

  template <class Number>
  requires std::is_arithmetic_v<Number> Cell(Number value)
      : number(static_cast<double>(value)) {}  // NOLINT: a number is a cell
  Cell(const char* text) : word(text) {}       // NOLINT
  Cell(std::string_view text) : word(text) {}  // NOLINT: and so is a word
};

/// Values by column name, in any order: {{"env_steps", 1000}, {"q_mean", 3.2}}.
using MetricRow = std::vector<std::pair<std::string_view, Cell>>;

/// One owner thread. Rows are collected in memory and written whole by flush(); a failed write
/// leaves the file as it was before, ending in a whole row. The destructor flushes what is left and
/// ignores errors: call flush() to learn of them.
class CsvLog {
 public:
  /// Creates the file with its header, or continues an existing one at its end. Throws
  /// std::runtime_error with the path when it cannot be written or has another header.
  CsvLog(std::filesystem::path path, const MetricTable& table);
  ~CsvLog();
  CsvLog(const CsvLog&) = delete;
  CsvLog& operator=(const CsvLog&) = delete;

  /// Adds one row; columns that are not named stay empty. Numbers are written in the fewest digits
  /// that read back to the same double, whole numbers without a decimal point, nan and inf as such.
  /// Throws std::logic_error on a name that is no column or comes twice.
  void append(const MetricRow& row);

  /// Writes the collected rows. Throws std::runtime_error (disk full, ...); the rows are kept for
  /// another try.
  void flush();

  /// Bytes in the file after flush(): always the end of a row.
  std::int64_t offset();

  /// Forgets every row after `offset`, a value that offset() returned. Throws std::runtime_error.
  void truncate(std::int64_t offset);

 private:
  AppendFile file_;
  const MetricTable& table_;
  std::string pending_;  // rows that are not in the file yet
};

/// One cell, as append() writes it.
std::string csv_number(double value);

}  // namespace anthill
