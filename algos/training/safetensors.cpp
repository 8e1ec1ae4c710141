#include "algos/training/safetensors.hpp"

#include <bit>
#include <cstring>
#include <stdexcept>

#include "algos/checkpoint/named_arrays.hpp"
#include "algos/training/file_io.hpp"
#include "sim/errors.hpp"

namespace anthill {

static_assert(std::endian::native == std::endian::little && sizeof(float) == 4);

void write_safetensors(const std::filesystem::path& path, std::span<const FloatArrayView> arrays,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<ArrayView> views;
  for (const FloatArrayView& array : arrays) {
    views.push_back({array.name, ArrayType::float32, array.shape, array.data});
  }
  replace_file(path, safetensors_bytes(views, metadata), true);
}

static std::string bytes_of(const std::filesystem::path& path) {
  try {
    return read_file(path);
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
}

Safetensors read_safetensors(const std::filesystem::path& path) {
  ParsedArrays parsed = parse_safetensors(bytes_of(path), path.string());
  Safetensors result;
  result.metadata = std::move(parsed.metadata);
  for (const auto& [name, array] : parsed.arrays) {
    if (array.type != ArrayType::float32) {
      throw ConfigError("'" + path.string() + "' is no usable safetensors file: array '" + name +
                        "' has dtype " + array_type_name(array.type) +
                        ", not F32; take the file from a finished run");
    }
    FloatArray& floats = result.arrays[name];
    floats.shape = array.shape;
    floats.values.resize(array.bytes.size() / sizeof(float));
    if (!array.bytes.empty()) {
      std::memcpy(floats.values.data(), array.bytes.data(), array.bytes.size());
    }
  }
  return result;
}

}  // namespace anthill
