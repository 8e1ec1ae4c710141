#include <algorithm>
#include <sstream>

#include "configs/experiment.hpp"
#include "configs/fields.hpp"
#include "configs/toml_text.hpp"

namespace anthill {
namespace {

/// "[training]" before the first field of every section.
void write_section_header(std::ostream& out, const Field& field, std::string& section) {
  if (field.section == section) return;
  section = field.section;
  out << "\n[" << section << "]\n";
}

/// "preset sb3: 1.0, jaxrl: 0.5" for the keys that presets set.
std::string preset_note(const Field& field) {
  std::string note;
  for (const Preset& preset : presets()) {
    for (const auto& [key, value] : preset.values) {
      if (key != field.key()) continue;
      note += (note.empty() ? "; preset " : ", ") + preset.name + ": " + toml_value(value);
    }
  }
  return note;
}

}  // namespace

std::string write_experiment(const ResolvedExperiment& experiment, bool with_origins) {
  constexpr std::size_t kOriginColumn = 52;
  std::ostringstream out;
  out << "# " << (experiment.path.empty() ? "a configuration" : printable(experiment.path))
      << ", every setting resolved\n";
  std::string section;
  for (const Field& field : fields()) {
    write_section_header(out, field, section);
    std::string line = field.name + " = " + toml_value(field.get(experiment.config));
    if (with_origins) {
      const auto origin = experiment.origins.find(field.key());
      line.resize(std::max(line.size(), kOriginColumn), ' ');
      line += "  # " + (origin == experiment.origins.end() ? "code" : origin->second);
    }
    out << line << "\n";
  }
  return out.str();
}

std::string reference_toml() {
  const ExperimentConfig defaults;
  std::ostringstream out;
  out << "# Every setting of anthill with its default. Above each: what it means, what it accepts, "
         "and its unit.\n"
         "# An integer literal is accepted where a real number is; no other type is converted.\n"
         "# Written by `anthill config --reference`; do not edit.\n";
  std::string section;
  for (const Field& field : fields()) {
    const bool first = field.section != section;
    write_section_header(out, field, section);
    out << (first ? "" : "\n") << "# " << field.doc << "\n# " << describe_accepted(field)
        << (field.unit.empty() ? "" : "; unit: " + field.unit) << preset_note(field) << "\n"
        << field.name << " = " << toml_value(field.get(defaults)) << "\n";
  }
  return out.str();
}

}  // namespace anthill
