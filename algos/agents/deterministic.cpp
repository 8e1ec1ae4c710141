#include "algos/agents/deterministic.hpp"

#include <stdexcept>

#include "algos/agents/exploration.hpp"
#include "algos/agents/optimiser_settings.hpp"
#include "algos/agents/stack.hpp"

namespace anthill {

DeterministicModel make_deterministic_model(const std::vector<AgentConfig>& members,
                                            const AgentShape& shape, std::int64_t num_critics) {
  if (static_cast<std::int64_t>(members.size()) != shape.members()) {
    throw std::invalid_argument("one seed and one set of settings per member are needed");
  }
  const AgentConfig& config = members.front();
  DeterministicModel model;
  model.config = config;
  model.actions = make_action_measure(config, shape);
  model.actor_shape = network_shape(config.actor, shape.observation_dim, shape.action_dim);
  model.critic_shape = network_shape(config.critic, shape.observation_dim + shape.action_dim, 1);
  const std::int64_t count = shape.members();
  model.actor = Parameters(mlp_layout(model.actor_shape), count, 1, shape.device, true);
  model.critic = Parameters(mlp_layout(model.critic_shape), count, num_critics, shape.device, true);
  initialise(model.actor_shape, model.actor, config, config.actor, shape.seeds, 0);
  initialise(model.critic_shape, model.critic, config, config.critic, shape.seeds, 1);
  model.target_actor = model.actor.clone(false);
  model.target_critic = model.critic.clone(false);
  const auto words = [&](const auto& get) {
    return device_words(per_member(members, get), shape.device);
  };
  model.discount = words([](const AgentConfig& c) { return c.discount; });
  model.reward_scale = words([](const AgentConfig& c) { return c.reward_scale; });
  return model;
}

Tensor policy_action(const DeterministicModel& model, const Parameters& actor,
                     const Tensor& observation) {
  const Tensor output = mlp_forward(model.actor_shape, actor, observation).squeeze(1);
  if (model.config.actor.output == PolicyOutput::linear) return output;
  return model.actions.measured(at::tanh(output));
}

Tensor q_values(const DeterministicModel& model, const Parameters& critic,
                const Tensor& observation, const Tensor& action) {
  return mlp_forward(model.critic_shape, critic, {observation, action}).squeeze(-1);
}

DeterministicOptimisers make_optimisers(const std::vector<AgentConfig>& members,
                                        const DeterministicModel& model) {
  const std::vector<double> tau = per_member(members, [](const AgentConfig& c) { return c.tau; });
  const auto target_for = [&](const Tensor& flat) {
    return PolyakTarget{.flat = flat, .tau = tau, .device_tau = device_words(tau, flat.device())};
  };
  return {.actor = Adam(model.actor.flat(), optimiser_settings(members, &AgentConfig::actor)),
          .critic = Adam(model.critic.flat(), optimiser_settings(members, &AgentConfig::critic)),
          .target_actor = target_for(model.target_actor.flat()),
          .target_critic = target_for(model.target_critic.flat())};
}

DeterministicAgent::DeterministicAgent(const std::vector<AgentConfig>& members,
                                       const AgentShape& shape, std::int64_t num_critics,
                                       std::vector<std::string> metrics)
    : shape_(shape),
      members_(members),
      model_(make_deterministic_model(members, shape, num_critics)),
      optimisers_(make_optimisers(members, model_)),
      metrics_(std::move(metrics), model_.discount) {}

void DeterministicAgent::step_critic(const Tensor& loss, bool with_target) {
  optimisers_.critic.step(model_.critic.flat(), model_.critic.gradient(loss),
                          with_target ? optimisers_.target_critic : PolyakTarget{});
}

void DeterministicAgent::step_actor(const Tensor& loss, bool with_target) {
  optimisers_.actor.step(model_.actor.flat(), model_.actor.gradient(loss),
                         with_target ? optimisers_.target_actor : PolyakTarget{});
}

void DeterministicAgent::act(std::span<const float> observation, std::span<float> action,
                             ActionMode mode, RandomStream stream, std::uint64_t counter) {
  at::NoGradGuard no_grad;
  Tensor result = policy_action(model_, model_.actor, observation_tensor(observation, shape_));
  if (mode == ActionMode::stochastic) {
    const Tensor noise =
        exploration_noise_.next(model_.config.exploration, result, shape_.seeds, stream, counter);
    const Tensor scale = device_words(exploration_scales(members_, env_steps_), shape_.device)
                             .view({shape_.members(), 1, 1});
    result = result + scale * noise;
  }
  at::from_blob(action.data(), result.sizes(), at::kFloat)
      .copy_(model_.actions.normalised(result).clamp(-1.0, 1.0));
}

std::vector<NamedTensor> DeterministicAgent::parameters() const {
  std::vector<NamedTensor> all;
  append_parameters(all, "actor", model_.actor);
  append_parameters(all, "target_actor", model_.target_actor);
  append_parameters(all, "critic", model_.critic);
  append_parameters(all, "target_critic", model_.target_critic);
  return all;
}

void DeterministicAgent::save(StateWriter state) const {
  state.integer("num_updates", num_updates_);
  state.tensor("actor", model_.actor.flat());
  state.tensor("target_actor", model_.target_actor.flat());
  state.tensor("critic", model_.critic.flat());
  state.tensor("target_critic", model_.target_critic.flat());
  optimisers_.actor.save(state.part("actor_optimiser"));
  optimisers_.critic.save(state.part("critic_optimiser"));
  metrics_.save(state.part("metrics"));
  exploration_noise_.save(state.part("exploration_noise"));
}

void DeterministicAgent::load(const StateReader& state) {
  num_updates_ = state.integer("num_updates");
  state.tensor("actor", model_.actor.flat());
  state.tensor("target_actor", model_.target_actor.flat());
  state.tensor("critic", model_.critic.flat());
  state.tensor("target_critic", model_.target_critic.flat());
  optimisers_.actor.load(state.part("actor_optimiser"));
  optimisers_.critic.load(state.part("critic_optimiser"));
  metrics_.load(state.part("metrics"));
  exploration_noise_.load(state.part("exploration_noise"), shape_.device);
}

}  // namespace anthill
