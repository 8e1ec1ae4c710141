#include "algos/checkpoint/named_arrays.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "sim/errors.hpp"

namespace anthill {
namespace {

static_assert(std::endian::native == std::endian::little && sizeof(float) == 4);

using Json = nlohmann::ordered_json;
constexpr const char* kMetadata = "__metadata__";
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit

struct TypeName {
  ArrayType type;
  const char* name;
  std::uint64_t value_bytes;
};
constexpr TypeName kTypes[] = {{ArrayType::float32, "F32", 4},
                               {ArrayType::float64, "F64", 8},
                               {ArrayType::int64, "I64", 8},
                               {ArrayType::uint8, "U8", 1}};

const TypeName& type_name(ArrayType type) {
  for (const TypeName& entry : kTypes) {
    if (entry.type == type) return entry;
  }
  throw std::logic_error("an array type has no name");
}

/// Bytes of an array; nothing when a dimension is negative or the product overflows.
std::uint64_t array_bytes(ArrayType type, const std::vector<std::int64_t>& shape, bool& valid) {
  std::uint64_t bytes = type_name(type).value_bytes;
  valid = true;
  for (const std::int64_t dim : shape) {
    std::uint64_t product = 0;
    if (dim < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dim), &product)) {
      valid = false;
      return 0;
    }
    bytes = product;
  }
  return bytes;
}

/// Everything about one file being read, so that each error can name it.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& where) : where_(where), bytes_(bytes) {}

  ParsedArrays read() {
    const Json header = parse_header();
    ParsedArrays result;
    for (const auto& [name, entry] : header.items()) {
      if (name == kMetadata) {
        result.metadata = metadata(entry);
      } else {
        result.arrays[name] = array(name, entry);
      }
    }
    check_coverage();
    return result;
  }

 private:
  struct Range {
    std::uint64_t begin, end;
    auto operator<=>(const Range&) const = default;
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw ConfigError("'" + where_ + "' is no usable safetensors file: " + what +
                      "; take the file from a finished run");
  }

  Json parse_header() {
    std::uint64_t length = 0;
    if (bytes_.size() < sizeof(length))
      fail("it has only " + std::to_string(bytes_.size()) + " bytes");
    std::memcpy(&length, bytes_.data(), sizeof(length));
    if (length > kMaxHeaderBytes || length > bytes_.size() - sizeof(length)) {
      fail("its header would have " + std::to_string(length) + " bytes, the file has " +
           std::to_string(bytes_.size()));
    }
    const std::string_view text = bytes_.substr(sizeof(length), length);
    data_ = bytes_.substr(sizeof(length) + length);
    if (!text.starts_with('{')) fail("its header is not a JSON object");
    std::set<std::string> names;
    std::string repeated;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::key && depth == 1 &&
          !names.insert(value.get<std::string>()).second) {
        repeated = value.get<std::string>();
      }
      return true;
    };
    Json header = Json::parse(text, watch, false);
    if (header.is_discarded()) fail("its header is not valid JSON");
    if (!repeated.empty()) fail("array '" + repeated + "' is listed twice");
    return header;
  }

  std::map<std::string, std::string> metadata(const Json& entry) const {
    std::map<std::string, std::string> result;
    if (!entry.is_object()) fail("__metadata__ is not an object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) fail("metadata '" + key + "' is not a string");
      result[key] = value.get<std::string>();
    }
    return result;
  }

  /// A list of whole numbers >= 0 that fit int64.
  std::vector<std::int64_t> numbers(const std::string& name, const Json& entry,
                                    const char* key) const {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_array()) fail("array '" + name + "' has no list " + key);
    std::vector<std::int64_t> result;
    for (const Json& value : *found) {
      if (!value.is_number_unsigned() ||
          value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
        fail("array '" + name + "' has a wrong number in " + key);
      }
      result.push_back(value.get<std::int64_t>());
    }
    return result;
  }

  ArrayType type_of(const std::string& name, const Json& entry) const {
    const auto dtype = entry.find("dtype");
    if (dtype == entry.end() || !dtype->is_string()) fail("array '" + name + "' has no dtype");
    for (const TypeName& known : kTypes) {
      if (*dtype == known.name) return known.type;
    }
    fail("array '" + name + "' has dtype " + dtype->get<std::string>() +
         ", which is none of F32, F64, I64 and U8");
  }

  NamedArray array(const std::string& name, const Json& entry) {
    if (!entry.is_object()) fail("array '" + name + "' is not described by an object");
    NamedArray result;
    result.type = type_of(name, entry);
    result.shape = numbers(name, entry, "shape");
    const auto offsets = numbers(name, entry, "data_offsets");
    if (offsets.size() != 2) fail("array '" + name + "' needs two data_offsets");
    const Range range{static_cast<std::uint64_t>(offsets[0]),
                      static_cast<std::uint64_t>(offsets[1])};
    if (range.begin > range.end || range.end > data_.size()) {
      fail("array '" + name + "' lies outside of the " + std::to_string(data_.size()) +
           " bytes of data (a truncated file?)");
    }
    bool valid = false;
    if (array_bytes(result.type, result.shape, valid) != range.end - range.begin || !valid) {
      fail("array '" + name + "' has another number of bytes than its shape");
    }
    const auto* first = reinterpret_cast<const std::byte*>(data_.data());
    result.bytes.assign(first + range.begin, first + range.end);
    ranges_.push_back(range);
    return result;
  }

  /// The arrays must tile the data: no overlap, no hole, no rest.
  void check_coverage() {
    std::sort(ranges_.begin(), ranges_.end());
    std::uint64_t end = 0;
    for (const Range& range : ranges_) {
      if (range.begin < end) fail("two arrays overlap at byte " + std::to_string(range.begin));
      if (range.begin > end) fail("no array owns byte " + std::to_string(end) + " of the data");
      end = range.end;
    }
    if (end != data_.size()) fail("no array owns byte " + std::to_string(end) + " of the data");
  }

  const std::string& where_;
  std::string_view bytes_;
  std::string_view data_;
  std::vector<Range> ranges_;
};

}  // namespace

const char* array_type_name(ArrayType type) { return type_name(type).name; }

std::string safetensors_bytes(std::span<const ArrayView> arrays,
                              const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  std::uint64_t offset = 0;
  for (const ArrayView& array : arrays) {
    bool valid = false;
    const std::uint64_t bytes = array_bytes(array.type, array.shape, valid);
    if (!valid || array.name == kMetadata || header.contains(array.name)) {
      throw std::logic_error("safetensors: array '" + array.name +
                             "' has a wrong shape or a name that is taken");
    }
    header[array.name] = {{"dtype", array_type_name(array.type)},
                          {"shape", array.shape},
                          {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data are aligned

  std::string bytes(sizeof(std::uint64_t), '\0');
  const std::uint64_t length = text.size();
  std::memcpy(bytes.data(), &length, sizeof(length));
  bytes.reserve(bytes.size() + text.size() + offset);
  bytes += text;
  for (const ArrayView& array : arrays) {
    bool valid = false;
    const std::uint64_t size = array_bytes(array.type, array.shape, valid);
    if (size > 0) bytes.append(static_cast<const char*>(array.data), size);
  }
  return bytes;
}

ParsedArrays parse_safetensors(std::string_view bytes, const std::string& where) {
  return Reader(bytes, where).read();
}

}  // namespace anthill
