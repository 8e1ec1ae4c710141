#include <algorithm>
#include <cmath>

#include "configs/fields.hpp"
#include "configs/toml_text.hpp"
#include "sim/nearest_name.hpp"

namespace anthill {
namespace {

constexpr std::size_t kMaxTextBytes = 1000;

std::string bound_text(double bound, bool integer) {
  return toml_value(integer ? Value(static_cast<std::int64_t>(bound)) : Value(bound));
}

/// " >= 1", " in [1, 1000000]", or "" where every number will do.
std::string range_text(const Range& range, bool integer) {
  if (std::isinf(range.low)) return "";
  const std::string low = bound_text(range.low, integer);
  if (std::isinf(range.high)) return (range.low_open ? " > " : " >= ") + low;
  return std::string(" in ") + (range.low_open ? "(" : "[") + low + ", " +
         bound_text(range.high, integer) + "]";
}

std::string list_text(const Field& field, const char* elements, bool integer) {
  const std::string count =
      field.min_items == field.max_items
          ? std::to_string(field.max_items)
          : std::to_string(field.min_items) + " to " + std::to_string(field.max_items);
  return "a list of " + count + elements + range_text(field.range, integer);
}

std::string choices_text(const std::vector<std::string>& choices) {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) text += i + 1 == choices.size() ? " or " : ", ";
    text += toml_string(choices[i]);
  }
  return text;
}

bool accepts(const Field&, bool) { return true; }

bool accepts(const Field& field, double number) {
  const Range& range = field.range;
  if (range.infinite && std::isinf(number)) return true;
  return std::isfinite(number) && number <= range.high &&
         (range.low_open ? number > range.low : number >= range.low);
}

bool accepts(const Field& field, std::int64_t number) {
  return accepts(field, static_cast<double>(number));
}

bool accepts(const Field& field, const std::string& text) {
  if (!field.choices.empty()) {
    return std::find(field.choices.begin(), field.choices.end(), text) != field.choices.end();
  }
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; };
  return text.size() <= kMaxTextBytes && std::none_of(text.begin(), text.end(), is_control);
}

template <class T>
bool accepts(const Field& field, const std::vector<T>& items) {
  return items.size() >= field.min_items && items.size() <= field.max_items &&
         std::all_of(items.begin(), items.end(),
                     [&](const T& item) { return accepts(field, item); });
}

/// Lists of at least one number each.
bool accepts(const Field& field, const std::vector<std::vector<double>>& lists) {
  constexpr std::size_t kMaxNumbers = 64;
  return lists.size() <= field.max_items &&
         std::all_of(lists.begin(), lists.end(), [&](const std::vector<double>& list) {
           return !list.empty() && list.size() <= kMaxNumbers &&
                  std::all_of(list.begin(), list.end(),
                              [&](double number) { return accepts(field, number); });
         });
}

}  // namespace

std::string describe_accepted(const Field& field) {
  switch (field.type) {
    case FieldType::boolean:
      return "true or false";
    case FieldType::integer:
      return "an integer" + range_text(field.range, true);
    case FieldType::real:
      return std::string(field.range.infinite ? "a real number, inf or -inf"
                                              : "a finite real number") +
             range_text(field.range, false);
    case FieldType::text:
      if (!field.choices.empty()) return choices_text(field.choices);
      return "one line of text of at most " + std::to_string(kMaxTextBytes) + " bytes";
    case FieldType::integers:
      return list_text(field, " integers", true);
    case FieldType::reals:
      return list_text(
          field,
          field.range.infinite ? " real numbers, inf and -inf included" : " finite real numbers",
          false);
    case FieldType::texts:
      if (!field.choices.empty())
        return list_text(field, " of ", false) + choices_text(field.choices);
      return list_text(
          field, (" texts of at most " + std::to_string(kMaxTextBytes) + " bytes each").c_str(),
          false);
    case FieldType::real_lists:
      return "a list of at most " + std::to_string(field.max_items) +
             " lists of finite real numbers";
  }
  return "";
}

std::string wrong_value_message(const Field& field, const std::string& got) {
  return field.key() + " must be " + describe_accepted(field) + ", got " + got +
         "; write for example " + field.name + " = " + toml_value(field.get(ExperimentConfig{}));
}

std::string check_value(const Field& field, const Value& value) {
  const bool accepted = type_of(value) == field.type &&
                        std::visit([&](const auto& held) { return accepts(field, held); }, value);
  if (accepted) return "";
  const std::string got = printable(toml_value(value), 60);
  if (type_of(value) == FieldType::text && field.type == FieldType::text) {
    const std::string nearest = nearest_name(std::get<std::string>(value), field.choices);
    if (!nearest.empty()) {
      return field.key() + " must be " + describe_accepted(field) + ", got " + got +
             "; did you mean " + toml_string(nearest) + "?";
    }
  }
  return wrong_value_message(field, got);
}

}  // namespace anthill
