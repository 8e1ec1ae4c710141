/// Files that survive a full disk, a crash and a reader who looks while they are written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace anthill {

/// Replaces `path` by `bytes`: temporary file beside it, then rename, so a reader sees the old or
/// the new content. `sync`: also through a power cut. Throws std::runtime_error with the path.
void replace_file(const std::filesystem::path& path, std::string_view bytes, bool sync);

/// The whole content. Throws std::runtime_error with the path.
std::string read_file(const std::filesystem::path& path);

/// A file that only grows, by whole pieces. One owner thread.
class AppendFile {
 public:
  /// Opens or creates. Throws std::runtime_error with the path, as do the other functions.
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Writes all bytes; when that fails (disk full), takes back what was written of them.
  void append(std::string_view bytes);

  /// Cuts the file down to `size` bytes.
  void truncate(std::int64_t size);

  std::int64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::int64_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace anthill
