#include "sim/state_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "sim/vector_env.hpp"

namespace anthill {
namespace {

// the bytes are this machine's
static_assert(std::endian::native == std::endian::little && sizeof(double) == 8);

constexpr const char* kMagic = "anthill state rows";
constexpr std::size_t kMaxLineBytes = 4096;

std::uint64_t checksum(std::span<const double> rows) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const double value : rows) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001b3ull;
    hash ^= hash >> 32;
  }
  return hash;
}

/// "rows 5 of 64 doubles, checksum 0123..."
std::string size_line(std::span<const double> rows, std::size_t row_size) {
  char text[128];
  std::snprintf(text, sizeof text, "rows %zu of %zu doubles, checksum %016llx",
                rows.size() / row_size, row_size, static_cast<unsigned long long>(checksum(rows)));
  return text;
}

[[noreturn]] void fail_to_write(const std::string& path) {
  throw std::runtime_error("state rows '" + path + "': cannot be written: " + std::strerror(errno));
}

void write_all(int file, const void* data, std::size_t num_bytes, const std::string& path) {
  const char* bytes = static_cast<const char*>(data);
  while (num_bytes > 0) {
    const ssize_t written = write(file, bytes, num_bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_to_write(path);
    bytes += written;
    num_bytes -= static_cast<std::size_t>(written);
  }
}

/// Closes a file descriptor at the end of a scope.
struct File {
  int descriptor;
  ~File() {
    if (descriptor >= 0) close(descriptor);
  }
};

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw ConfigError("state rows '" + path + "': " + what);
}

std::string read_line(std::istream& in) {
  std::string line;
  char c = 0;
  while (line.size() < kMaxLineBytes && in.get(c) && c != '\n') line += c;
  return line;
}

}  // namespace

void save_state_rows(const std::string& path, const Env& env, std::span<const double> rows) {
  const std::size_t row_size = lane_row_size(env.spec());
  if (rows.empty() || rows.size() % row_size != 0) {
    throw std::invalid_argument("save_state_rows: " + std::to_string(rows.size()) +
                                " doubles are no whole rows of " + std::to_string(row_size));
  }
  const std::string header =
      std::string(kMagic) + "\n" + row_identity(env) + "\n" + size_line(rows, row_size) + "\n";
  const std::string unfinished = path + ".unfinished";
  {
    const File file{open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    if (file.descriptor < 0) fail_to_write(path);
    write_all(file.descriptor, header.data(), header.size(), path);
    write_all(file.descriptor, rows.data(), rows.size_bytes(), path);
    if (fsync(file.descriptor) != 0) fail_to_write(path);
  }
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) fail_to_write(path);
}

std::vector<double> load_state_rows(const std::string& path, const Env& env) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) refuse(path, "no such file; check the path");
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse(path, "cannot be opened; check its permissions");
  if (read_line(in) != kMagic) refuse(path, "is no file of state rows");
  const std::string identity = read_line(in);
  if (identity != row_identity(env)) {
    refuse(path, "holds rows of (" + identity.substr(0, 300) + "), this is (" + row_identity(env) +
                     "); use the same task, model, MuJoCo and build");
  }
  const std::string sizes = read_line(in);
  const std::size_t row_size = lane_row_size(env.spec());
  const auto header_bytes = static_cast<std::uintmax_t>(in.tellg());
  const std::uintmax_t file_bytes = std::filesystem::file_size(path, error);
  const std::string damaged = "is damaged or incomplete; use another copy";
  if (!in || error || file_bytes <= header_bytes ||
      (file_bytes - header_bytes) % (row_size * sizeof(double)) != 0) {
    refuse(path, damaged);
  }
  std::vector<double> rows((file_bytes - header_bytes) / sizeof(double));
  in.read(reinterpret_cast<char*>(rows.data()), static_cast<std::streamsize>(rows.size() * 8));
  if (!in || sizes != size_line(rows, row_size)) refuse(path, damaged);
  return rows;
}

}  // namespace anthill
