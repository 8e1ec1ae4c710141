#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

#include "apps/npz.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "\x93NUMPY";

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& problem) {
  throw ConfigError(path.string() + ": " + problem);
}

/// The text after `key`, e.g. "'shape':", in the header's dictionary, without leading spaces.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::size_t found = header.find(key);
  if (found == std::string_view::npos) return {};
  header.remove_prefix(found + key.size());
  const std::size_t start = header.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view{} : header.substr(start);
}

/// "(2, 3, 8)" as numbers; nothing when malformed.
std::optional<std::vector<std::int64_t>> parse_shape(std::string_view text) {
  std::vector<std::int64_t> shape;
  if (text.empty() || text[0] != '(') return {};
  std::int64_t number = -1;  // -1: no digit yet
  for (const char c : text.substr(1)) {
    if (c >= '0' && c <= '9') {
      number = (number < 0 ? 0 : number) * 10 + (c - '0');
      if (number > (std::int64_t{1} << 48)) return {};
    } else if (c == ',' || c == ')') {
      if (number >= 0) shape.push_back(number);
      if (c == ')') return shape;
      number = -1;
    } else if (c != ' ') {
      return {};
    }
  }
  return {};
}

/// Reads the header's dictionary and leaves the stream at the first value.
std::string read_header(std::ifstream& stream, const std::filesystem::path& path) {
  char start[8] = {};
  stream.read(start, sizeof(start));
  if (!stream || std::string_view(start, kMagic.size()) != kMagic) {
    fail(path, "not a .npy file; write it with numpy.save");
  }
  const std::uint8_t version = static_cast<std::uint8_t>(start[6]);
  if (version < 1 || version > 3) {
    fail(path, ".npy format version " + std::to_string(version) + "; only 1 to 3 are known");
  }
  std::uint32_t length = 0;
  stream.read(reinterpret_cast<char*>(&length), version == 1 ? 2 : 4);
  if (!stream || length > (1u << 20)) fail(path, "the .npy header is damaged; write it again");
  std::string header(length, '\0');
  stream.read(header.data(), length);
  if (!stream) fail(path, "truncated inside the .npy header; write it again");
  return header;
}

template <typename T>
bool read_values(std::ifstream& stream, std::vector<float>& values) {
  bool rounded = false;
  std::vector<T> chunk(std::min<std::size_t>(values.size(), 1 << 16));
  for (std::size_t done = 0; done < values.size();) {
    const std::size_t count = std::min(chunk.size(), values.size() - done);
    stream.read(reinterpret_cast<char*>(chunk.data()),
                static_cast<std::streamsize>(count * sizeof(T)));
    for (std::size_t i = 0; i < count; ++i) {
      values[done + i] = static_cast<float>(chunk[i]);
      rounded = rounded || (static_cast<T>(values[done + i]) != chunk[i] && !std::isnan(chunk[i]));
    }
    done += count;
  }
  return rounded;
}

}  // namespace

NpyArray read_npy(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) fail(path, "no such file");
  if (!std::filesystem::is_regular_file(status)) fail(path, "not a file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail(path, std::string("cannot be read: ") + std::strerror(errno));

  const std::string header = read_header(stream, path);
  const std::string_view descr = value_of(header, "'descr':");
  const std::string_view dtype = descr.substr(0, 5);
  if (dtype != "'<f4'" && dtype != "'<f8'") {
    std::string found(descr.substr(0, std::min<std::size_t>(descr.find(','), 40)));
    for (char& c : found) c = c >= ' ' && c <= '~' ? c : '?';  // whatever is there, in one line
    fail(path, "dtype " + found + "; save it as float32 or float64 (array.astype(numpy.float32))");
  }
  if (!value_of(header, "'fortran_order':").starts_with("False")) {
    fail(path, "in Fortran order; save numpy.ascontiguousarray(array)");
  }
  const auto shape = parse_shape(value_of(header, "'shape':"));
  if (!shape) fail(path, "the .npy header has no shape; write it again");

  // the header's size must be the file's before memory is taken
  const std::size_t item_size = dtype == "'<f4'" ? 4 : 8;
  const std::uintmax_t available =
      std::filesystem::file_size(path) - static_cast<std::uintmax_t>(stream.tellg());
  unsigned __int128 expected = item_size;
  for (const std::int64_t dim : *shape) {
    expected *= static_cast<std::uint64_t>(dim);
    if (expected > available) break;
  }
  if (expected != available) {
    fail(path, "truncated or damaged: " + std::to_string(available) +
                   " bytes of values, not what its header says; write it again");
  }
  NpyArray array{*shape, std::vector<float>(available / item_size)};
  array.rounded = item_size == 4 ? read_values<float>(stream, array.values)
                                 : read_values<double>(stream, array.values);
  if (!stream) fail(path, "reading failed; check the disk");
  return array;
}

}  // namespace anthill
