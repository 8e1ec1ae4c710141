/// NumPy files: reads one .npy array, writes .npz archives. Standard library and POSIX only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace anthill {

/// A float array in C order.
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  bool rounded = false;  // float64 values were not representable in float32
};

/// Reads a float32 or float64 .npy file (format versions 1 to 3); float64 is rounded to float32.
/// Throws ConfigError when the file is missing, truncated, of another dtype or in Fortran order.
NpyArray read_npy(const std::filesystem::path& path);

/// One array of an archive: float64, C order.
struct NpzArray {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// Writes arrays of known shapes side by side, a piece at a time, into an uncompressed (zip64)
/// archive for numpy.load. So memory does not grow with the arrays, and equal values give equal
/// bytes. Works in `path` + ".partial" and renames that when finished. Not thread-safe; throws
/// std::runtime_error on I/O errors.
class NpzWriter {
 public:
  /// Creates the file and reserves its space on disk.
  NpzWriter(std::filesystem::path path, std::vector<NpzArray> arrays);
  /// Removes the partial file unless finish() returned.
  ~NpzWriter();
  NpzWriter(const NpzWriter&) = delete;
  NpzWriter& operator=(const NpzWriter&) = delete;

  /// Appends the next values, in C order, of the array with this index.
  void append(std::size_t array, std::span<const double> values);

  /// Writes headers and directory, flushes and renames. Every array must be complete.
  void finish();

 private:
  struct Member;

  void write_at(std::uint64_t offset, const void* data, std::size_t size);

  std::filesystem::path path_;
  std::filesystem::path partial_path_;
  std::vector<Member> members_;
  std::uint64_t directory_offset_ = 0;
  int file_ = -1;
};

}  // namespace anthill
