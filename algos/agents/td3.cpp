#include "algos/agents/td3.hpp"

#include "algos/networks/noise.hpp"

namespace anthill {

/// J_Q (algorithm 1 of 1802.09477), summed over the two critics:
///   a' = clip( mu'(s') + clip(target_noise * noise, -noise_clip, noise_clip), -1, 1 )
///   y  = reward_scale * r + discount * bootstrap * min_j Q'_j(s', a')
///   J  = mean_B sum_j ( Q_j(s, a) - y )^2
Td3CriticLoss td3_critic_loss(const DeterministicModel& model, const Batch& batch,
                              const Tensor& noise) {
  const AgentConfig& config = model.config;
  Tensor target;
  {
    at::NoGradGuard no_grad;
    const Tensor clipped =
        (config.target_noise * noise).clamp(-config.noise_clip, config.noise_clip);
    const Tensor target_action =
        model.actions.normalised(policy_action(model, model.target_actor, batch.next_observation));
    const Tensor next_action = model.actions.measured((target_action + clipped).clamp(-1.0, 1.0));
    const Tensor next_q =
        q_values(model, model.target_critic, batch.next_observation, next_action).amin(1);
    target = model.reward_scale.unsqueeze(1) * batch.reward +
             model.discount.unsqueeze(1) * batch.bootstrap * next_q;
  }
  const Tensor q =
      q_values(model, model.critic, batch.observation, model.actions.measured(batch.action));
  const Tensor loss = (q - target.unsqueeze(1)).square().sum(1).mean(-1);
  return {loss, q.detach(), target};
}

/// J_mu:  -mean_B Q_1(s, mu(s))
Tensor td3_actor_loss(const DeterministicModel& model, const Batch& batch) {
  const Tensor action = policy_action(model, model.actor, batch.observation);
  return -q_values(model, model.critic, batch.observation, action).select(1, 0).mean(-1);
}

Td3::Td3(const std::vector<AgentConfig>& members, const AgentShape& shape)
    : DeterministicAgent(
          members, shape, 2,
          {"critic_loss", "q_mean", "q_min", "q_max", "q_gap", "target_mean", "actor_loss"}) {}

void Td3::update(const Batch& batch) {
  const UpdateTurn turn = this->turn();

  // critics; nothing below reads their targets, so they may follow in the same pass
  if (turn.critic) {
    if (!noise_.defined()) noise_ = at::empty_like(batch.action);
    fill_normal(noise_, shape_.seeds, RandomStream::target_noise,
                static_cast<std::uint64_t>(num_updates_));
    const Td3CriticLoss critic = td3_critic_loss(model_, batch, noise_);
    step_critic(critic.loss, turn.targets);
    const Tensor q = critic.q.flatten(1);
    const Tensor gap = (critic.q.select(1, 0) - critic.q.select(1, 1)).abs().mean(-1);
    metrics_.add(
        0, {critic.loss.detach(), q.mean(-1), q.amin(-1), q.amax(-1), gap, critic.target.mean(-1)});
  } else if (turn.targets) {
    follow_critic();
  }

  // policy, delayed, against the critics just improved
  if (turn.policy) {
    const Tensor loss = td3_actor_loss(model_, batch);
    step_actor(loss, turn.targets);
    metrics_.add(6, {loss.detach()});
  } else if (turn.targets) {
    follow_actor();
  }
  ++num_updates_;
}

}  // namespace anthill
