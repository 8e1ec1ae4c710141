#include "algos/training/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "algos/training/file_io.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

static_assert(std::endian::native == std::endian::little && sizeof(float) == 4);

using Json = nlohmann::ordered_json;
constexpr const char* kMetadata = "__metadata__";
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit

/// Bytes of a float32 array; nothing when a dimension is negative or the product overflows.
std::uint64_t array_bytes(const std::vector<std::int64_t>& shape, bool& valid) {
  std::uint64_t bytes = sizeof(float);
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
  explicit Reader(const std::filesystem::path& path) : path_(path) {
    try {
      bytes_ = read_file(path);
    } catch (const std::runtime_error& error) {
      throw ConfigError(error.what());
    }
  }

  Safetensors read() {
    const Json header = parse_header();
    Safetensors result;
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
    throw ConfigError("'" + path_.string() + "' is no usable safetensors file: " + what +
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
    const std::string_view text = std::string_view(bytes_).substr(sizeof(length), length);
    data_ = std::string_view(bytes_).substr(sizeof(length) + length);
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

  FloatArray array(const std::string& name, const Json& entry) {
    if (!entry.is_object()) fail("array '" + name + "' is not described by an object");
    const auto dtype = entry.find("dtype");
    if (dtype == entry.end() || !dtype->is_string()) fail("array '" + name + "' has no dtype");
    if (*dtype != "F32") {
      fail("array '" + name + "' has dtype " + dtype->get<std::string>() + ", not F32");
    }
    FloatArray result;
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
    if (array_bytes(result.shape, valid) != range.end - range.begin || !valid) {
      fail("array '" + name + "' has another number of bytes than its shape");
    }
    result.values.resize((range.end - range.begin) / sizeof(float));
    if (!result.values.empty()) {
      std::memcpy(result.values.data(), data_.data() + range.begin, range.end - range.begin);
    }
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

  std::filesystem::path path_;
  std::string bytes_;
  std::string_view data_;
  std::vector<Range> ranges_;
};

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const FloatArrayView> arrays,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  std::uint64_t offset = 0;
  for (const FloatArrayView& array : arrays) {
    bool valid = false;
    const std::uint64_t bytes = array_bytes(array.shape, valid);
    if (!valid || array.name == kMetadata || header.contains(array.name)) {
      throw std::logic_error("write_safetensors: array '" + array.name +
                             "' has a wrong shape or a name that is taken");
    }
    header[array.name] = {
        {"dtype", "F32"}, {"shape", array.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data are aligned

  std::string bytes(sizeof(std::uint64_t), '\0');
  const std::uint64_t length = text.size();
  std::memcpy(bytes.data(), &length, sizeof(length));
  bytes.reserve(bytes.size() + text.size() + offset);
  bytes += text;
  for (const FloatArrayView& array : arrays) {
    bool valid = false;
    const std::uint64_t size = array_bytes(array.shape, valid);
    if (size > 0) bytes.append(reinterpret_cast<const char*>(array.data), size);
  }
  replace_file(path, bytes, true);
}

Safetensors read_safetensors(const std::filesystem::path& path) { return Reader(path).read(); }

}  // namespace anthill
