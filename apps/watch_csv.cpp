#include "apps/watch_csv.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

namespace anthill {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr std::size_t kMemory = 256;  // bytes before the offset that are compared

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  for (std::size_t begin = 0;;) {
    const std::size_t comma = std::min(line.find(',', begin), line.size());
    cells.push_back(line.substr(begin, comma - begin));
    if (comma == line.size()) return cells;
    begin = comma + 1;
  }
}

double number(std::string_view cell) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  const bool whole = error == std::errc() && end == cell.data() + cell.size();
  return whole ? value : std::numeric_limits<double>::quiet_NaN();
}

class File {
 public:
  explicit File(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

CsvTail::CsvTail(std::filesystem::path path, std::vector<std::string> columns, std::string key,
                 std::string word)
    : path_(std::move(path)), key_(std::move(key)), word_(std::move(word)) {
  for (std::string& name : columns) columns_.push_back({.name = std::move(name)});
}

void CsvTail::start_over() {
  for (Column& column : columns_) column = {.name = column.name};
  key_place_ = -1;
  num_cells_ = num_rows_ = num_lines_ = 0;
  offset_ = 0;
  last_bytes_.clear();
  trouble_.clear();
}

bool CsvTail::is_continued(int descriptor) const {
  std::string bytes(last_bytes_.size(), '\0');
  const auto begin = static_cast<off_t>(offset_ - static_cast<std::int64_t>(bytes.size()));
  return ::pread(descriptor, bytes.data(), bytes.size(), begin) ==
             static_cast<ssize_t>(bytes.size()) &&
         bytes == last_bytes_;
}

void CsvTail::poll() {
  const File file(path_);
  if (file.descriptor() < 0) {
    start_over();
    return;
  }
  if (!is_continued(file.descriptor())) start_over();
  std::string bytes;
  for (;;) {
    const std::size_t rest = bytes.size();
    bytes.resize(rest + kChunk);
    const auto at = static_cast<off_t>(offset_ + static_cast<std::int64_t>(rest));
    const ssize_t count = ::pread(file.descriptor(), bytes.data() + rest, kChunk, at);
    bytes.resize(rest + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    const std::size_t whole = bytes.rfind('\n') + 1;  // 0: no line end
    if (whole > 0) {
      take_lines(bytes.substr(0, whole));
      bytes.erase(0, whole);
    }
    if (count <= 0) return;
  }
}

void CsvTail::take_lines(const std::string& bytes) {
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t end = bytes.find('\n', begin);
    std::string_view line(bytes.data() + begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    take_line(line);
    begin = end + 1;
  }
  offset_ += static_cast<std::int64_t>(bytes.size());
  last_bytes_ += bytes.size() > kMemory ? bytes.substr(bytes.size() - kMemory) : bytes;
  if (last_bytes_.size() > kMemory) last_bytes_.erase(0, last_bytes_.size() - kMemory);
}

void CsvTail::take_header(const std::vector<std::string_view>& cells) {
  num_cells_ = cells.size();
  const auto place_of = [&](const std::string& name) {
    const auto found = std::ranges::find(cells, name);
    return found == cells.end() ? -1 : static_cast<std::int64_t>(found - cells.begin());
  };
  for (Column& column : columns_) column.place = place_of(column.name);
  if (!key_.empty()) key_place_ = place_of(key_);
}

void CsvTail::take_line(std::string_view line) {
  ++num_lines_;
  const std::vector<std::string_view> cells = cells_of(line);
  if (num_cells_ == 0) return take_header(cells);
  if (cells.size() != num_cells_) {
    trouble_ = path_.filename().string() + ": line " + std::to_string(num_lines_) + " has " +
               std::to_string(cells.size()) + " cells, the header " + std::to_string(num_cells_);
    return;
  }
  if (key_place_ >= 0 && cells[static_cast<std::size_t>(key_place_)] != word_) return;
  for (Column& column : columns_) {
    if (column.place < 0) continue;
    const std::string_view cell = cells[static_cast<std::size_t>(column.place)];
    column.values.push_back(number(cell));
    column.non_finite = column.non_finite || (!cell.empty() && !std::isfinite(number(cell)));
  }
  ++num_rows_;
}

const std::vector<double>& CsvTail::column(const std::string& name) const {
  for (const Column& column : columns_) {
    if (column.name == name) return column.values;
  }
  throw std::logic_error("CsvTail: no column '" + name + "' was asked for");
}

bool CsvTail::saw_non_finite(const std::string& name) const {
  for (const Column& column : columns_) {
    if (column.name == name) return column.non_finite;
  }
  throw std::logic_error("CsvTail: no column '" + name + "' was asked for");
}

}  // namespace anthill
