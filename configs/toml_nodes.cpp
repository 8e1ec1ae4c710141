#include "configs/toml_nodes.hpp"

#include <optional>

#include "configs/toml_scan.hpp"
#include "configs/toml_text.hpp"
#include "sim/errors.hpp"

namespace anthill {

std::string position_text(const toml::source_position& at) {
  std::string text(":");
  text += std::to_string(at.line);
  text += ':';
  text += std::to_string(at.column);
  return text;
}

namespace {

template <class T>
std::optional<Value> list_value(const toml::array& array) {
  std::vector<T> items;
  for (const toml::node& node : array) {
    if (const auto* exact = node.as<T>()) {
      items.push_back(exact->get());
      continue;
    }
    if constexpr (std::is_same_v<T, double>) {
      if (node.is_integer()) {
        items.push_back(static_cast<double>(node.as_integer()->get()));
        continue;
      }
    }
    return std::nullopt;
  }
  return items;
}

std::optional<Value> list_of_lists(const toml::array& array) {
  std::vector<std::vector<double>> lists;
  for (const toml::node& node : array) {
    const toml::array* inner = node.as_array();
    const std::optional<Value> list = inner ? list_value<double>(*inner) : std::nullopt;
    if (!list) return std::nullopt;
    lists.push_back(std::get<std::vector<double>>(*list));
  }
  return lists;
}

/// The node as a value of the field's type, or nothing where that would take a conversion.
std::optional<Value> node_value(const toml::node& node, FieldType type) {
  if (const auto* boolean = node.as_boolean(); boolean && type == FieldType::boolean) {
    return boolean->get();
  }
  if (const auto* integer = node.as_integer()) {
    if (type == FieldType::integer) return integer->get();
    if (type == FieldType::real) return static_cast<double>(integer->get());
  }
  if (const auto* real = node.as_floating_point(); real && type == FieldType::real) {
    return real->get();
  }
  if (const auto* text = node.as_string(); text && type == FieldType::text) return text->get();
  if (const auto* array = node.as_array()) {
    if (type == FieldType::integers) return list_value<std::int64_t>(*array);
    if (type == FieldType::reals) return list_value<double>(*array);
    if (type == FieldType::texts) return list_value<std::string>(*array);
    if (type == FieldType::real_lists) return list_of_lists(*array);
  }
  return std::nullopt;
}

}  // namespace

std::string describe_node(const toml::node& node) {
  if (const auto* v = node.as_boolean()) return "the boolean " + toml_value(v->get());
  if (const auto* v = node.as_integer()) return "the integer " + toml_value(v->get());
  if (const auto* v = node.as_floating_point()) return "the real number " + toml_value(v->get());
  if (const auto* v = node.as_string()) return "the string " + printable(toml_string(v->get()), 60);
  if (node.is_array()) return "a list of other elements";
  if (node.is_table()) return "a section";
  return "a date or time";
}

namespace {

std::string describe_mismatch(const toml::node& node, FieldType type) {
  const bool wants_list = type >= FieldType::integers;
  return node.is_array() && !wants_list ? "a list" : describe_node(node);
}

}  // namespace

Value checked_node(const Field& field, const toml::node& node, const std::string& location) {
  const std::optional<Value> value = node_value(node, field.type);
  if (!value) {
    const std::string got = describe_mismatch(node, field.type);
    throw ConfigError(location + ": " + wrong_value_message(field, got));
  }
  const std::string problem = check_value(field, *value);
  if (!problem.empty()) throw ConfigError(location + ": " + problem);
  return *value;
}

namespace {

/// The parser's description without its preamble, and what to do about it.
std::string syntax_message(const toml::parse_error& error) {
  std::string what(error.description());
  if (const std::size_t at = what.find("cannot redefine existing "); at != std::string::npos) {
    return printable(what.substr(at)) + ", every key and section may appear once; remove one";
  }
  const std::string preamble = "Error while parsing ";
  if (what.starts_with(preamble)) what.erase(0, preamble.size());
  if (what.starts_with('E')) what[0] = 'e';
  return "invalid TOML, " + printable(what) +
         "; correct the syntax (text needs quotes, lists need brackets)";
}

}  // namespace

toml::table parse_toml(std::string_view text, const Locate& locate) {
  const ScanProblem problem = scan_toml(text);
  if (problem.line > 0) {
    const auto at = toml::source_position{static_cast<toml::source_index>(problem.line),
                                          static_cast<toml::source_index>(problem.column)};
    throw ConfigError(locate(at) + ": " + problem.message);
  }
  toml::parse_result result = toml::parse(text);
  if (!result) {
    throw ConfigError(locate(result.error().source().begin) + ": " +
                      syntax_message(result.error()));
  }
  return std::move(result).table();
}

}  // namespace anthill
