#include "configs/relations.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "configs/fields.hpp"
#include "configs/unread_keys.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

bool is_written(const ResolvedExperiment& experiment, const std::string& key) {
  const auto origin = experiment.origins.find(key);
  return origin != experiment.origins.end() && origin->second != kDefaultOrigin &&
         !origin->second.starts_with(kPresetOrigin);
}

/// `why` says what is wrong and what to do; the place is that of the first key that is written.
[[noreturn]] void refuse(const ResolvedExperiment& experiment, const std::vector<std::string>& keys,
                         const std::string& why) {
  throw ConfigError(location_of(experiment, keys) + ": " + why);
}

/// Refuses two integer settings with `smaller` > `larger`.
void require_at_most(const ResolvedExperiment& experiment, const std::string& smaller,
                     const std::string& larger) {
  const auto number = [&](const std::string& key) {
    return std::get<std::int64_t>(find_field(key)->get(experiment.config));
  };
  const std::int64_t low = number(smaller);
  const std::int64_t high = number(larger);
  if (low <= high) return;
  refuse(experiment, {smaller, larger},
         smaller + " = " + std::to_string(low) + " exceeds " + larger + " = " +
             std::to_string(high) + "; lower the first or raise the second");
}

void require_ordered(const ResolvedExperiment& experiment, const std::string& key, double low,
                     double high) {
  if (low < high) return;
  refuse(experiment, {key},
         key + ": the lower end is not below the upper end; swap or correct them");
}

/// A list of two numbers called "..._range" is [low, high].
void require_ordered_ranges(const ResolvedExperiment& experiment) {
  for (const Field& field : fields()) {
    if (!field.name.ends_with("_range")) continue;
    const auto range = std::get<std::vector<double>>(field.get(experiment.config));
    require_ordered(experiment, field.key(), range.at(0), range.at(1));
  }
}

void check_devices(const ResolvedExperiment& experiment) {
  const DeviceChoice device = experiment.config.run.device;
  const DeviceSystem system = experiment.config.buffer.device_system;
  const bool device_cuda = device == DeviceChoice::cuda;
  const bool system_cuda = system == DeviceSystem::cuda;
  if (device == DeviceChoice::automatic || system == DeviceSystem::automatic) return;
  if (device_cuda == system_cuda) return;
  // batches are gathered straight into the learner's memory
  refuse(experiment, {"buffer.device_system", "run.device"},
         "buffer.device_system and run.device are not on the same device; "
         "set buffer.device_system = \"auto\"");
}

void check_resets(const ResolvedExperiment& experiment) {
  const AgentConfig& agent = experiment.config.agent;
  if (agent.reset_period > 0 && !agent.reset_times.empty()) {
    refuse(
        experiment, {"agent.reset_times", "agent.reset_period"},
        "agent.reset_times and agent.reset_period both say when networks start anew; remove one");
  }
  if (std::ranges::adjacent_find(agent.reset_times, std::greater_equal()) !=
      agent.reset_times.end()) {
    refuse(experiment, {"agent.reset_times"},
           "agent.reset_times must rise; sort it and write each time once");
  }
  if (has_resets(agent) && agent.reset_networks.empty()) {
    refuse(experiment, {"agent.reset_networks", "agent.reset_times", "agent.reset_period"},
           "agent.reset_networks is empty; name what starts anew, or remove agent.reset_period and "
           "agent.reset_times");
  }
}

void check_remedies(const ResolvedExperiment& experiment) {
  const AgentConfig& agent = experiment.config.agent;
  require_at_most(experiment, "critic.target_subset", "critic.num_critics");
  const TemperatureConfig& temperature = agent.temperature;
  if (temperature.max_alpha > 0.0 && temperature.initial_alpha > temperature.max_alpha) {
    refuse(experiment, {"temperature.max_alpha", "temperature.initial_alpha"},
           "temperature.initial_alpha exceeds temperature.max_alpha; lower it");
  }
  if (agent.critic.target_clip == TargetClip::bound && agent.discount == 1.0) {
    refuse(experiment, {"critic.target_clip", "agent.discount"},
           "critic.target_clip = \"bound\" needs agent.discount < 1; use \"range\"");
  }
  if (agent.critic.target_clip == TargetClip::bound &&
      agent.actor.distribution == PolicyDistribution::clipped_gaussian) {
    refuse(experiment, {"critic.target_clip", "actor.distribution"},
           "critic.target_clip = \"bound\" needs a squashed policy, whose entropy has "
           "a bound; use \"range\"");
  }
  check_resets(experiment);
}

