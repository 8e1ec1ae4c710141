#include "configs/unknown_name.hpp"

#include <algorithm>

#include "configs/fields.hpp"
#include "configs/toml_text.hpp"
#include "sim/nearest_name.hpp"

namespace anthill {
namespace {

bool is_bare_key(const std::string& part) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-';
  };
  return !part.empty() && std::all_of(part.begin(), part.end(), allowed);
}

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const Field& field : fields()) {
    if (std::find(names.begin(), names.end(), field.section) == names.end()) {
      names.push_back(field.section);
    }
  }
  return names;
}

bool is_known_section(const std::string& name) {
  for (const Field& field : fields()) {
    if (field.section == name || field.section.starts_with(name + ".")) return true;
  }
  return false;
}

std::vector<std::string> key_names(const std::string& section) {
  std::vector<std::string> names;
  for (const Field& field : fields()) {
    if (field.section == section) names.push_back(field.name);
  }
  return names;
}

/// The key of another section with this name, or with a name near to it; empty when there is none.
std::string key_elsewhere(const std::string& name) {
  std::vector<std::string> names;
  for (const Field& field : fields()) names.push_back(field.name);
  const std::string nearest = nearest_name(name, names);
  for (const Field& field : fields()) {
    if (!nearest.empty() && field.name == nearest) return field.key();
  }
  return "";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string unknown_section(const std::string& section) {
  const std::vector<std::string> names = section_names();
  const std::string nearest = nearest_name(section, names);
  return "unknown section [" + printable(section, 60) + "]; " +
         (nearest.empty() ? "the sections are " + joined(names)
                          : "did you mean [" + nearest + "]?");
}

std::string unknown_key(const std::string& section, const std::string& name) {
  const std::string what = "unknown key '" + printable(name, 60) + "'" +
                           (section.empty() ? " outside any section" : " in [" + section + "]");
  const std::vector<std::string> names = key_names(section);
  const std::string nearest = nearest_name(name, names);
  if (!nearest.empty()) return what + "; did you mean '" + nearest + "'?";
  const std::string elsewhere = key_elsewhere(name);
  if (!elsewhere.empty()) {
    const std::size_t dot = elsewhere.rfind('.');
    return what + "; did you mean '" + elsewhere.substr(dot + 1) + "' in [" +
           elsewhere.substr(0, dot) + "]?";
  }
  return what + (section.empty() ? "; the sections are " + joined(section_names())
                                 : "; the keys are " + joined(names));
}

}  // namespace

std::string dotted_key(const std::vector<std::string>& path) {
  std::string key;
  for (const std::string& part : path) {
    if (!key.empty()) key += '.';
    key += is_bare_key(part) ? part : toml_string(part);
  }
  return key;
}

bool is_section(const std::vector<std::string>& path) { return is_known_section(dotted_key(path)); }

std::string unknown_name_message(const std::vector<std::string>& path, bool is_table) {
  const std::string key = dotted_key(path);
  if (is_table) return unknown_section(key);
  if (is_known_section(key)) {
    return key + " is a section; write [" + key + "] and its keys below it";
  }
  const std::string section = dotted_key({path.begin(), path.end() - 1});
  return unknown_key(section, dotted_key({path.back()}));
}

std::string unknown_key_message(const std::string& key) {
  const std::size_t dot = key.rfind('.');
  if (is_known_section(key)) return key + " is a section; write --set " + key + ".KEY=VALUE";
  if (dot == std::string::npos) return unknown_key("", key);
  const std::string section = key.substr(0, dot);
  if (!is_known_section(section)) return unknown_section(section);
  return unknown_key(section, key.substr(dot + 1));
}

}  // namespace anthill
