// Making what SAC consists of from the settings of its members.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "algos/agents/optimiser_settings.hpp"
#include "algos/agents/sac.hpp"
#include "algos/agents/sac_metrics.hpp"
#include "algos/agents/sac_remedies.hpp"
#include "algos/agents/stack.hpp"
#include "sim/errors.hpp"

namespace anthill {

/// Whether the targets are copies after every update, in all members alike: the form of the
/// critics' loss depends on it.
static bool has_no_targets(const std::vector<AgentConfig>& members) {
  if (members.front().target_period > 1 || members.front().critic_updates > 0) return false;
  const auto copies =
      std::ranges::count_if(members, [](const AgentConfig& c) { return c.tau == 1.0; });
  if (copies > 0 && copies < static_cast<std::ptrdiff_t>(members.size())) {
    throw ConfigError(
        "agent.tau: with critic.batch_renorm it is 1 (no target networks) in all members or in "
        "none; train them apart");
  }
  return copies > 0;
}

SacModel make_sac_model(const std::vector<AgentConfig>& members, const AgentShape& shape) {
  if (static_cast<std::int64_t>(members.size()) != shape.members()) {
    throw std::invalid_argument("SAC: one seed and one set of settings per member are needed");
  }
  const AgentConfig& config = members.front();
  SacModel model;
  model.config = config;
  const bool gsde = config.actor.distribution == PolicyDistribution::gsde;
  if (gsde) {
    // its head holds log(std) itself, which no bound reaches
    model.config.actor.log_std_form = LogStdForm::clamp;
    model.config.actor.log_std_min = -100.0;
    model.config.actor.log_std_max = 100.0;
  }
  model.action_dim = shape.action_dim;
  model.actor_shape = network_shape(config.actor, shape.observation_dim,
                                    gsde ? shape.action_dim : 2 * shape.action_dim);
  model.critic_shape = network_shape(config.critic, shape.observation_dim + shape.action_dim, 1);
  model.critic_shape.dropout = config.critic.dropout;
  const std::int64_t count = shape.members();
  model.actor = Parameters(gsde ? gsde_layout(model.actor_shape) : mlp_layout(model.actor_shape),
                           count, 1, shape.device, true);
  model.critic = Parameters(config.critic.batch_renorm ? batch_renorm_layout(model.critic_shape)
                                                       : mlp_layout(model.critic_shape),
                            count, config.critic.num_critics, shape.device, true);
  if (config.critic.batch_renorm) {
    model.critic_statistics =
        make_batch_renorm_state(model.critic_shape, count, config.critic.num_critics, shape.device);
    model.target_statistics = model.critic_statistics.running.clone(false);
    model.joint_critics = has_no_targets(members);
  }
  model.target_critic = model.critic.clone(false);
  initialise_actor(model, shape.seeds, 0);
  initialise_critic(model, shape.seeds, 1);
  if (config.target_policy) model.target_actor = model.actor.clone(false);
  model.actions = make_action_measure(config, shape);

  const auto words = [&](const auto& get) {
    return device_words(per_member(members, get), shape.device);
  };
  model.log_alpha =
      words([](const AgentConfig& c) { return std::log(c.temperature.initial_alpha); });
  model.log_alpha.set_requires_grad(true);
  if (config.temperature.max_alpha > 0.0) {
    model.max_log_alpha =
        words([](const AgentConfig& c) { return std::log(c.temperature.max_alpha); });
  }
  model.discount = words([](const AgentConfig& c) { return c.discount; });
  model.reward_scale = words([](const AgentConfig& c) { return c.reward_scale; });
  model.target_entropy = words([&](const AgentConfig& c) {
    return -c.temperature.target_entropy_scale * static_cast<double>(shape.action_dim);
  });
  model.clip = make_target_clip(config.critic.target_clip, model.discount);
  return model;
}

void initialise_actor(const SacModel& model, const std::vector<std::uint64_t>& seeds,
                      std::uint64_t network_id) {
  const AgentConfig& config = model.config;
  initialise(model.actor_shape, model.actor, config, config.actor, seeds, network_id);
  if (config.actor.distribution != PolicyDistribution::gsde) return;
  at::NoGradGuard no_grad;
  model.actor.view("log_std").fill_(config.actor.log_std_init);
}

void initialise_critic(const SacModel& model, const std::vector<std::uint64_t>& seeds,
                       std::uint64_t network_id) {
  const AgentConfig& config = model.config;
  initialise(model.critic_shape, model.critic, config, config.critic, seeds, network_id);
  if (config.critic.weight_projection) project_weights(model.critic);
  at::NoGradGuard no_grad;
  if (config.critic.batch_renorm) {
    batch_renorm_initialise(model.critic);
    reset(model.critic_statistics);
    model.target_statistics.flat().copy_(model.critic_statistics.running.flat());
  }
  model.target_critic.flat().copy_(model.critic.flat());
}

SacOptimisers make_sac_optimisers(const std::vector<AgentConfig>& members, const SacModel& model) {
  const AgentConfig& config = members.front();
  const std::vector<double> tau = per_member(members, [](const AgentConfig& c) { return c.tau; });
  const Tensor device_tau = device_words(tau, model.discount.device());
  return {.actor = Adam(model.actor.flat(), optimiser_settings(members, &AgentConfig::actor)),
          .critic = Adam(model.critic.flat(), optimiser_settings(members, &AgentConfig::critic)),
          .temperature = Adam(model.log_alpha.detach(),
                              optimiser_settings(members, &AgentConfig::temperature)),
          .target = {.flat = model.target_critic.flat(), .tau = tau, .device_tau = device_tau},
          .target_actor = {.flat = config.target_policy ? model.target_actor.flat() : Tensor(),
                           .tau = tau,
                           .device_tau = device_tau}};
}

Sac::Sac(const std::vector<AgentConfig>& members, const AgentShape& shape)
    : shape_(shape),
      members_(members),
      model_(make_sac_model(members, shape)),
      optimisers_(make_sac_optimisers(members, model_)) {
  initial_log_alpha_ = model_.log_alpha.detach().clone();
  rewards_ = make_sac_rewards(std::vector<RewardRange>(members.size()), shape.device);
  word_ = at::zeros({1}, at::TensorOptions(shape.device).dtype(at::kLong));
  metric_sums_ = at::zeros({static_cast<std::int64_t>(sac_metric_names().size()), shape.members()},
                           model_.discount.options());
}

/// Alpha where it follows a schedule (agent_config.hpp has the formula).
void Sac::set_env_steps(std::int64_t env_steps) {
  env_steps_ = env_steps;
  if (model_.config.temperature.decay_steps == 0.0) return;
  std::vector<double> log_alpha;
  for (const AgentConfig& member : members_) {
    const TemperatureConfig& t = member.temperature;
    const double share = std::exp(-static_cast<double>(env_steps) / t.decay_steps);
    log_alpha.push_back(std::log(std::lerp(t.final_alpha, t.initial_alpha, share)));
  }
  at::NoGradGuard no_grad;
  model_.log_alpha.copy_(device_words(log_alpha, shape_.device));
}

void Sac::save(StateWriter state) const {
  state.integer("num_updates", num_updates_);
  state.tensor("actor", model_.actor.flat());
  state.tensor("critic", model_.critic.flat());
  state.tensor("target_critic", model_.target_critic.flat());
  if (model_.config.critic.batch_renorm) {
    state.tensor("critic_statistics", model_.critic_statistics.running.flat());
    state.tensor("critic_batches", model_.critic_statistics.num_batches);
    state.tensor("target_statistics", model_.target_statistics.flat());
  }
  if (model_.config.target_policy) state.tensor("target_actor", model_.target_actor.flat());
  state.tensor("log_alpha", model_.log_alpha);
  optimisers_.actor.save(state.part("actor_optimiser"));
  optimisers_.critic.save(state.part("critic_optimiser"));
  optimisers_.temperature.save(state.part("temperature_optimiser"));
  save_remedies(state);
  exploration_noise_.save(state.part("exploration_noise"));
  state.integer("num_measured", num_measured_);
  state.integer("num_critic_measured", num_critic_measured_);
  state.integer("num_policy_measured", num_policy_measured_);
  state.tensor("metric_sums", metric_sums_);
}

void Sac::load_networks(const StateReader& state) {
  state.tensor("actor", model_.actor.flat());
  state.tensor("critic", model_.critic.flat());
  state.tensor("target_critic", model_.target_critic.flat());
  if (model_.config.critic.batch_renorm) {
    state.tensor("critic_statistics", model_.critic_statistics.running.flat());
    state.tensor("critic_batches", model_.critic_statistics.num_batches);
    state.tensor("target_statistics", model_.target_statistics.flat());
  }
  if (model_.config.target_policy) state.tensor("target_actor", model_.target_actor.flat());
  state.tensor("log_alpha", model_.log_alpha);
}

void Sac::load(const StateReader& state) {
  load_networks(state);
  num_updates_ = state.integer("num_updates");
  word_.fill_(num_updates_);
  optimisers_.actor.load(state.part("actor_optimiser"));
  optimisers_.critic.load(state.part("critic_optimiser"));
  optimisers_.temperature.load(state.part("temperature_optimiser"));
  load_remedies(state);
  exploration_noise_.load(state.part("exploration_noise"), shape_.device);
  num_measured_ = state.integer("num_measured");
  num_critic_measured_ = state.integer("num_critic_measured");
  num_policy_measured_ = state.integer("num_policy_measured");
  state.tensor("metric_sums", metric_sums_);
}

std::vector<NamedTensor> Sac::parameters() const {
  std::vector<NamedTensor> all;
  append_parameters(all, "actor", model_.actor);
  if (model_.config.target_policy) append_parameters(all, "target_actor", model_.target_actor);
  append_parameters(all, "critic", model_.critic);
  append_parameters(all, "target_critic", model_.target_critic);
  if (model_.config.critic.batch_renorm) {
    append_parameters(all, "critic", model_.critic_statistics.running);
    append_parameters(all, "target_critic", model_.target_statistics);
  }
  all.push_back({"log_alpha", model_.log_alpha.detach()});
  return all;
}

}  // namespace anthill
