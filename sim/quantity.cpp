#include "sim/quantity.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "sim/errors.hpp"
#include "sim/nearest_name.hpp"

namespace anthill {
namespace {

/// An array of mjData: `rows(model)` rows of `width` elements; `object` names its rows.
struct Array {
  const char* name;
  mjtNum* mjData::*array;
  mjtSize (*rows)(const mjModel&);
  std::size_t width = 1;
  mjtObj object = mjOBJ_UNKNOWN;
};

mjtSize num_bodies(const mjModel& m) { return m.nbody; }

constexpr Array kArrays[] = {
    {"qpos", &mjData::qpos, [](const mjModel& m) -> mjtSize { return m.nq; }},
    {"qvel", &mjData::qvel, [](const mjModel& m) -> mjtSize { return m.nv; }},
    {"act", &mjData::act, [](const mjModel& m) -> mjtSize { return m.na; }},
    {"qfrc_actuator", &mjData::qfrc_actuator, [](const mjModel& m) -> mjtSize { return m.nv; }},
    {"actuator_force", &mjData::actuator_force, [](const mjModel& m) -> mjtSize { return m.nu; }},
    {"sensordata", &mjData::sensordata, [](const mjModel& m) { return m.nsensordata; }},
    {"xpos", &mjData::xpos, num_bodies, 3, mjOBJ_BODY},
    {"cinert", &mjData::cinert, num_bodies, 10, mjOBJ_BODY},
    {"cvel", &mjData::cvel, num_bodies, 6, mjOBJ_BODY},
    {"cfrc_ext", &mjData::cfrc_ext, num_bodies, 6, mjOBJ_BODY},
};
constexpr const char* kObjects[] = {"sensor", "joint", "joint_velocity"};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The whole of `text` as a number.
template <typename Number>
bool parse(std::string_view text, Number& number) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// Says where a mistake is: the key and the text as written.
struct Place {
  const std::string& key;
  const std::string& text;