void check_overestimation(const ResolvedExperiment& experiment) {
  const OverestimationConfig& probe = experiment.config.overestimation;
  std::vector<std::string> kinds = probe.states;
  std::ranges::sort(kinds);
  if (std::ranges::adjacent_find(kinds) != kinds.end()) {
    refuse(experiment, {"overestimation.states"},
           "overestimation.states names a kind twice; write each once");
  }
  const bool of_buffer = std::ranges::any_of(
      kinds, [](const std::string& kind) { return kind.starts_with("buffer"); });
  if (probe.period == 0 || !of_buffer || experiment.config.buffer.store_state) return;
  refuse(experiment, {"overestimation.states"},
         "overestimation.states names states of the replay buffer, which stores no "
         "simulator rows; set buffer.store_state = true");
}

/// A setting that has an effect only beside another one.
void require_beside(const ResolvedExperiment& experiment, const std::string& key, bool has_effect,
                    const std::string& need) {
  const Field& field = *find_field(key);
  const Value unset = unset_value(field, experiment.config.agent.preset);
  if (has_effect || field.get(experiment.config) == unset) return;
  refuse(experiment, {key}, key + " has no effect without " + need + "; set that or remove it");
}

/// What belongs to one of the policy's distributions.
void check_distribution(const ResolvedExperiment& experiment) {
  const AgentConfig& agent = experiment.config.agent;
  const bool clipped = agent.actor.distribution == PolicyDistribution::clipped_gaussian;
  const bool gsde = agent.actor.distribution == PolicyDistribution::gsde;
  require_beside(experiment, "temperature.entropy", clipped,
                 "actor.distribution = \"clipped_gaussian\"");
  require_beside(experiment, "actor.log_prob_form", !clipped,
                 "actor.distribution = \"squashed_gaussian\"");
  for (const char* key : {"actor.log_std_form", "actor.log_std_min", "actor.log_std_max"}) {
    require_beside(experiment, key, !gsde, "actor.distribution = \"squashed_gaussian\"");
  }
  if (agent.algorithm != "sac") return;
  for (const char* key :
       {"actor.log_std_init", "actor.sde_learn_features", "exploration.sde_sample_freq"}) {
    require_beside(experiment, key, gsde, "actor.distribution = \"gsde\"");
  }
  if (gsde && agent.actor.hidden_dims.empty()) {
    refuse(experiment, {"actor.hidden_dims", "actor.distribution"},
           "actor.distribution = \"gsde\" needs a hidden layer, whose output are its "
           "features; set actor.hidden_dims");
  }
}

/// A layer of fixed size alone could not learn the scale of what it puts out.
void check_weight_projection(const ResolvedExperiment& experiment) {
  const CriticConfig& critic = experiment.config.agent.critic;
  if (experiment.config.agent.algorithm != "sac") return;  // refused as without effect
  if (!critic.weight_projection || critic.layer_norm || critic.batch_renorm) return;
  refuse(experiment, {"critic.weight_projection"},
         "critic.weight_projection needs critic.layer_norm or critic.batch_renorm, "
         "which give the layers of fixed size their scale back; set one of them");
}

/// Batch renormalisation is a network of its own, without the other switches of the critics'.
void check_batch_renorm(const ResolvedExperiment& experiment) {
  const CriticConfig& critic = experiment.config.agent.critic;
  for (const char* key : {"critic.batch_renorm_momentum", "critic.batch_renorm_warmup"}) {
    require_beside(experiment, key, critic.batch_renorm, "critic.batch_renorm");
  }
  if (!critic.batch_renorm) return;
  const std::pair<const char*, bool> others[] = {{"critic.layer_norm", critic.layer_norm},
                                                 {"critic.dropout", critic.dropout > 0.0},
                                                 {"critic.residual", critic.residual},
                                                 {"critic.unit_features", critic.unit_features}};
  for (const auto& [key, is_on] : others) {
    if (!is_on) continue;
    refuse(experiment, {"critic.batch_renorm", key},
           std::string("critic.batch_renorm and ") + key + " exclude each other; set one of them");
  }
}

