/// The one table of settings: every key with its type, range, unit and meaning, and the way to its
/// place in ExperimentConfig. Reading, checking, writing and documenting all walk this table. To
/// add a setting, add a member to its config struct and one entry to its section in fields.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "algos/training/experiment_config.hpp"

namespace anthill {

/// A setting's value apart from its C++ member. Enumerators travel as their names.
using Value =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                 std::vector<double>, std::vector<std::string>, std::vector<std::vector<double>>>;

/// In the order of Value's alternatives.
enum class FieldType { boolean, integer, real, text, integers, reals, texts, real_lists };

inline FieldType type_of(const Value& value) { return static_cast<FieldType>(value.index()); }

/// Allowed numbers, for lists of each element. Never nan; infinities only where `infinite` says so.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;  // true: low itself is refused
  bool infinite = false;  // true: inf and -inf are accepted too
};

/// Whether a text says where a file is; a relative path counts from the configuration file.
enum class FileText {
  none,
  path,
  name_or_path,  // a bare name stands for one of the installed files (sim/assets.hpp)
};

struct Field {
  std::string section;  // "training", "sim.ant"
  std::string name;     // "replay_ratio"
  FieldType type = FieldType::boolean;
  Range range;
  std::vector<std::string> choices;  // text: the allowed values; empty: free text
  FileText file = FileText::none;
  std::size_t min_items = 0;  // lists: allowed lengths
  std::size_t max_items = 0;
  std::string unit;  // may be empty
  std::string doc;   // one sentence
  std::function<Value(const ExperimentConfig&)> get;
  std::function<void(ExperimentConfig&, const Value&)>
      set;  // takes a value that check_value passed

  std::string key() const { return section + "." + name; }

  /// Whether `value` is the path of a file.
  bool is_path(const Value& value) const;
};

/// All settings, section by section in the order of the documentation.
const std::vector<Field>& fields();

/// The field of "section.name", or nullptr.
const Field* find_field(std::string_view key);

/// A named set of values that agent.preset puts in place of the defaults.
struct Preset {
  std::string name;
  std::vector<std::pair<std::string, Value>> values;  // key, value
};

const std::vector<Preset>& presets();

/// The preset called `name`, which must be one of agent.preset's choices.
const Preset& find_preset(std::string_view name);

/// What the field accepts, as words: "an integer in [1, 1000000]".
std::string describe_accepted(const Field& field);

/// Empty when the field accepts `value`; otherwise what is wrong and what to do, without a
/// location: "training.tau must be a real number in (0, 1], got 2.0; write for example tau =
/// 0.005".
std::string check_value(const Field& field, const Value& value);

/// The same message for a value that is no Value of the field's type, described by `got`.
std::string wrong_value_message(const Field& field, const std::string& got);

}  // namespace anthill
