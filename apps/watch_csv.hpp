/// A CSV file of a run folder that grows while it is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace anthill {

/// Reads what is new at every poll(), whole lines only: one that is still being written waits. A
/// file that was replaced, or cut by a resume, is read anew. Not thread-safe.
class CsvTail {
 public:
  /// Keeps `columns`; with `key`, only rows whose cell in that column is `word`.
  CsvTail(std::filesystem::path path, std::vector<std::string> columns, std::string key = "",
          std::string word = "");

  /// Reads on. A file that is not there, or has no header yet, has no rows.
  void poll();

  std::size_t num_rows() const { return num_rows_; }

  /// All values of a column, NaN where a cell is empty or no number; empty when the file has no
  /// such column.
  const std::vector<double>& column(const std::string& name) const;

  /// Whether any cell of the column said nan or inf, which is something else than an empty one.
  bool saw_non_finite(const std::string& name) const;

  /// What is wrong with the file, e.g. "train.csv: line 7 has 3 cells, the header 20"; "" when
  /// nothing is.
  const std::string& trouble() const { return trouble_; }

 private:
  struct Column {
    std::string name = {};
    std::int64_t place = -1;  // in the file; -1: not there
    std::vector<double> values = {};
    bool non_finite = false;
  };

  void start_over();
  bool is_continued(int descriptor) const;
  void take_lines(const std::string& bytes);
  void take_line(std::string_view line);
  void take_header(const std::vector<std::string_view>& cells);

  std::filesystem::path path_;
  std::vector<Column> columns_;
  std::string key_, word_;
  std::int64_t key_place_ = -1;
  std::size_t num_cells_ = 0;  // of the header; 0: not read yet
  std::size_t num_rows_ = 0, num_lines_ = 0;
  std::int64_t offset_ = 0;  // end of the last whole line
  std::string last_bytes_;   // before the offset: what must still be there
  std::string trouble_;
};

}  // namespace anthill
