#include "configs/members.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "configs/fields.hpp"
#include "configs/toml_reader.hpp"
#include "configs/toml_text.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

constexpr std::size_t kMaxMembers = 1024;

bool is_members_own(const Field& field) {
  return std::ranges::count(keys_that_members_may_change(), field.key()) > 0;
}

void check_key(const Setting& setting) {
  const std::string key = setting.field->key();
  if (is_members_own(*setting.field)) return;
  std::string known;
  for (const std::string& name : keys_that_members_may_change()) {
    known += (known.empty() ? "" : ", ") + name;
  }
  throw ConfigError(setting.location + ": " + key +
                    " is shared by the members of a stack; give it in the configuration or with "
                    "--set. Members may differ in " +
                    known);
}

void check_folders(const std::vector<MemberExperiment>& members, const std::string& path) {
  std::vector<std::string> folders;
  for (const MemberExperiment& member : members) {
    folders.push_back(std::filesystem::path(member.folder).lexically_normal().string());
  }
  std::ranges::sort(folders);
  const auto twice = std::ranges::adjacent_find(folders);
  if (twice == folders.end()) return;
  throw ConfigError(printable(path) + ": two members have the folder \"" + printable(*twice) +
                    "\"; give each its own");
}

}  // namespace

const std::vector<std::string>& keys_that_members_may_change() {
  static const std::vector<std::string> kKeys = {"run.seed",
                                                 "run.name",
                                                 "agent.discount",
                                                 "agent.tau",
                                                 "agent.reward_scale",
                                                 "actor.learning_rate",
                                                 "critic.learning_rate",
                                                 "temperature.initial_alpha",
                                                 "temperature.learning_rate",
                                                 "temperature.target_entropy_scale",
                                                 "exploration.scale",
                                                 "exploration.final_scale",
                                                 "exploration.period",
                                                 "exploration.decay",
                                                 "overestimation.seed"};
  return kKeys;
}

std::string shared_settings(const ExperimentConfig& config) {
  std::string text;
  for (const Field& field : fields()) {
    if (is_members_own(field)) continue;
    text.append(field.key()).append(" = ").append(toml_value(field.get(config))).append("\n");
  }
  return text;
}

std::string stack_refusal(const ExperimentConfig& config) {
  if (config.training.on_non_finite != OnNonFinite::abort) {
    return "training.on_non_finite: a stack knows \"abort\" alone, which ends one member and lets "
           "the others go on; remove the key or train the members one by one";
  }
  if (std::isfinite(config.training.solved_return)) {
    return "training.solved_return: a stack of members ends together; remove the key or train them "
           "one by one";
  }
  return "";
}

std::vector<MemberExperiment> read_members(const std::string& config,
                                           const std::vector<std::string>& overrides,
                                           const std::string& members) {
  const std::vector<MemberTable> tables = read_member_tables(read_config_file(members), members);
  if (tables.size() > kMaxMembers) {
    throw ConfigError(printable(members) + ": " + std::to_string(tables.size()) +
                      " members; a stack has at most " + std::to_string(kMaxMembers));
  }
  std::vector<MemberExperiment> all;
  for (const MemberTable& table : tables) {
    for (const Setting& setting : table.settings) check_key(setting);
    const std::string place = "member-" + std::to_string(all.size());
    all.push_back({table.folder.empty() ? place : table.folder,
                   read_experiment(config, overrides, table.settings)});
  }
  check_folders(all, members);
  const std::string refusal = all.size() > 1 ? stack_refusal(all[0].experiment.config) : "";
  if (!refusal.empty()) throw ConfigError(refusal);
  return all;
}

std::string write_members(const std::vector<MemberExperiment>& members) {
  std::string text;
  for (const MemberExperiment& member : members) {
    text += "[[members]]\nfolder = " + toml_string(member.folder) + "\n";
    for (const Field& field : fields()) {
      const Value value = field.get(member.experiment.config);
      const bool differs = value != field.get(members[0].experiment.config);
      if (differs && !is_members_own(field)) {
        throw ConfigError(printable(member.experiment.path) + ": " + field.key() +
                          " differs from that of " + printable(members[0].experiment.path) +
                          "; such runs do not fit one stack");
      }
      if (differs || field.key() == "run.seed") {
        text.append(field.key()).append(" = ").append(toml_value(value)).append("\n");
      }
    }
    text += "\n";
  }
  return text;
}

}  // namespace anthill
