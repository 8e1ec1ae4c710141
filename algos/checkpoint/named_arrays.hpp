/// Named arrays of a few types in the safetensors format: u64 header length, JSON header, raw
/// little-endian data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anthill {

enum class ArrayType { float32, float64, int64, uint8 };

/// "F32", "F64", "I64", "U8": the format's names.
const char* array_type_name(ArrayType type);

/// An array to write: host memory, row-major, borrowed.
struct ArrayView {
  std::string name;
  ArrayType type = ArrayType::float32;
  std::vector<std::int64_t> shape;
  const void* data = nullptr;  // product(shape) values; 1 for an empty shape
};

struct NamedArray {
  ArrayType type = ArrayType::float32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};

using NamedArrays = std::map<std::string, NamedArray>;

struct ParsedArrays {
  NamedArrays arrays;
  std::map<std::string, std::string> metadata;
};

/// The bytes of a file with these arrays. Throws std::logic_error for a name that comes twice or is
/// "__metadata__", and for a shape that cannot be.
std::string safetensors_bytes(std::span<const ArrayView> arrays,
                              const std::map<std::string, std::string>& metadata);

/// What such bytes hold. `where` (a path) stands in the messages. Throws ConfigError, one line, for
/// anything that is not exactly such a file.
ParsedArrays parse_safetensors(std::string_view bytes, const std::string& where);

}  // namespace anthill
