#include "python/sim_options.hpp"

#include <algorithm>
#include <filesystem>

#include "configs/experiment.hpp"
#include "configs/toml_text.hpp"
#include "configs/unknown_name.hpp"
#include "configs/unread_keys.hpp"
#include "sim/env_factory.hpp"
#include "sim/errors.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {
namespace {

constexpr std::string_view kPrefix = "sim.";

/// The section of `env`'s options, "sim.ant"; "sim" where no task has that name.
std::string section_of(const std::string& env) {
  for (const Field& field : fields()) {
    if (field.section.starts_with(kPrefix) &&
        has_options_of(env, field.section.substr(kPrefix.size()))) {
      return field.section;
    }
  }
  return "sim";
}

const Field& field_of(const std::string& section, const std::string& name) {
  const bool taken = name == "env" || name == "num_envs" || name == "num_threads";
  for (const std::string& place : {section, std::string("sim")}) {
    const Field* field = find_field(place + "." + name);
    if (field != nullptr && !taken) return *field;
  }
  throw ConfigError(unknown_key_message(section + "." + name));
}

template <class To, class From>
Value converted_list(const std::vector<From>& items) {
  return std::vector<To>(items.begin(), items.end());
}

/// Integers where real numbers are wanted, the empty list of any kind, and full paths.
Value fitting_value(const Field& field, const Value& value) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* integers = std::get_if<std::vector<std::int64_t>>(&value);
  if (integer != nullptr && field.type == FieldType::real) return static_cast<double>(*integer);
  if (integers != nullptr && field.type == FieldType::reals)
    return converted_list<double>(*integers);
  if (integers != nullptr && integers->empty() && field.type == FieldType::texts)
    return std::vector<std::string>();
  if (field.is_path(value))
    return std::filesystem::absolute(std::get<std::string>(value)).lexically_normal().string();
  return value;
}

CheckedSim checked(ResolvedExperiment& experiment, std::int64_t num_envs,
                   std::int64_t num_threads) {
  for (const auto& [name, number] :
       {std::pair("num_envs", num_envs), std::pair("num_threads", num_threads)}) {
    const Field& field = *find_field(std::string(kPrefix) + name);
    const std::string problem = check_value(field, number);
    if (!problem.empty()) throw ConfigError(problem);
    field.set(experiment.config, number);
    experiment.origins[field.key()] = name;
  }
  // the learner's settings are not asked for: they must not be in the way
  experiment.config.buffer.capacity =
      std::max(experiment.config.buffer.capacity, experiment.config.sim.num_envs);
  std::vector<std::string> warnings = check_experiment(experiment, num_available_cores());
  return {experiment.config.sim, std::move(warnings)};
}

}  // namespace

CheckedSim sim_of_options(const std::string& env, std::int64_t num_envs, std::int64_t num_threads,
                          const SimOptions& options) {
  ResolvedExperiment experiment;
  experiment.config.sim.env = env;
  const std::vector<std::string> known = env_names();
  // an unknown task is refused before its options are judged
  if (std::ranges::find(known, env) == known.end()) make_env(experiment.config.sim);
  const std::string section = section_of(env);
  for (const auto& [name, given] : options) {
    const Field& field = field_of(section, name);
    const Value value = fitting_value(field, given);
    const std::string problem = check_value(field, value);
    if (!problem.empty()) throw ConfigError(problem);
    field.set(experiment.config, value);
    experiment.origins[field.key()] = name;
  }
  return checked(experiment, num_envs, num_threads);
}

CheckedSim sim_of_file(const std::string& path, std::int64_t num_envs, std::int64_t num_threads) {
  ResolvedExperiment experiment = read_experiment(path, {});
  return checked(experiment, num_envs, num_threads);
}

}  // namespace anthill
