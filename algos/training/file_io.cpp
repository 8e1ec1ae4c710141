#include "algos/training/file_io.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace anthill {
namespace {

[[noreturn]] void fail(const char* action, const std::filesystem::path& path, int error) {
  const char* hint = error == ENOSPC || error == EDQUOT || error == EFBIG
                         ? "free some space or choose another folder"
                         : "check that the path exists and is writable";
  throw std::runtime_error(std::string("cannot ") + action + " '" + path.string() +
                           "': " + std::generic_category().message(error) + "; " + hint);
}

/// False, with errno, on failure.
bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_and_close(int descriptor, std::string_view bytes, bool sync) {
  const bool written = write_all(descriptor, bytes) && (!sync || ::fsync(descriptor) == 0);
  const int error = errno;
  const bool closed = ::close(descriptor) == 0;
  if (!written) errno = error;
  return written && closed;
}

}  // namespace

void replace_file(const std::filesystem::path& path, std::string_view bytes, bool sync) {
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  const int descriptor =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_t{0666});
  if (descriptor < 0) fail("write", temporary, errno);
  if (!write_and_close(descriptor, bytes, sync) || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail("write", path, error);
  }
  if (sync) sync_folder(path.has_parent_path() ? path.parent_path() : ".");
}

void write_new_file(const std::filesystem::path& path, std::string_view bytes) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t{0666});
  if (descriptor < 0 || !write_and_close(descriptor, bytes, true)) fail("write", path, errno);
}

void link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return;
  const int link_error = errno;
  if (link_error == ENOENT || link_error == EEXIST || link_error == ENOSPC) {
    fail("link", to, link_error);
  }
  // no links here, or too many of them
  std::error_code error;
  std::filesystem::copy_file(from, to, error);
  if (error) fail("copy", to, error.value());
  sync_file(to);
}

void link_folder(const std::filesystem::path& from, const std::filesystem::path& to) {
  remove_folder(to);
  make_folder(to);
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    link_or_copy(entry.path(), to / entry.path().filename());
  }
  sync_folder(to);
}

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail("create", path, error.value());
}

void remove_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) fail("remove", path, error.value());
}

void move_folder(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail("rename to", to, errno);
  sync_folder(to.has_parent_path() ? to.parent_path() : ".");
}

void sync_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return;
  if (descriptor < 0) fail("open", path, errno);
  const bool synced = ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  if (!synced) fail("write", path, error);
}

void sync_folder(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);  // not every file system can; the rename is done either way
  ::close(descriptor);
}

std::string read_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) fail("read", path, EISDIR);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("read", path, errno == 0 ? EIO : errno);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) fail("read", path, EIO);
  return bytes;
}

AppendFile::AppendFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode_t{0666});
  if (descriptor_ < 0) fail("open", path_, errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    ::close(descriptor_);
    fail("open", path_, error);
  }
  size_ = status.st_size;
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::append(std::string_view bytes) {
  if (!write_all(descriptor_, bytes)) {
    const int error = errno;
    // a device has no size to restore; the write error is the one to report
    [[maybe_unused]] const int restored = ::ftruncate(descriptor_, size_);
    fail("write", path_, error);
  }
  size_ += static_cast<std::int64_t>(bytes.size());
}

void AppendFile::truncate(std::int64_t size) {
  if (size < 0 || size > size_) {
    throw std::runtime_error("cannot cut '" + path_.string() + "' to " + std::to_string(size) +
                             " bytes: it has " + std::to_string(size_) +
                             "; the file is not the one that the size was taken from");
  }
  if (::ftruncate(descriptor_, size) != 0) fail("cut", path_, errno);
  size_ = size;
}

}  // namespace anthill
