// SAC's critics: their values in the losses and outside of them.
#include "algos/agents/sac.hpp"

namespace anthill {

Tensor sac_q(const SacModel& model, Critics critics, const Tensor& observation,
             const Tensor& action, const Tensor& keep) {
  const bool online = critics == Critics::online;
  const Parameters& parameters = online ? model.critic : model.target_critic;
  const MlpInput input(observation, action);
  if (!model.config.critic.batch_renorm) {
    return mlp_forward(model.critic_shape, parameters, input, keep).squeeze(-1);
  }
  const Parameters& running = online ? model.critic_statistics.running : model.target_statistics;
  return batch_renorm_forward(model.critic_shape, parameters, running, input).output.squeeze(-1);
}

Tensor sac_features(const SacModel& model, const Tensor& observation, const Tensor& action) {
  const MlpInput input(observation, action);
  if (!model.config.critic.batch_renorm) {
    return mlp_features(model.critic_shape, model.critic, input);
  }
  at::NoGradGuard no_grad;
  return batch_renorm_forward(model.critic_shape, model.critic, model.critic_statistics.running,
                              input)
      .features;
}

SacCriticValues sac_critic_values(const SacModel& model, const Batch& batch,
                                  const Tensor& next_action, const SacNoise& noise) {
  const Tensor action = model.actions.measured(batch.action);
  const std::int64_t rows = action.size(1);
  const auto train = [&](const MlpInput& input) {
    return batch_renorm_train(model.critic_shape, model.critic, model.critic_statistics, input,
                              model.config.critic.batch_renorm_warmup);
  };
  if (model.joint_critics) {
    const BatchRenormOutputs both = train({at::cat({batch.observation, batch.next_observation}, 1),
                                           at::cat({action, next_action}, 1)});
    const Tensor q = both.output.squeeze(-1);
    return {q.narrow(2, 0, rows).contiguous(), q.narrow(2, rows, rows).detach(),
            both.batch_statistics};
  }
  SacCriticValues values;
  {
    at::NoGradGuard no_grad;
    values.next_q =
        sac_q(model, Critics::target, batch.next_observation, next_action, noise.target_keep);
  }
  if (model.config.critic.batch_renorm) {
    const BatchRenormOutputs own = train({batch.observation, action});
    values.q = own.output.squeeze(-1);
    values.statistics = own.batch_statistics;
  } else {
    values.q = sac_q(model, Critics::online, batch.observation, action, noise.critic_keep);
  }
  return values;
}

}  // namespace anthill
