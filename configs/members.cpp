#include "configs/members.hpp"

#include <algorithm>
#include <filesystem>

#include "configs/fields.hpp"
#include "configs/toml_reader.hpp"
#include "configs/toml_text.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

constexpr std::size_t kMaxMembers = 1024;

void check_key(const Setting& setting) {
  const std::string key = setting.field->key();
  if (std::ranges::count(keys_that_members_may_change(), key) > 0) return;
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
  if (all.size() > 1 && all[0].experiment.config.training.on_non_finite != OnNonFinite::abort) {
    throw ConfigError(
        "training.on_non_finite: a stack knows \"abort\" alone, which ends one member and lets the "
        "others go on; remove the key or train the members one by one");
  }
  return all;
}

}  // namespace anthill
