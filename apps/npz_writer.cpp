#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "apps/npz.hpp"

namespace anthill {
namespace {

static_assert(std::endian::native == std::endian::little);

// zip format constants (APPNOTE.TXT 6.3, sections 4.3 to 4.5)
constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryHeader = 0x02014b50;
constexpr std::uint32_t kZip64End = 0x06064b50;
constexpr std::uint32_t kZip64Locator = 0x07064b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint16_t kZip64Version = 45;
constexpr std::uint16_t kZip64Extra = 0x0001;
constexpr std::uint16_t kFirstDate = 0x0021;  // 1980-01-01: the bytes depend on the values only
constexpr std::uint32_t kIn64 = 0xffffffff;   // "see the zip64 field"

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0xedb88320u : 0u);
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

/// CRC-32 of zip, continued from `crc` (0 at the start).
std::uint32_t update_crc(std::uint32_t crc, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  crc = ~crc;
  for (std::size_t i = 0; i < size; ++i) crc = kCrcTable[(crc ^ bytes[i]) & 0xff] ^ (crc >> 8);
  return ~crc;
}

template <typename T>
void put(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// Start of a .npy member of format version 1.0, padded to a multiple of 64 bytes.
std::string npy_header(const std::vector<std::int64_t>& shape) {
  std::string dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (";
  for (const std::int64_t dim : shape) dictionary += std::to_string(dim) + ", ";
  if (shape.size() > 1) dictionary.resize(dictionary.size() - 2);
  dictionary += "), }";
  constexpr std::size_t kStart = 10;
  const std::size_t total = (kStart + dictionary.size() + 1 + 63) / 64 * 64;
  dictionary.resize(total - kStart - 1, ' ');
  dictionary += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  put(header, static_cast<std::uint16_t>(dictionary.size()));
  return header + dictionary;
}

}  // namespace

struct NpzWriter::Member {
  std::string file_name;
  std::string header;         // of the .npy file
  std::uint64_t offset = 0;   // of the local header, bytes from the archive's start
  std::uint64_t size = 0;     // of the .npy file
  std::uint64_t written = 0;  // of `size`, so far
  std::uint32_t crc = 0;

  std::uint64_t local_header_size() const { return 30 + file_name.size() + 20; }

  /// Fields that the local header and the directory share, from the version to the extra length.
  void put_common(std::string& bytes, std::uint16_t extra_size) const {
    put(bytes, kZip64Version);
    put(bytes, std::uint16_t{0});  // flags
    put(bytes, std::uint16_t{0});  // method: stored
    put(bytes, std::uint16_t{0});  // time
    put(bytes, kFirstDate);
    put(bytes, crc);
    put(bytes, kIn64);
    put(bytes, kIn64);
    put(bytes, static_cast<std::uint16_t>(file_name.size()));
    put(bytes, extra_size);
  }

  void put_zip64_extra(std::string& bytes, std::uint16_t extra_size) const {
    put(bytes, kZip64Extra);
    put(bytes, static_cast<std::uint16_t>(extra_size - 4));
    put(bytes, size);
    put(bytes, size);
  }

  std::string local_header() const {
    std::string bytes;
    put(bytes, kLocalHeader);
    put_common(bytes, 20);
    bytes += file_name;
    put_zip64_extra(bytes, 20);
    return bytes;
  }

  std::string directory_entry() const {
    std::string bytes;
    put(bytes, kDirectoryHeader);
    put(bytes, kZip64Version);  // made by
    put_common(bytes, 28);
    put(bytes, std::uint16_t{0});  // comment
    put(bytes, std::uint16_t{0});  // disk
    put(bytes, std::uint16_t{0});  // internal attributes
    put(bytes, std::uint32_t{0});  // external attributes
    put(bytes, kIn64);             // offset of the local header
    bytes += file_name;
    put_zip64_extra(bytes, 28);
    put(bytes, offset);
    return bytes;
  }
};

namespace {

std::string end_records(std::uint64_t num_members, std::uint64_t offset, std::uint64_t size) {
  std::string bytes;
  put(bytes, kZip64End);
  put(bytes, std::uint64_t{44});  // what follows of this record
  put(bytes, kZip64Version);
  put(bytes, kZip64Version);
  put(bytes, std::uint32_t{0});  // disks
  put(bytes, std::uint32_t{0});
  put(bytes, num_members);
  put(bytes, num_members);
  put(bytes, size);
  put(bytes, offset);

  put(bytes, kZip64Locator);
  put(bytes, std::uint32_t{0});
  put(bytes, offset + size);
  put(bytes, std::uint32_t{1});

  put(bytes, kEnd);
  put(bytes, std::uint16_t{0});
  put(bytes, std::uint16_t{0});
  put(bytes, std::uint16_t{0xffff});
  put(bytes, std::uint16_t{0xffff});
  put(bytes, kIn64);
  put(bytes, kIn64);
  put(bytes, std::uint16_t{0});  // comment
  return bytes;
}

[[noreturn]] void fail(const std::filesystem::path& path, const char* what, int error) {
  throw std::runtime_error(path.string() + ": " + what + ": " + std::strerror(error));
}

}  // namespace

NpzWriter::NpzWriter(std::filesystem::path path, std::vector<NpzArray> arrays)
    : path_(std::move(path)), partial_path_(path_.string() + ".partial") {
  std::uint64_t offset = 0;
  for (const NpzArray& array : arrays) {
    Member& member = members_.emplace_back();
    member.file_name = array.name + ".npy";
    member.header = npy_header(array.shape);
    member.offset = offset;
    member.size = sizeof(double);
    for (const std::int64_t dim : array.shape) member.size *= static_cast<std::uint64_t>(dim);
    member.size += member.header.size();
    member.written = member.header.size();
    member.crc = update_crc(0, member.header.data(), member.header.size());
    offset += member.local_header_size() + member.size;
  }
  directory_offset_ = offset;

  if (std::filesystem::is_directory(path_)) fail(path_, "cannot be written", EISDIR);
  file_ = ::open(partial_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0) fail(path_, "cannot be written", errno);
  const int error = ::posix_fallocate(file_, 0, static_cast<off_t>(directory_offset_));
  if (error != 0) {
    ::close(file_);
    ::unlink(partial_path_.c_str());
    const std::string what = "no room for " + std::to_string(directory_offset_ >> 20) + " MiB";
    fail(path_, what.c_str(), error);
  }
}

NpzWriter::~NpzWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(partial_path_.c_str());
}

void NpzWriter::write_at(std::uint64_t offset, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = ::pwrite(file_, bytes, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(partial_path_, "writing failed", errno);
    bytes += count;
    offset += static_cast<std::uint64_t>(count);
    size -= static_cast<std::size_t>(count);
  }
}

void NpzWriter::append(std::size_t array, std::span<const double> values) {
  Member& member = members_.at(array);
  if (values.size_bytes() > member.size - member.written) {
    throw std::logic_error(member.file_name + " got more values than its shape holds");
  }
  write_at(member.offset + member.local_header_size() + member.written, values.data(),
           values.size_bytes());
  member.crc = update_crc(member.crc, values.data(), values.size_bytes());
  member.written += values.size_bytes();
}

void NpzWriter::finish() {
  std::string directory;
  for (const Member& member : members_) {
    if (member.written != member.size) {
      throw std::logic_error(member.file_name + " got fewer values than its shape holds");
    }
    const std::string header = member.local_header() + member.header;
    write_at(member.offset, header.data(), header.size());
    directory += member.directory_entry();
  }
  directory += end_records(members_.size(), directory_offset_, directory.size());
  write_at(directory_offset_, directory.data(), directory.size());
  if (::fsync(file_) != 0) fail(partial_path_, "flushing failed", errno);
  if (::rename(partial_path_.c_str(), path_.c_str()) != 0) {
    fail(path_, "cannot be replaced", errno);
  }
  ::close(file_);
  file_ = -1;
}

}  // namespace anthill
