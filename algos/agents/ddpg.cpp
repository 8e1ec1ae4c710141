#include "algos/agents/ddpg.hpp"

namespace anthill {

/// J_Q (algorithm 1 of 1509.02971):
///   y = reward_scale * r + discount * bootstrap * Q'(s', mu'(s'))
///   J = mean_B ( Q(s, a) - y )^2
DdpgCriticLoss ddpg_critic_loss(const DeterministicModel& model, const Batch& batch) {
  Tensor target;
  {
    at::NoGradGuard no_grad;
    const Tensor next_action = policy_action(model, model.target_actor, batch.next_observation);
    const Tensor next_q =
        q_values(model, model.target_critic, batch.next_observation, next_action).select(1, 0);
    target = model.reward_scale.unsqueeze(1) * batch.reward +
             model.discount.unsqueeze(1) * batch.bootstrap * next_q;
  }
  const Tensor q =
      q_values(model, model.critic, batch.observation, model.actions.measured(batch.action));
  const Tensor loss = (q - target.unsqueeze(1)).square().sum(1).mean(-1);
  return {loss, q.detach(), target};
}

/// J_mu:  -mean_B Q(s, mu(s))
Tensor ddpg_actor_loss(const DeterministicModel& model, const Batch& batch) {
  const Tensor action = policy_action(model, model.actor, batch.observation);
  return -q_values(model, model.critic, batch.observation, action).select(1, 0).mean(-1);
}

Ddpg::Ddpg(const std::vector<AgentConfig>& members, const AgentShape& shape)
    : DeterministicAgent(members, shape, 1,
                         {"critic_loss", "q_mean", "q_min", "q_max", "target_mean", "actor_loss"}) {
}

void Ddpg::update(const Batch& batch) {
  const UpdateTurn turn = this->turn();

  // critic; nothing below reads its target, so it may follow in the same pass
  if (turn.critic) {
    const DdpgCriticLoss critic = ddpg_critic_loss(model_, batch);
    step_critic(critic.loss, turn.targets);
    const Tensor q = critic.q.flatten(1);
    metrics_.add(
        0, {critic.loss.detach(), q.mean(-1), q.amin(-1), q.amax(-1), critic.target.mean(-1)});
  } else if (turn.targets) {
    follow_critic();
  }

  // policy, against the critic just improved
  if (turn.policy) {
    const Tensor loss = ddpg_actor_loss(model_, batch);
    step_actor(loss, turn.targets);
    metrics_.add(5, {loss.detach()});
  } else if (turn.targets) {
    follow_actor();
  }
  ++num_updates_;
}

}  // namespace anthill
