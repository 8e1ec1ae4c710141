/// Named float32 arrays in one file, in the safetensors format: u64 header length, JSON header, raw
/// little-endian data. Python reads it with safetensors.numpy.load_file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace anthill {

/// An array to write: host memory, row-major, borrowed.
struct FloatArrayView {
  std::string name;
  std::vector<std::int64_t> shape;
  const float* data = nullptr;  // product(shape) values; 1 for an empty shape
};

struct FloatArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

struct Safetensors {
  std::map<std::string, FloatArray> arrays;
  std::map<std::string, std::string> metadata;
};

/// Replaces `path` whole, synchronised to disk. Throws std::logic_error for a name that comes twice
/// or is "__metadata__", std::runtime_error when the file cannot be written.
void write_safetensors(const std::filesystem::path& path, std::span<const FloatArrayView> arrays,
                       const std::map<std::string, std::string>& metadata);

/// Reads a file of float32 arrays. Throws ConfigError, one line with the path, for a missing,
/// damaged or differently typed file.
Safetensors read_safetensors(const std::filesystem::path& path);

}  // namespace anthill
