#include "configs/toml_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "configs/toml_nodes.hpp"
#include "configs/toml_text.hpp"
#include "configs/unknown_name.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

/// A key that holds a value, with its full path.
struct Leaf {
  std::vector<std::string> path;
  toml::source_position key_at;
  const toml::node* node = nullptr;
};

/// All leaves below `table`. A table where a setting should be counts as a leaf. The depth is
/// bounded by scan_toml.
void collect_leaves(const toml::table& table, const std::vector<std::string>& path,
                    std::vector<Leaf>& leaves) {
  for (const auto& [key, node] : table) {
    std::vector<std::string> child_path = path;
    child_path.emplace_back(key.str());
    const toml::table* child = node.as_table();
    if (child != nullptr && is_section(child_path)) {
      collect_leaves(*child, child_path, leaves);
    } else {
      leaves.push_back({std::move(child_path), key.source().begin, &node});
    }
  }
}

/// The settings in a table, in the order of the text.
template <class Locate>
std::vector<Setting> settings_of(const toml::table& table, const Locate& locate) {
  std::vector<Leaf> leaves;
  collect_leaves(table, {}, leaves);
  std::sort(leaves.begin(), leaves.end(),
            [](const Leaf& a, const Leaf& b) { return before(a.key_at, b.key_at); });
  std::vector<Setting> settings;
  for (const Leaf& leaf : leaves) {
    const Field* field = find_field(dotted_key(leaf.path));
    if (field == nullptr) {
      throw ConfigError(locate(leaf.key_at) + ": " +
                        unknown_name_message(leaf.path, leaf.node->is_table()));
    }
    const std::string location = locate(leaf.node->source().begin);
    settings.push_back({field, checked_node(*field, *leaf.node, location), location});
  }
  return settings;
}

bool is_bare_word(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("_-./~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed) &&
         !(text[0] >= '0' && text[0] <= '9') && text[0] != '-';
}

}  // namespace

std::string read_config_file(const std::string& path) {
  const std::string name = printable(path);
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw ConfigError(name + ": no such file; check the path");
  }
  if (error) throw ConfigError(name + ": " + error.message() + "; check the path");
  if (std::filesystem::is_directory(status)) {
    throw ConfigError(name + ": is a directory; give a TOML file in it");
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw ConfigError(name + ": is not a regular file; give a TOML file");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw ConfigError(name + ": cannot be opened; check its permissions");
  // one byte more than scan_toml accepts is enough to be refused
  std::string text((std::size_t{1} << 20) + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) throw ConfigError(name + ": cannot be read; check the file");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

std::vector<Setting> read_settings(std::string_view text, const std::string& path) {
  const std::string file = printable(path);
  const auto locate = [&](const toml::source_position& at) { return file + position_text(at); };
  const toml::table root = parse_toml(text, locate);
  std::vector<Setting> settings = settings_of(root, locate);
  if (settings.empty()) {
    throw ConfigError(file +
                      ":1:1: no setting in this file; start with [sim] and env = \"Ant-v4\"");
  }
  return settings;
}

std::vector<MemberTable> read_member_tables(std::string_view text, const std::string& path) {
  const std::string file = printable(path);
  const auto locate = [&](const toml::source_position& at) { return file + position_text(at); };
  toml::table root = parse_toml(text, locate);
  for (const auto& [key, node] : root) {
    if (key.str() == "members" && node.is_array_of_tables()) continue;
    throw ConfigError(locate(key.source().begin) + ": '" + printable(key.str(), 60) +
                      "' does not belong here; a file of members holds [[members]] tables alone");
  }
  std::vector<MemberTable> members;
  if (toml::array* tables = root["members"].as_array()) {
    for (toml::node& node : *tables) {
      toml::table& table = *node.as_table();
      MemberTable member{.folder = "", .location = locate(table.source().begin), .settings = {}};
      if (const toml::node* folder = table.get("folder")) {
        const auto* text_node = folder->as_string();
        if (text_node == nullptr || text_node->get().empty()) {
          throw ConfigError(locate(folder->source().begin) +
                            ": folder must be a text such as \"seed-0\", got " +
                            describe_node(*folder));
        }
        member.folder = text_node->get();
        table.erase("folder");
      }
      member.settings = settings_of(table, locate);
      members.push_back(std::move(member));
    }
  }
  if (members.empty()) {
    throw ConfigError(file +
                      ":1:1: no member in this file; start with [[members]] and "
                      "run.seed = 0");
  }
  return members;
}

Setting read_override(const std::string& text) {
  const std::string location = "--set " + printable(text, 100);
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    throw ConfigError(location + ": no '=' in it; write --set section.key=value");
  }
  const std::string key = text.substr(0, equals);
  const std::string value = text.substr(equals + 1);
  const Field* field = find_field(key);
  if (field == nullptr) throw ConfigError(location + ": " + unknown_key_message(key));
  if (value.find_first_of("\r\n") != std::string::npos) {
    throw ConfigError(location + ": the value has a line break; write it on one line");
  }
  const auto locate = [&](const toml::source_position&) { return location; };
  if (is_bare_word(value) && !toml::parse("value = " + value)) {
    return {field, checked_node(*field, toml::value<std::string>(value), location), location};
  }
  const toml::table table = parse_toml("value = " + value, locate);
  return {field, checked_node(*field, *table.get("value"), location), location};
}

}  // namespace anthill
