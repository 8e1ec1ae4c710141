#include "configs/sweep_tables.hpp"

#include <algorithm>

#include "configs/toml_text.hpp"
#include "configs/unknown_name.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

bool is_section_name(const std::string& key) {
  return std::ranges::any_of(fields(), [&](const Field& field) {
    return field.section == key || field.section.starts_with(key + ".");
  });
}

}  // namespace

SweepTables::SweepTables(const std::string& path)
    : file_(printable(path)), folder_(fs::path(path).parent_path()) {}

void SweepTables::refuse(const toml::source_position& at, const std::string& what) const {
  throw ConfigError(locate(at) + ": " + what);
}

/// The keys of a table in the order of the text; tables inside of it are the first parts of dotted
/// keys that were written without quotes.
std::vector<SweepTables::Entry> SweepTables::entries(const toml::table& table,
                                                     const std::string& prefix) const {
  std::vector<Entry> found;
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table(); inner != nullptr && is_section({name})) {
      for (Entry& entry : entries(*inner, name + ".")) found.push_back(std::move(entry));
    } else if (inner != nullptr && prefix.empty() && name.find('.') == std::string::npos) {
      refuse(key.source().begin, unknown_name_message({name}, true));
    } else {
      found.push_back({name, key.source().begin, &node});
    }
  }
  std::ranges::sort(found, [](const Entry& a, const Entry& b) { return before(a.at, b.at); });
  return found;
}

const Field& SweepTables::field_of(const Entry& entry) const {
  const Field* field = find_field(entry.key);
  if (field == nullptr) {
    std::string message = unknown_key_message(entry.key);
    if (is_section_name(entry.key)) {
      message = entry.key + " is a section, and only single settings can be swept; write for " +
                "example \"" + entry.key + ".KEY\" = [...]";
    }
    refuse(entry.at, message);
  }
  if (entry.key == "run.seed") {
    refuse(entry.at, "the seeds are no part of a point; list them in `seeds` at the top");
  }
  return *field;
}

Setting SweepTables::setting(const Field& field, const toml::node& node) const {
  const std::string location = locate(node.source().begin);
  Value value = checked_node(field, node, location);
  if (field.is_path(value)) {
    value = fs::absolute(folder_ / std::get<std::string>(value)).lexically_normal().string();
  }
  return {&field, std::move(value), location};
}

std::vector<Setting> SweepTables::list(const Entry& entry) const {
  const Field& field = field_of(entry);
  const toml::array* array = entry.node->as_array();
  if (array == nullptr) {
    refuse(entry.node->source().begin, "'" + entry.key + "' needs a list of values, got " +
                                           describe_node(*entry.node) +
                                           "; put it in [], or under [set] if it is fixed");
  }
  if (array->empty()) {
    refuse(entry.node->source().begin, "'" + entry.key + "' has an empty list; give it values");
  }
  std::vector<Setting> settings;
  for (const toml::node& node : *array) settings.push_back(setting(field, node));
  return settings;
}

SweepCombination SweepTables::combination(const toml::table& table, const std::string& kind) const {
  SweepCombination found;
  found.location = locate(table.source().begin);
  for (const Entry& entry : entries(table)) {
    found.settings.push_back(setting(field_of(entry), *entry.node));
  }
  if (found.settings.empty()) {
    throw ConfigError(found.location + ": this " + kind + " has no setting; fill or remove it");
  }
  return found;
}

std::vector<SweepAxis> SweepTables::grid(const toml::table& table) const {
  if (table.empty()) refuse(table.source().begin, "[grid] is empty; fill or remove it");
  std::vector<SweepAxis> axes;
  for (const Entry& entry : entries(table)) {
    SweepAxis axis;
    for (Setting& one : list(entry)) {
      const std::string location = one.location;
      axis.rows.push_back({{std::move(one)}, location});
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

SweepAxis SweepTables::zip(const toml::table& table) const {
  SweepAxis axis;
  std::string first;
  for (const Entry& entry : entries(table)) {
    std::vector<Setting> settings = list(entry);
    if (first.empty()) {
      first = entry.key;
      for (const Setting& one : settings) axis.rows.push_back({{}, one.location});
    }
    if (settings.size() != axis.rows.size()) {
      refuse(entry.node->source().begin, "the lists of a [[zip]] have equal lengths: '" +
                                             entry.key + "' has " +
                                             std::to_string(settings.size()) + " values, '" +
                                             first + "' has " + std::to_string(axis.rows.size()));
    }
    for (std::size_t i = 0; i < settings.size(); ++i) {
      axis.rows[i].settings.push_back(std::move(settings[i]));
    }
  }
  if (first.empty()) refuse(table.source().begin, "this [[zip]] has no key; fill or remove it");
  return axis;
}

}  // namespace anthill
