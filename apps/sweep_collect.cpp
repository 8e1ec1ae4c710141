#include "apps/sweep_collect.hpp"

#include <algorithm>
#include <ostream>
#include <stdexcept>
#include <vector>

#include "algos/training/file_io.hpp"
#include "apps/command_line.hpp"
#include "apps/sweep_status.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

struct Table {
  const FrozenPoint* point = nullptr;
  RunReport report;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ',') {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

/// The whole lines of a run's own CSV file (anthill writes no quoted cells).
void read_rows(const fs::path& path, Table& table) {
  const std::string text = read_file(path);
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) return;  // still being written
    std::vector<std::string> cells = cells_of(text.substr(begin, end - begin));
    begin = end + 1;
    if (++number == 1) {
      table.columns = std::move(cells);
    } else if (cells.size() != table.columns.size()) {
      throw std::runtime_error(std::string("'") + path.string() + "': line " +
                               std::to_string(number) + " has " + std::to_string(cells.size()) +
                               " cells, the header " + std::to_string(table.columns.size()) +
                               "; is the file damaged?");
    } else {
      table.rows.push_back(std::move(cells));
    }
  }
}

/// As a CSV cell; texts lose their TOML quotes.
std::string cell(std::string text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::vector<Table> read_tables(const SweepFolder& folder, const std::string& name, int& damaged) {
  std::vector<Table> tables;
  for (const FrozenPoint& point : folder.points()) {
    for (const std::int64_t seed : folder.seeds()) {
      const SweepRun run{point.folder, seed, point.total_env_steps};
      const fs::path file = folder.run_folder(run) / (name + ".csv");
      std::error_code error;
      if (!fs::is_regular_file(file, error)) continue;
      Table table{&point, report_run(folder, run), {}, {}};
      try {
        read_rows(file, table);
      } catch (const std::runtime_error& problem) {
        ++damaged;
        print_message(run.name() + " is left out: " + problem.what());
        continue;
      }
      if (!table.columns.empty()) tables.push_back(std::move(table));
    }
  }
  return tables;
}

void write_rows(const SweepFolder& folder, const Table& table,
                const std::vector<std::string>& columns, std::ostream& out) {
  std::string head = table.point->id + "," + std::to_string(table.report.run.seed) + "," +
                     progress_name(table.report.progress);
  for (const std::string& key : folder.keys()) {
    const auto value = table.point->values.find(key);
    head += ',';
    if (value != table.point->values.end()) head += cell(value->second);
  }
  for (const std::vector<std::string>& row : table.rows) {
    out << head;
    for (const std::string& column : columns) {
      const auto at = std::ranges::find(table.columns, column);
      out << ',';
      if (at != table.columns.end())
        out << row[static_cast<std::size_t>(at - table.columns.begin())];
    }
    out << '\n';
  }
}

}  // namespace

CollectedRuns collect_table(const SweepFolder& folder, const std::string& table,
                            std::ostream& out) {
  const std::vector<std::string> known = {"train", "episodes", "eval", "overestimation",
                                          "overestimation_states"};
  if (std::ranges::count(known, table) == 0) {
    throw ConfigError("--table " + table +
                      ": choose train, episodes, eval, overestimation or overestimation_states");
  }
  int damaged = 0;
  const std::vector<Table> tables = read_tables(folder, table, damaged);
  std::vector<std::string> columns;
  for (const Table& one : tables) {
    for (const std::string& column : one.columns) {
      if (std::ranges::count(columns, column) == 0) columns.push_back(column);
    }
  }
  out << "point,seed,progress";
  for (const std::string& key : folder.keys()) out << ',' << key;
  for (const std::string& column : columns) out << ',' << column;
  out << '\n';
  for (const Table& one : tables) write_rows(folder, one, columns, out);
  return {static_cast<int>(tables.size()), damaged};
}

}  // namespace anthill
