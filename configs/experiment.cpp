#include "configs/experiment.hpp"

#include <filesystem>
#include <utility>

#include "configs/experiment_file.hpp"
#include "configs/fields.hpp"
#include "configs/relations.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

void apply(ResolvedExperiment& experiment, const Field& field, const Value& value,
           const std::string& origin) {
  field.set(experiment.config, value);
  experiment.origins[field.key()] = origin;
}

/// A path that was written relative to `folder`, as one that holds from everywhere.
Value absolute_path(const Value& value, const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::path absolute =
      std::filesystem::absolute(folder / std::get<std::string>(value), error);
  return error ? value : Value(absolute.lexically_normal().string());
}

/// What agent.preset is set to, here: the last of several wins.
std::string preset_name(const std::vector<Setting>& settings) {
  std::string name = AgentConfig{}.preset;
  for (const Setting& setting : settings) {
    if (setting.field->key() == "agent.preset") name = std::get<std::string>(setting.value);
  }
  return name;
}

}  // namespace

ExperimentFile read_experiment_file(const std::string& path) {
  ExperimentFile file{path, read_config_file(path), {}};
  file.settings = read_settings(file.verbatim, path);
  return file;
}

ResolvedExperiment resolve_experiment(const ExperimentFile& file,
                                      const std::vector<Setting>& later) {
  ResolvedExperiment experiment;
  experiment.path = file.path;
  experiment.verbatim = file.verbatim;
  std::vector<Setting> settings = file.settings;
  settings.insert(settings.end(), later.begin(), later.end());
  // default < preset < file < override
  for (const Field& field : fields()) experiment.origins[field.key()] = kDefaultOrigin;
  const Preset& preset = find_preset(preset_name(settings));
  for (const auto& [key, value] : preset.values) {
    apply(experiment, *find_field(key), value, kPresetOrigin + preset.name);
  }
  const std::filesystem::path folder = std::filesystem::path(file.path).parent_path();
  for (const Setting& setting : settings) {
    // a file's paths count from the file, the command line's from where the command runs
    const bool in_file = setting.location != kOverrideOrigin;
    const Value value = setting.field->is_path(setting.value)
                            ? absolute_path(setting.value, in_file ? folder : "")
                            : setting.value;
    apply(experiment, *setting.field, value, setting.location);
  }
  check_relations(experiment);
  return experiment;
}

ResolvedExperiment read_experiment(const std::string& path,
                                   const std::vector<std::string>& overrides,
                                   const std::vector<Setting>& last) {
  const ExperimentFile file = read_experiment_file(path);
  std::vector<Setting> later;
  for (const std::string& text : overrides) {
    later.push_back(read_override(text));
    later.back().location = kOverrideOrigin;
  }
  later.insert(later.end(), last.begin(), last.end());
  return resolve_experiment(file, later);
}

std::vector<std::string> check_experiment(const ResolvedExperiment& experiment, int num_cores) {
  for (const Field& field : fields()) {
    const std::string problem = check_value(field, field.get(experiment.config));
    if (!problem.empty()) {
      throw ConfigError(location_of(experiment, {field.key()}) + ": " + problem);
    }
  }
  check_relations(experiment);
  return relation_warnings(experiment, num_cores);
}

}  // namespace anthill
