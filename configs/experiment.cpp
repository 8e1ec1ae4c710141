#include "configs/experiment.hpp"

#include <utility>

#include "configs/fields.hpp"
#include "configs/relations.hpp"
#include "configs/toml_reader.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

void apply(ResolvedExperiment& experiment, const Field& field, const Value& value,
           const std::string& origin) {
  field.set(experiment.config, value);
  experiment.origins[field.key()] = origin;
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

ResolvedExperiment read_experiment(const std::string& path,
                                   const std::vector<std::string>& overrides) {
  ResolvedExperiment experiment;
  experiment.path = path;
  experiment.verbatim = read_config_file(path);
  std::vector<Setting> settings = read_settings(experiment.verbatim, path);
  for (const std::string& text : overrides) {
    settings.push_back(read_override(text));
    settings.back().location = kOverrideOrigin;
  }
  // default < preset < file < override
  for (const Field& field : fields()) experiment.origins[field.key()] = kDefaultOrigin;
  const Preset& preset = find_preset(preset_name(settings));
  for (const auto& [key, value] : preset.values) {
    apply(experiment, *find_field(key), value, kPresetOrigin + preset.name);
  }
  for (const Setting& setting : settings) {
    apply(experiment, *setting.field, setting.value, setting.location);
  }
  check_relations(experiment);
  return experiment;
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
