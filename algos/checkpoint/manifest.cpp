#include "algos/checkpoint/manifest.hpp"

#include <nlohmann/json.hpp>

#include "sim/errors.hpp"

namespace anthill {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kFormat = "anthill checkpoint";

Json to_json(const StoredFile& file) {
  return {{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}};
}

/// Takes values out of a manifest and says what is wrong with it.
class Reader {
 public:
  explicit Reader(const std::string& where) : where_(where) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw DamagedCheckpoint("'" + where_ + "': " + what);
  }

  const Json& member(const Json& object, const char* key) const {
    const auto found = object.find(key);
    if (found == object.end()) fail(std::string("no ") + key);
    return *found;
  }

  /// A whole number >= 0.
  std::int64_t count(const Json& object, const char* key) const {
    const Json& value = member(object, key);
    constexpr std::uint64_t kMax = std::uint64_t{1} << 62;
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMax) {
      fail(std::string(key) + " is no whole number");
    }
    return value.get<std::int64_t>();
  }

  std::string text(const Json& object, const char* key) const {
    const Json& value = member(object, key);
    if (!value.is_string()) fail(std::string(key) + " is no text");
    return value.get<std::string>();
  }

  const Json& object(const Json& parent, const char* key) const {
    const Json& value = member(parent, key);
    if (!value.is_object()) fail(std::string(key) + " is no object");
    return value;
  }

  StoredFile file(const Json& entry) const {
    if (!entry.is_object()) fail("a file is not described by an object");
    StoredFile result{text(entry, "name"), count(entry, "bytes"), text(entry, "sha256")};
    const bool plain = !result.name.empty() && result.name[0] != '.' &&
                       result.name.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
    if (!plain) fail("a file's name leads out of the folder");
    return result;
  }

  ReplaySegment segment(const Json& entry) const {
    ReplaySegment result;
    result.file = file(entry);
    result.first_step = count(entry, "first_step");
    result.num_steps = count(entry, "num_steps");
    return result;
  }

 private:
  const std::string& where_;
};

/// The segments must hold [first_step, end_step) without a hole, in files as long as their rows.
void check_segments(const CheckpointInfo& info, const Reader& reader) {
  if (info.first_step > info.end_step) reader.fail("first_step exceeds end_step");
  if (info.first_step == info.end_step) {
    if (!info.segments.empty()) reader.fail("segments of an empty ring");
    return;
  }
  if (info.segments.empty() || info.segments.front().first_step > info.first_step ||
      info.segments.back().end_step() != info.end_step) {
    reader.fail("the segments do not hold the ring");
  }
  std::int64_t next = info.segments.front().first_step;
  for (const ReplaySegment& segment : info.segments) {
    std::int64_t bytes = 0;
    if (segment.first_step != next || segment.num_steps < 1 ||
        __builtin_mul_overflow(segment.num_steps, info.step_bytes, &bytes) ||
        bytes != segment.file.bytes) {
      reader.fail("segment '" + segment.file.name + "' does not fit");
    }
    next = segment.end_step();
  }
}

CheckpointInfo read_info(const Json& json, const Reader& reader) {
  CheckpointInfo info;
  info.anthill_version = reader.text(json, "anthill_version");
  info.saved_at = reader.text(json, "saved_at");
  info.env = reader.text(json, "env");
  info.device = reader.text(json, "device");
  info.members = reader.count(json, "members");
  info.env_steps = reader.count(json, "env_steps");
  info.gradient_updates = reader.count(json, "gradient_updates");
  const Json& wall_time = reader.member(json, "wall_time_s");
  if (!wall_time.is_number()) reader.fail("wall_time_s is no number");
  info.wall_time_s = wall_time.get<double>();
  info.state = reader.file(reader.member(json, "state"));
  info.config = reader.file(reader.member(json, "config"));
  const Json& replay = reader.object(json, "replay");
  info.first_step = reader.count(replay, "first_step");
  info.end_step = reader.count(replay, "end_step");
  info.step_bytes = reader.count(replay, "step_bytes");
  const Json& segments = reader.member(replay, "segments");
  if (!segments.is_array()) reader.fail("segments is no list");
  for (const Json& entry : segments) info.segments.push_back(reader.segment(entry));
  check_segments(info, reader);
  return info;
}

}  // namespace

std::string manifest_text(const CheckpointInfo& info) {
  Json segments = Json::array();
  for (const ReplaySegment& segment : info.segments) {
    Json entry = to_json(segment.file);
    entry["first_step"] = segment.first_step;
    entry["num_steps"] = segment.num_steps;
    segments.push_back(std::move(entry));
  }
  const Json json = {{"format", kFormat},
                     {"version", info.version},
                     {"anthill_version", info.anthill_version},
                     {"saved_at", info.saved_at},
                     {"env", info.env},
                     {"device", info.device},
                     {"members", info.members},
                     {"env_steps", info.env_steps},
                     {"gradient_updates", info.gradient_updates},
                     {"wall_time_s", info.wall_time_s},
                     {"state", to_json(info.state)},
                     {"config", to_json(info.config)},
                     {"replay",
                      {{"first_step", info.first_step},
                       {"end_step", info.end_step},
                       {"step_bytes", info.step_bytes},
                       {"segments", std::move(segments)}}}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

CheckpointInfo parse_manifest(std::string_view text, const std::string& where) {
  const Reader reader(where);
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) reader.fail("is no JSON object");
  if (reader.text(json, "format") != kFormat) reader.fail("is no manifest of a checkpoint");
  const std::int64_t version = reader.count(json, "version");
  if (version != kCheckpointVersion) {
    throw ConfigError("'" + where + "': checkpoint of format version " + std::to_string(version) +
                      ", this build reads version " + std::to_string(kCheckpointVersion) +
                      "; resume with the build that saved it");
  }
  CheckpointInfo info = read_info(json, reader);
  info.version = version;
  return info;
}

}  // namespace anthill
