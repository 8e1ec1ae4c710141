#include "algos/agents/dqn.hpp"

#include <stdexcept>

#include "algos/agents/exploration.hpp"
#include "algos/agents/optimiser_settings.hpp"
#include "algos/agents/stack.hpp"
#include "algos/networks/noise.hpp"

namespace anthill {

Tensor q_values(const DqnModel& model, const Parameters& critic, const Tensor& observation) {
  return mlp_forward(model.shape, critic, observation).squeeze(1);
}

/// J_Q (Mnih et al., 2015, with squares instead of Huber's loss):
///   y = reward_scale * r + discount * bootstrap * Q'(s', a'),   a' = argmax_a Q'(s', a),
///       or with double_dqn  a' = argmax_a Q(s', a)
///   J = mean_B ( Q(s, a) - y )^2
DqnLoss dqn_loss(const DqnModel& model, const Batch& batch) {
  Tensor target;
  {
    at::NoGradGuard no_grad;
    const Tensor next_q = q_values(model, model.target_critic, batch.next_observation);
    const Tensor chooser =
        model.config.double_dqn ? q_values(model, model.critic, batch.next_observation) : next_q;
    const Tensor next_value = next_q.gather(2, chooser.argmax(-1, /*keepdim=*/true)).squeeze(-1);
    target = model.reward_scale.unsqueeze(1) * batch.reward +
             model.discount.unsqueeze(1) * batch.bootstrap * next_value;
  }
  const Tensor q = q_values(model, model.critic, batch.observation)
                       .gather(2, batch.action.to(at::kLong))
                       .squeeze(-1);
  return {(q - target).square().mean(-1), q.detach(), target};
}

DqnModel make_dqn_model(const std::vector<AgentConfig>& members, const AgentShape& shape) {
  if (static_cast<std::int64_t>(members.size()) != shape.members()) {
    throw std::invalid_argument("DQN: one seed and one set of settings per member are needed");
  }
  DqnModel model;
  model.config = members.front();
  model.shape = network_shape(model.config.critic, shape.observation_dim, shape.num_actions);
  model.critic = Parameters(mlp_layout(model.shape), shape.members(), 1, shape.device, true);
  initialise(model.shape, model.critic, model.config, model.config.critic, shape.seeds, 1);
  model.target_critic = model.critic.clone(false);
  const auto words = [&](const auto& get) {
    return device_words(per_member(members, get), shape.device);
  };
  model.discount = words([](const AgentConfig& c) { return c.discount; });
  model.reward_scale = words([](const AgentConfig& c) { return c.reward_scale; });
  return model;
}

Dqn::Dqn(const std::vector<AgentConfig>& members, const AgentShape& shape)
    : shape_(shape), members_(members), model_(make_dqn_model(members, shape)) {
  optimiser_ = Adam(model_.critic.flat(), optimiser_settings(members, &AgentConfig::critic));
  const std::vector<double> tau = per_member(members, [](const AgentConfig& c) { return c.tau; });
  target_ = {.flat = model_.target_critic.flat(),
             .tau = tau,
             .device_tau = device_words(tau, shape.device)};
  metrics_ =
      MetricSums({"critic_loss", "q_mean", "q_min", "q_max", "target_mean"}, model_.discount);
}

void Dqn::update(const Batch& batch) {
  const bool target_follows = (num_updates_ + 1) % model_.config.target_period == 0;
  const DqnLoss critic = dqn_loss(model_, batch);
  optimiser_.step(model_.critic.flat(), model_.critic.gradient(critic.loss),
                  target_follows ? target_ : PolyakTarget{});
  metrics_.add(0, {critic.loss.detach(), critic.q.mean(-1), critic.q.amin(-1), critic.q.amax(-1),
                   critic.target.mean(-1)});
  ++num_updates_;
}

void Dqn::act(std::span<const float> observation, std::span<float> action, ActionMode mode,
              RandomStream stream, std::uint64_t counter) {
  at::NoGradGuard no_grad;
  const Tensor input = observation_tensor(observation, shape_);
  const Tensor best = q_values(model_, model_.critic, input).argmax(-1);
  at::from_blob(action.data(), best.sizes(), at::kFloat).copy_(best);
  if (mode == ActionMode::stochastic) explore(action, input.size(1), stream, counter);
}

/// Replaces actions by uniformly random ones with the chance of the exploration's scale: two
/// numbers per environment, its coin and its action.
void Dqn::explore(std::span<float> action, std::int64_t num_envs, RandomStream stream,
                  std::uint64_t counter) const {
  std::vector<float> numbers(2 * action.size());
  fill_uniform_actions(numbers.data(), 2 * num_envs, shape_.seeds, stream, counter);
  const std::vector<double> chance = exploration_scales(members_, env_steps_);
  const bool shared = model_.config.exploration.coin == ExplorationCoin::shared;
  const auto width = static_cast<std::size_t>(num_envs);
  const auto uniform = [&](std::size_t place) { return 0.5 * (1.0 + numbers[place]); };
  for (std::size_t lane = 0; lane < action.size(); ++lane) {
    const std::size_t first = shared ? lane / width * width : lane;
    if (uniform(2 * first) < chance[lane / width]) {
      action[lane] = static_cast<float>(random_index(uniform(2 * lane + 1), shape_.num_actions));
    }
  }
}

std::vector<NamedTensor> Dqn::parameters() const {
  std::vector<NamedTensor> all;
  append_parameters(all, "critic", model_.critic);
  append_parameters(all, "target_critic", model_.target_critic);
  return all;
}

void Dqn::save(StateWriter state) const {
  state.integer("num_updates", num_updates_);
  state.tensor("critic", model_.critic.flat());
  state.tensor("target_critic", model_.target_critic.flat());
  optimiser_.save(state.part("critic_optimiser"));
  metrics_.save(state.part("metrics"));
}

void Dqn::load(const StateReader& state) {
  num_updates_ = state.integer("num_updates");
  state.tensor("critic", model_.critic.flat());
  state.tensor("target_critic", model_.target_critic.flat());
  optimiser_.load(state.part("critic_optimiser"));
  metrics_.load(state.part("metrics"));
}

}  // namespace anthill
