#include "configs/unread_keys.hpp"

#include <algorithm>
#include <cctype>

#include "sim/errors.hpp"

namespace anthill {
namespace {

/// Settings, or whole sections, that an algorithm does not read.
struct Unread {
  std::string_view algorithm;
  std::vector<std::string_view> keys;
};

const std::vector<Unread>& unread_keys() {
  static const std::vector<Unread> kUnread = {
      {"sac",
       {"agent.target_noise", "agent.noise_clip", "agent.double_dqn", "actor.output",
        "exploration.coin"}},
      {"td3",
       {"agent.double_dqn", "agent.policy_value", "agent.target_policy", "actor.log_",
        "actor.distribution", "actor.sde_", "exploration.sde_", "critic.dropout",
        "critic.batch_renorm", "critic.weight_projection", "critic.target_", "agent.reset_",
        "critic.num_critics", "temperature.", "buffer.held_out_share"}},
      {"ddpg",
       {"agent.target_noise", "agent.noise_clip", "agent.double_dqn", "agent.policy_value",
        "agent.target_policy", "actor.log_", "actor.distribution", "actor.sde_", "exploration.sde_",
        "critic.dropout", "critic.batch_renorm", "critic.weight_projection", "critic.target_",
        "agent.reset_", "critic.num_critics", "temperature.", "buffer.held_out_share"}},
      {"dqn",
       {"agent.policy_delay", "agent.critic_updates", "agent.policy_updates", "agent.target_noise",
        "agent.noise_clip", "agent.policy_value", "agent.target_policy", "agent.action_units",
        "exploration.correlation_steps", "exploration.sde_", "actor.", "critic.dropout",
        "critic.batch_renorm", "critic.weight_projection", "critic.target_", "agent.reset_",
        "critic.num_critics", "temperature.", "buffer.held_out_share"}},
  };
  return kUnread;
}

/// "InvertedPendulum-v5" and "inverted_pendulum" -> "invertedpendulum".
std::string task_of(const std::string& name) {
  std::string task;
  for (const char c : name.substr(0, name.find('-'))) {
    if (c != '_') task += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return task;
}

}  // namespace

bool has_options_of(const std::string& env, const std::string& section) {
  const std::string task = task_of(env);
  return task == task_of(section) || (section == "lunar_lander" && task == "lunarlandercontinuous");
}

Value unset_value(const Field& field, const std::string& preset) {
  for (const auto& [key, value] : find_preset(preset).values) {
    if (key == field.key()) return value;
  }
  return field.get(ExperimentConfig{});
}

void refuse_unused_agent_keys(const ResolvedExperiment& experiment) {
  const AgentConfig& agent = experiment.config.agent;
  for (const Unread& unread : unread_keys()) {
    if (unread.algorithm != agent.algorithm) continue;
    for (const Field& field : fields()) {
      const std::string key = field.key();
      const bool is_unread = std::ranges::any_of(
          unread.keys, [&](std::string_view prefix) { return key.starts_with(prefix); });
      if (!is_unread || field.get(experiment.config) == unset_value(field, agent.preset)) continue;
      throw ConfigError(location_of(experiment, {key}) + ": " + key + " has no effect on " +
                        agent.algorithm + "; remove it");
    }
  }
}

void refuse_unused_tasks(const ResolvedExperiment& experiment) {
  const std::string& env = experiment.config.sim.env;
  const std::string prefix = "sim.";
  for (const Field& field : fields()) {
    if (!field.section.starts_with(prefix)) continue;
    // a resolved file writes every key: only what was changed counts
    if (field.get(experiment.config) == field.get(ExperimentConfig{})) continue;
    if (has_options_of(env, field.section.substr(prefix.size()))) continue;
    throw ConfigError(location_of(experiment, {field.key()}) + ": " + field.key() +
                      " has no effect on " + env + "; remove it");
  }
}

}  // namespace anthill
