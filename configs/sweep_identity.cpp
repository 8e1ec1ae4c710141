#include "configs/sweep_identity.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>

#include "configs/fields.hpp"
#include "configs/model_files.hpp"
#include "configs/toml_text.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

/// FNV-1a with the finaliser of MurmurHash3, which lets every input bit reach every digit.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ULL;
  return hash ^ (hash >> 33);
}

std::string hex(std::uint64_t number, int digits) {
  std::string text(static_cast<std::size_t>(digits), '0');
  for (int i = digits; i-- > 0; number >>= 4) {
    text[static_cast<std::size_t>(i)] = "0123456789abcdef"[number & 15];
  }
  return text;
}

/// "monoped.xml 0123456789abcdef": the same files at another place are the same.
std::string file_identity(const Field& field, const std::string& path) {
  std::string all;
  for (const ModelFile& file : model_files(path)) {
    if (!file.is_readable) {
      throw ConfigError(printable(file.path) + ": cannot be read, and " + field.key() +
                        " needs it; check the path");
    }
    all += all.empty() ? file.bytes : '\0' + file.name + '\0' + file.bytes;
  }
  return std::filesystem::path(path).filename().string() + " " + hex(hash_of(all), 16);
}

/// The fields that make a point, sorted by key, each with its default.
const std::vector<std::pair<const Field*, Value>>& identity_fields() {
  static const auto kFields = [] {
    std::vector<std::pair<const Field*, Value>> found;
    const ExperimentConfig defaults;
    for (const Field& field : fields()) {
      if (field.key() == "run.seed") continue;
      if (std::ranges::count(machine_only_keys(), field.key()) > 0) continue;
      found.emplace_back(&field, field.get(defaults));
    }
    std::ranges::sort(found, {}, [](const auto& entry) { return entry.first->key(); });
    return found;
  }();
  return kFields;
}

}  // namespace

const std::vector<std::string>& machine_only_keys() {
  static const std::vector<std::string> kKeys = {
      "run.name",        "run.device",          "buffer.device_system", "sim.num_threads",
      "sim.pin_threads", "learner.num_threads", "checkpoint.period",    "checkpoint.period_s",
      "checkpoint.keep", "log.tensorboard",     "log.progress_period_s"};
  return kKeys;
}

std::string identity_text(const ExperimentConfig& config) {
  std::string text;
  for (const auto& [field, default_value] : identity_fields()) {
    Value value = field->get(config);
    if (value == default_value) continue;
    if (field->is_path(value)) value = file_identity(*field, std::get<std::string>(value));
    text += field->key() + " = " + toml_value(value) + "\n";
  }
  return text;
}

std::string short_hash(std::string_view text) { return hex(hash_of(text) >> 16, 12); }

std::string point_id(const ExperimentConfig& config) { return short_hash(identity_text(config)); }

}  // namespace anthill
