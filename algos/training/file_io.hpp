/// Files that survive a full disk, a crash and a reader who looks while they are written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace anthill {

/// Replaces `path` by `bytes`: temporary file beside it, then rename, so a reader sees the old or
/// the new content. `sync`: also through a power cut. Throws std::runtime_error with the path, as
/// all functions here do.
void replace_file(const std::filesystem::path& path, std::string_view bytes, bool sync);

/// The whole content. Throws std::runtime_error with the path.
std::string read_file(const std::filesystem::path& path);

/// Creates `path`, which must not exist, and waits until its bytes are on the disk.
void write_new_file(const std::filesystem::path& path, std::string_view bytes);

/// `to` becomes another name of `from`'s bytes: a hard link, or a copy on the disk where the file
/// system has no links.
void link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to);

/// Makes the folder `to` with a link or copy of every file in `from`; on the disk before it
/// returns. A `to` that is there is replaced.
void link_folder(const std::filesystem::path& from, const std::filesystem::path& to);

/// Folders: made with its parents; with all that is in it; renamed, on the disk before it returns.
/// The target of a move must not exist.
void make_folder(const std::filesystem::path& path);
void remove_folder(const std::filesystem::path& path);
void move_folder(const std::filesystem::path& from, const std::filesystem::path& to);

/// Waits until a file's bytes, or a folder's names, are on the disk. A missing file is none.
void sync_file(const std::filesystem::path& path);
void sync_folder(const std::filesystem::path& path);

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