  [[noreturn]] void fail(const std::string& what) const {
    throw ConfigError(key + ": '" + text.substr(0, 200) + "': " + what);
  }
};

/// "NAME(OBJECT)[SLICE]" cut at its brackets.
struct Parts {
  std::string name, object, slice;
  bool has_object = false, has_slice = false;
};

Parts split(std::string_view text, const Place& place) {
  Parts parts;
  const std::size_t end = text.find_first_of("([");
  parts.name = trimmed(text.substr(0, end));
  if (end != std::string_view::npos && text[end] == '(') {
    const std::size_t close = text.find(')', end);
    if (close == std::string_view::npos) place.fail("no ')' after '('");
    parts.has_object = true;
    parts.object = trimmed(text.substr(end + 1, close - end - 1));
    text.remove_prefix(close + 1);
  } else {
    text.remove_prefix(std::min(end, text.size()));
  }
  text = trimmed(text);
  if (text.empty()) return parts;
  if (text.front() != '[' || text.back() != ']') {
    place.fail("write it as ARRAY, ARRAY[first:end], ARRAY(NAME) or ARRAY(NAME)[first:end]");
  }
  parts.has_slice = true;
  parts.slice = text.substr(1, text.size() - 2);
  return parts;
}

struct Slice {
  std::size_t first, end;
};

Slice parse_slice(const std::string& text, std::size_t size, const Place& place) {
  const std::size_t colon = text.find(':');
  Slice slice{0, size};
  if (colon == std::string::npos) {
    if (!parse(text, slice.first)) place.fail("'" + text + "' is no index; write for example [2:]");
    slice.end = slice.first + 1;
  } else {
    const std::string_view view = text;
    const std::string_view first = trimmed(view.substr(0, colon));
    const std::string_view end = trimmed(view.substr(colon + 1));
    if ((!first.empty() && !parse(first, slice.first)) ||
        (!end.empty() && !parse(end, slice.end))) {
      place.fail("'" + text + "' is no slice; write for example [2:] or [0:3]");
    }
  }
  if (slice.first >= slice.end || slice.end > size) {
    place.fail("[" + text + "] is empty or beyond the model's " + std::to_string(size) +
               (size == 1 ? " element" : " elements"));
  }
  return slice;
}

int find_object(const mjModel& m, mjtObj type, const std::string& name, const Place& place) {
  const int id = mj_name2id(&m, type, name.c_str());
  if (id >= 0) return id;
  const mjtSize count = type == mjOBJ_BODY ? m.nbody : type == mjOBJ_SENSOR ? m.nsensor : m.njnt;
  std::vector<std::string> known;
  for (int i = 0; i < count; ++i) {
    if (const char* other = mj_id2name(&m, type, i)) known.emplace_back(other);
  }
  const std::string nearest = nearest_name(name, known);
  place.fail("the model has no " + std::string(mju_type2Str(type)) + " named '" + name + "'" +
             (nearest.empty() ? "; name one of the model's" : "; did you mean '" + nearest + "'?"));
}

/// The elements of qpos (or qvel) that belong to a joint.
Quantity joint_part(const mjModel& m, int joint, bool velocity) {
  const int type = m.jnt_type[joint];
  const std::size_t num_positions = type == mjJNT_FREE ? 7 : type == mjJNT_BALL ? 4 : 1;
  const std::size_t num_velocities = type == mjJNT_FREE ? 6 : type == mjJNT_BALL ? 3 : 1;
  if (velocity) {
    return {&mjData::qvel, static_cast<std::size_t>(m.jnt_dofadr[joint]), num_velocities};
  }
  return {&mjData::qpos, static_cast<std::size_t>(m.jnt_qposadr[joint]), num_positions};
}

/// Rows hold no time.
void refuse_clocks(const mjModel& m, const Quantity& quantity, const Place& place) {
  if (quantity.array != &mjData::sensordata) return;
  for (mjtSize i = 0; i < m.nsensor; ++i) {
    const auto element = static_cast<std::size_t>(m.sensor_adr[i]);
    const bool is_named = quantity.first <= element && element < quantity.first + quantity.size;
    if (m.sensor_type[i] != mjSENS_CLOCK || !is_named) continue;
    place.fail("a clock is no part of the state; leave out element " + std::to_string(element) +
               " of sensordata");
  }
}

Quantity sensor_part(const mjModel& m, int sensor) {
  return {&mjData::sensordata, static_cast<std::size_t>(m.sensor_adr[sensor]),
          static_cast<std::size_t>(m.sensor_dim[sensor])};
}

[[noreturn]] void fail_unknown(const std::string& name, const Place& place) {
  std::vector<std::string> known;
  std::string list;
  for (const Array& array : kArrays) known.emplace_back(array.name);
  for (const char* object : kObjects) known.emplace_back(std::string(object) + "(NAME)");
  for (const std::string& text : known) list += (list.empty() ? "" : ", ") + text;
  const std::string nearest = nearest_name(name, known);
  place.fail("unknown field '" + name + "'; " +
             (nearest.empty() ? "" : "did you mean '" + nearest + "'? ") + "the fields are " +
             list);
}

/// The part named "NAME(OBJECT)", or the whole array.
Quantity find_part(const mjModel& m, const Parts& parts, const Place& place, std::size_t& width) {
  width = 1;
  if (parts.has_object && parts.name == "sensor") {
    return sensor_part(m, find_object(m, mjOBJ_SENSOR, parts.object, place));
  }
  if (parts.has_object && (parts.name == "joint" || parts.name == "joint_velocity")) {
    const int joint = find_object(m, mjOBJ_JOINT, parts.object, place);
    return joint_part(m, joint, parts.name != "joint");
  }
  for (const Array& array : kArrays) {
    if (parts.name != array.name) continue;
    if (!parts.has_object) {
      width = array.width;
      return {array.array, 0, static_cast<std::size_t>(array.rows(m)) * array.width};
    }
    if (array.object == mjOBJ_UNKNOWN) place.fail("'" + parts.name + "' takes no (NAME)");
    const int row = find_object(m, array.object, parts.object, place);
    return {array.array, static_cast<std::size_t>(row) * array.width, array.width};
  }
  fail_unknown(parts.name, place);
}

Quantity find(const mjModel& m, std::string_view text, const Place& place) {
  const Parts parts = split(trimmed(text), place);
  std::size_t width = 1;
  Quantity quantity = find_part(m, parts, place, width);
  if (quantity.size == 0) place.fail("the model has none of it; leave it out");
  if (quantity.array == &mjData::sensordata && (m.opt.disableflags & mjDSBL_SENSOR) != 0) {
    place.fail("the model's <flag sensor=\"disable\"/> turns its sensors off; remove it");
  }
  if (parts.has_slice) {
    const Slice slice = parse_slice(parts.slice, quantity.size / width, place);
    quantity.first += slice.first * width;
    quantity.size = (slice.end - slice.first) * width;
  }
  refuse_clocks(m, quantity, place);
  return quantity;
}

}  // namespace

Quantity find_quantity(const mjModel& model, const std::string& key, const std::string& text) {
  return find(model, text, {key, text});
}

int find_body(const mjModel& model, const std::string& key, const std::string& name) {
  return find_object(model, mjOBJ_BODY, name, {key, name});
}

Bound find_bound(const mjModel& model, const std::string& key, const std::string& text) {
  const Place place{key, text};
  const char* form = "write it as LOW <= QUANTITY <= HIGH, QUANTITY < HIGH or LOW < QUANTITY";
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<std::string_view> parts;
  std::vector<bool> open;
  std::string_view rest = text;
  for (std::size_t at; (at = rest.find('<')) != std::string_view::npos;) {
    parts.push_back(rest.substr(0, at));
    open.push_back(at + 1 >= rest.size() || rest[at + 1] != '=');
    rest.remove_prefix(at + (open.back() ? 1 : 2));
  }
  parts.push_back(rest);
  Bound bound{
      .quantity = {}, .low = -kInfinity, .high = kInfinity, .low_open = false, .high_open = false};
  if (parts.size() < 2 || parts.size() > 3) place.fail(form);
  const bool has_low = parse(parts.front(), bound.low);
  const bool has_high = parse(parts.back(), bound.high);
  if ((parts.size() == 3 && !(has_low && has_high)) || (parts.size() == 2 && has_low == has_high)) {
    place.fail(form);
  }
  if (has_low) bound.low_open = open.front();
  if (has_high) bound.high_open = open.back();
  if (!(bound.low < bound.high)) place.fail("the lower end is not below the upper end");
  bound.quantity = find(model, parts[has_low ? 1 : 0], place);
  return bound;
}

WeightedQuantity find_weighted(const mjModel& model, const std::string& key,
                               const std::string& text) {
  const Place place{key, text};
  const std::size_t star = text.find('*');
  WeightedQuantity term{.weight = 0, .quantity = {}, .squared = false};
  if (star == std::string::npos || !parse(std::string_view(text).substr(0, star), term.weight) ||
      !std::isfinite(term.weight)) {
    place.fail("write it as WEIGHT * QUANTITY or WEIGHT * QUANTITY^2");
  }
  std::string_view quantity = trimmed(std::string_view(text).substr(star + 1));
  term.squared = quantity.ends_with("^2");
  if (term.squared) quantity.remove_suffix(2);
  term.quantity = find(model, quantity, place);
  return term;
}

}  // namespace anthill
