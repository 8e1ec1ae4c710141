// Results that are rows: as a table on the terminal, and as CSV.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "algos/training/csv_log.hpp"
#include "apps/bench_parts.hpp"

namespace anthill {

void print_rows(const nlohmann::ordered_json& rows) {
  const auto text_of = [](const nlohmann::ordered_json& value) -> std::string {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_null()) return "-";
    if (!value.is_number_float()) return value.dump();
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value.get<double>());
    return text;
  };
  std::vector<std::string> lines(rows.size() + 1);
  for (const auto& [column, unused] : rows.front().items()) {
    std::vector<std::string> cells = {column};
    for (const auto& row : rows) cells.push_back(text_of(row[column]));
    std::size_t width = 0;
    for (const std::string& cell : cells) width = std::max(width, cell.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      lines[i] +=
          (lines[i].empty() ? "" : "  ") + std::string(width - cells[i].size(), ' ') + cells[i];
    }
  }
  std::puts("");
  for (const std::string& line : lines) std::puts(line.c_str());
}

bool write_rows_csv(const nlohmann::ordered_json& rows, std::ofstream& file) {
  std::string separator;
  for (const auto& [column, value] : rows.front().items()) {
    file << std::exchange(separator, ",") << column;
  }
  file << '\n';
  for (const auto& row : rows) {
    separator.clear();
    for (const auto& value : row) {
      file << std::exchange(separator, ",");
      if (value.is_string()) file << value.get<std::string>();
      if (value.is_boolean()) file << (value.get<bool>() ? 1 : 0);
      if (value.is_number()) file << csv_number(value.get<double>());
    }
    file << '\n';
  }
  file.close();
  return !file.fail();
}

}  // namespace anthill
