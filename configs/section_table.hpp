/// How a member of a config struct becomes a Field. Only the files of the field table need this.
#pragma once

#include <array>
#include <span>
#include <stdexcept>
#include <type_traits>

#include "configs/fields.hpp"

namespace anthill {

template <class Enum>
struct EnumName {
  Enum value;
  const char* name;
};

// the names of every enumeration that a setting can hold
std::span<const EnumName<DeviceChoice>> enum_names(DeviceChoice);
std::span<const EnumName<DeviceSystem>> enum_names(DeviceSystem);
std::span<const EnumName<OnNonFinite>> enum_names(OnNonFinite);
std::span<const EnumName<Initialisation>> enum_names(Initialisation);
std::span<const EnumName<NetworkInitialisation>> enum_names(NetworkInitialisation);
std::span<const EnumName<PolicyDistribution>> enum_names(PolicyDistribution);
std::span<const EnumName<EntropyForm>> enum_names(EntropyForm);
std::span<const EnumName<PolicyValue>> enum_names(PolicyValue);
std::span<const EnumName<TargetAggregation>> enum_names(TargetAggregation);
std::span<const EnumName<ActionUnits>> enum_names(ActionUnits);
std::span<const EnumName<Activation>> enum_names(Activation);
std::span<const EnumName<LayerNormPlacement>> enum_names(LayerNormPlacement);
std::span<const EnumName<LogStdForm>> enum_names(LogStdForm);
std::span<const EnumName<LogProbForm>> enum_names(LogProbForm);
std::span<const EnumName<AlphaLossForm>> enum_names(AlphaLossForm);
std::span<const EnumName<PolicyOutput>> enum_names(PolicyOutput);
std::span<const EnumName<TargetClip>> enum_names(TargetClip);
std::span<const EnumName<ResetUnit>> enum_names(ResetUnit);
std::span<const EnumName<ExplorationSchedule>> enum_names(ExplorationSchedule);
std::span<const EnumName<ExplorationCoin>> enum_names(ExplorationCoin);

inline constexpr Range kAny{};
// an infinite end means that there is no such bound
inline constexpr Range kAnyOrInfinite{.infinite = true};

constexpr Range between(double low, double high) { return {low, high}; }

constexpr Range at_least(double low) { return {low}; }

constexpr Range above(double low, double high) { return {low, high, true}; }

template <class T>
Value to_value(const T& member) {
  if constexpr (std::is_enum_v<T>) {
    for (const auto& [value, name] : enum_names(T{})) {
      if (value == member) return std::string(name);
    }
    throw std::logic_error("an enumerator has no name in configs/fields.cpp");
  } else if constexpr (std::is_same_v<T, std::array<double, 2>>) {
    return std::vector<double>(member.begin(), member.end());
  } else {
    return member;
  }
}

template <class T>
void from_value(const Value& value, T& member) {
  if constexpr (std::is_enum_v<T>) {
    const std::string& wanted = std::get<std::string>(value);
    for (const auto& [enumerator, name] : enum_names(T{})) {
      if (wanted == name) member = enumerator;
    }
  } else if constexpr (std::is_same_v<T, std::array<double, 2>>) {
    const auto& items = std::get<std::vector<double>>(value);
    member = {items.at(0), items.at(1)};
  } else {
    member = std::get<T>(value);
  }
}

/// Appends the fields of one section. `Select` maps (const) ExperimentConfig& to the section's
/// struct.
template <class Select>
class SectionTable {
 public:
  SectionTable(std::vector<Field>& fields, std::string section, Select select)
      : fields_(fields), section_(std::move(section)), select_(select) {}

  /// A switch or an enumeration.
  template <class T, class Struct>
  void add(std::string name, T Struct::*member, std::string doc) {
    Field& field = append(std::move(name), member, {}, "", std::move(doc));
    if constexpr (std::is_enum_v<T>) {
      for (const auto& entry : enum_names(T{})) field.choices.emplace_back(entry.name);
    }
  }

  /// A number.
  template <class T, class Struct>
  void add(std::string name, T Struct::*member, Range range, std::string unit, std::string doc) {
    append(std::move(name), member, range, std::move(unit), std::move(doc));
  }

  /// Text with a closed list of values.
  template <class Struct>
  void add(std::string name, std::string Struct::*member, std::vector<std::string> choices,
           std::string doc) {
    append(std::move(name), member, {}, "", std::move(doc)).choices = std::move(choices);
  }

  /// The path of a file that is read; relative ones count from the configuration file.
  template <class Struct>
  void add_path(std::string name, std::string Struct::*member, std::string doc) {
    append(std::move(name), member, {}, "", std::move(doc)).file = FileText::path;
  }

  /// A bare name of an installed file, or a path, which starts with / or a dot.
  template <class Struct>
  void add_name_or_path(std::string name, std::string Struct::*member, std::string doc) {
    append(std::move(name), member, {}, "", std::move(doc)).file = FileText::name_or_path;
  }

  /// A list of at most `max_items` texts.
  template <class Struct>
  void add(std::string name, std::vector<std::string> Struct::*member, std::size_t max_items,
           std::string doc) {
    append(std::move(name), member, {}, "", std::move(doc)).max_items = max_items;
  }

  /// A list of some of `choices`, at least one.
  template <class Struct>
  void add(std::string name, std::vector<std::string> Struct::*member,
           std::vector<std::string> choices, std::string doc) {
    Field& field = append(std::move(name), member, {}, "", std::move(doc));
    field.min_items = 1;
    field.max_items = choices.size();
    field.choices = std::move(choices);
  }

  /// A list of at most `max_items` lists of real numbers.
  template <class Struct>
  void add(std::string name, std::vector<std::vector<double>> Struct::*member,
           std::size_t max_items, std::string doc) {
    append(std::move(name), member, {}, "", std::move(doc)).max_items = max_items;
  }

  /// A list of at most `max_items` integers.
  template <class Struct>
  void add(std::string name, std::vector<std::int64_t> Struct::*member, std::size_t max_items,
           Range range, std::string unit, std::string doc) {
    append(std::move(name), member, range, std::move(unit), std::move(doc)).max_items = max_items;
  }

 private:
  template <class T, class Struct>
  Field& append(std::string name, T Struct::*member, Range range, std::string unit,
                std::string doc) {
    Field field;
    field.section = section_;
    field.name = std::move(name);
    field.range = range;
    field.unit = std::move(unit);
    field.doc = std::move(doc);
    field.get = [select = select_, member](const ExperimentConfig& config) {
      return to_value(select(config).*member);
    };
    field.set = [select = select_, member](ExperimentConfig& config, const Value& value) {
      from_value(value, select(config).*member);
    };
    field.type = type_of(to_value(T{}));
    if constexpr (std::is_same_v<T, std::array<double, 2>>) field.min_items = field.max_items = 2;
    fields_.push_back(std::move(field));
    return fields_.back();
  }

  std::vector<Field>& fields_;
  std::string section_;
  Select select_;
};

}  // namespace anthill
