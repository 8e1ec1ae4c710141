/// Checks of a task's options, shared by the tasks. Messages start with the option's key.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "sim/errors.hpp"
#include "sim/tasks.hpp"

namespace anthill {

/// "Ant" and v5 -> "Ant-v5".
inline std::string task_name(const std::string& task, TaskVersion version) {
  return task + (version == TaskVersion::v4 ? "-v4" : "-v5");
}

/// The options of one task, e.g. of section "sim.ant" and task "Ant-v4".
class OptionChecks {
 public:
  template <class T>
  struct Option {
    const char* key;
    T value;
  };

  OptionChecks(std::string section, std::string task)
      : section_(std::move(section)), task_(std::move(task)) {}

  /// Throws ConfigError "section.key: message" unless `condition`.
  void require(bool condition, const std::string& key, const std::string& message) const {
    if (!condition) throw ConfigError(section_ + "." + key + ": " + message);
  }

  /// An option that the task's version does not have must keep its default.
  template <class T>
  void lacks(const char* key, const T& value, const T& default_value) const {
    require(value == default_value, key, task_ + " has no such option; remove it");
  }

  /// The version always uses one model and one number of simulation steps.
  template <class Config>
  void lacks_model(const Config& config) const {
    const Config defaults;
    lacks("xml_file", config.xml_file, defaults.xml_file);
    lacks("frame_skip", config.frame_skip, defaults.frame_skip);
  }

  void finite(std::initializer_list<Option<double>> options) const {
    for (const auto& [key, value] : options) {
      require(std::isfinite(value), key, "must be a finite number");
    }
  }

  /// [low, high] with low < high; infinite ends mean "no bound", nan is refused.
  void ordered(std::initializer_list<Option<std::array<double, 2>>> options) const {
    for (const auto& [key, range] : options) {
      require(range[0] < range[1], key, "must be [low, high] with low < high");
    }
  }

  void frame_skip(std::int64_t value) const {
    require(value >= 1 && value <= 1000, "frame_skip", "must be between 1 and 1000");
  }

  void reset_noise_scale(double value) const {
    finite({{"reset_noise_scale", value}});
    require(value >= 0, "reset_noise_scale", "must be 0 or more");
  }

 private:
  std::string section_;
  std::string task_;
};

}  // namespace anthill
