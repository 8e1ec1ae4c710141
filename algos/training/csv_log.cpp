#include "algos/training/csv_log.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace anthill {

static std::string header_line(const MetricTable& table) {
  std::string line;
  for (const MetricColumn& column : table.columns) {
    if (!line.empty()) line += ',';
    line += column.name;
  }
  return line + '\n';
}

std::string csv_number(double value) {
  if (std::isnan(value)) return "nan";
  std::array<char, 32> text;
  // every whole number below 2^53 is exact, and its shortest form could be 1e+06
  const bool whole = value == std::trunc(value) && std::abs(value) < 9007199254740992.0;
  const auto result = whole ? std::to_chars(text.data(), text.data() + text.size(),
                                            static_cast<std::int64_t>(value))
                            : std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

CsvLog::CsvLog(std::filesystem::path path, const MetricTable& table)
    : file_(std::move(path)), table_(table) {
  const std::string header = header_line(table);
  if (file_.size() == 0) {
    file_.append(header);
  } else if (!read_file(file_.path()).starts_with(header)) {
    throw std::runtime_error("cannot continue '" + file_.path().string() +
                             "': its columns are not this version's; use another run folder");
  }
}

CsvLog::~CsvLog() {
  try {
    flush();
  } catch (const std::exception&) {
    // reported by the last explicit flush(), or the process is ending anyway
  }
}

void CsvLog::append(const MetricRow& row) {
  std::string line;
  std::size_t used = 0;
  for (const MetricColumn& column : table_.columns) {
    if (column.name != table_.columns.front().name) line += ',';
    std::size_t found = 0;
    for (const auto& [name, value] : row) {
      if (name != column.name) continue;
      if (++found > 1) break;
      line += value.word.empty() ? csv_number(value.number) : std::string(value.word);
    }
    if (found > 1) {
      throw std::logic_error(std::string(table_.file) + ": column '" + std::string(column.name) +
                             "' is given twice in one row");
    }
    used += found;
  }
  if (used == row.size()) {
    pending_ += line + '\n';
    return;
  }
  for (const auto& [name, value] : row) {
    bool known = false;
    for (const MetricColumn& column : table_.columns) known = known || column.name == name;
    if (known) continue;
    throw std::logic_error(std::string(table_.file) + ": no column '" + std::string(name) +
                           "'; add it to algos/training/metrics_glossary.cpp");
  }
}

void CsvLog::flush() {
  if (pending_.empty()) return;
  file_.append(pending_);
  pending_.clear();
}

std::int64_t CsvLog::offset() {
  flush();
  return file_.size();
}

void CsvLog::truncate(std::int64_t offset) {
  pending_.clear();
  const auto header_size = static_cast<std::int64_t>(header_line(table_).size());
  const std::string text = read_file(file_.path());
  if (offset < header_size || offset > file_.size() ||
      text[static_cast<std::size_t>(offset) - 1] != '\n') {
    throw std::runtime_error("cannot cut '" + file_.path().string() + "' at byte " +
                             std::to_string(offset) +
                             ": no row ends there; the file is not the one that was logged");
  }
  file_.truncate(offset);
}

}  // namespace anthill