/// Pairs of whole env steps, which rise, and a ratio.
void check_schedule(const ResolvedExperiment& experiment) {
  double last = -1.0;
  for (const std::vector<double>& entry : experiment.config.training.replay_ratio_schedule) {
    const bool whole = entry.size() == 2 && entry[0] == std::floor(entry[0]) && entry[0] <= 1e15;
    if (!whole || entry[0] <= last || entry[1] < 0.0 || entry[1] > 10'000.0) {
      refuse(experiment, {"training.replay_ratio_schedule"},
             "training.replay_ratio_schedule must be pairs [env steps, ratio] of whole env steps "
             "that rise and of ratios in 0..10000, such as [[20_000, 2.0], [50_000, 8.0]]");
    }
    last = entry[0];
  }
}

/// Switches that need each other or exclude each other.
void check_switches(const ResolvedExperiment& experiment) {
  const ExperimentConfig& config = experiment.config;
  const AgentConfig& agent = config.agent;
  const bool turns = agent.critic_updates > 0, schedule = agent.temperature.decay_steps > 0;
  for (const Field& field : fields()) {
    const bool noise = agent.algorithm != "sac" || agent.exploration.correlation_steps > 0;
    if (field.section != "exploration" || field.name == "sde_sample_freq" || noise) continue;
    require_beside(experiment, field.key(), false, "exploration.correlation_steps in SAC");
  }
  check_schedule(experiment);
  require_beside(experiment, "critic.target_beta",
                 agent.critic.target_aggregation == TargetAggregation::mean_minus_std,
                 "critic.target_aggregation = \"mean_minus_std\"");
  require_beside(experiment, "agent.policy_updates", turns, "agent.critic_updates");
  require_beside(experiment, "agent.policy_delay", !turns, "agent.critic_updates = 0");
  require_beside(experiment, "temperature.final_alpha", schedule, "temperature.decay_steps");
  require_beside(experiment, "temperature.decay_steps", !agent.temperature.automatic,
                 "temperature.automatic = false");
  require_beside(experiment, "training.solved_episodes",
                 std::isfinite(config.training.solved_return), "training.solved_return");
  if (!config.buffer.replacement) {
    require_at_most(experiment, "training.batch_size", "training.learning_starts");
  }
}

}  // namespace

std::string location_of(const ResolvedExperiment& experiment,
                        const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (!is_written(experiment, key)) continue;
    const std::string& origin = experiment.origins.at(key);
    return origin == kOverrideOrigin ? origin + " " + key : origin;
  }
  return experiment.path.empty() ? "configuration" : experiment.path;
}

void check_relations(const ResolvedExperiment& experiment) {
  const ExperimentConfig& config = experiment.config;
  require_at_most(experiment, "training.batch_size", "buffer.capacity");
  require_at_most(experiment, "sim.num_envs", "buffer.capacity");
  require_at_most(experiment, "training.learning_starts", "training.total_env_steps");
  const ActorConfig& actor = config.agent.actor;
  require_ordered(experiment, "actor.log_std_min", actor.log_std_min, actor.log_std_max);
  require_ordered_ranges(experiment);
  if (config.agent.temperature.automatic && config.agent.temperature.initial_alpha == 0.0) {
    refuse(experiment, {"temperature.initial_alpha"},
           "temperature.initial_alpha = 0 cannot be tuned; give a positive one or "
           "set automatic = false");
  }
  check_remedies(experiment);
  check_switches(experiment);
  check_distribution(experiment);
  check_batch_renorm(experiment);
  check_weight_projection(experiment);
  check_devices(experiment);
  check_overestimation(experiment);
  refuse_unused_tasks(experiment);
  refuse_unused_agent_keys(experiment);
}

std::vector<std::string> relation_warnings(const ResolvedExperiment& experiment, int num_cores) {
  const ExperimentConfig& config = experiment.config;
  std::vector<std::string> warnings;
  if (num_cores > 0 && config.sim.num_threads > num_cores) {
    warnings.push_back(location_of(experiment, {"sim.num_threads"}) + ": sim.num_threads = " +
                       std::to_string(config.sim.num_threads) + " exceeds the " +
                       std::to_string(num_cores) + " available cores; 0 takes one per core");
  }
  if (config.training.random_steps > config.training.total_env_steps) {
    warnings.push_back(
        location_of(experiment, {"training.random_steps", "training.total_env_steps"}) +
        ": training.random_steps = " + std::to_string(config.training.random_steps) +
        " exceeds training.total_env_steps; every action will be random, lower it to train");
  }
  return warnings;
}

}  // namespace anthill
