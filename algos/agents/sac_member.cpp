// One member of what SAC consists of, in shared memory.
#include "algos/agents/sac.hpp"

namespace anthill {
namespace {

/// [M, ...] -> [1, ...]; undefined stays undefined.
Tensor row(const Tensor& all, std::int64_t member) {
  return all.defined() ? all.detach().narrow(0, member, 1) : all;
}

Tensor leaf(const Tensor& all, std::int64_t member) {
  return row(all, member).set_requires_grad(true);
}

Parameters trained(const Parameters& all, std::int64_t member) {
  Parameters one = all.member(member);
  one.flat().set_requires_grad(true);
  return one;
}

}  // namespace

SacModel member_of(const SacModel& model, std::int64_t member) {
  SacModel one = model;
  one.actor = trained(model.actor, member);
  one.critic = trained(model.critic, member);
  one.target_critic = model.target_critic.member(member);
  if (model.config.critic.batch_renorm) {
    one.critic_statistics = {model.critic_statistics.running.member(member),
                             row(model.critic_statistics.num_batches, member)};
    one.target_statistics = model.target_statistics.member(member);
  }
  if (model.config.target_policy) one.target_actor = model.target_actor.member(member);
  one.log_alpha = leaf(model.log_alpha, member);
  one.discount = row(model.discount, member);
  one.reward_scale = row(model.reward_scale, member);
  one.target_entropy = row(model.target_entropy, member);
  one.max_log_alpha = row(model.max_log_alpha, member);
  for (Tensor SacTargetClip::*part :
       {&SacTargetClip::low, &SacTargetClip::high, &SacTargetClip::seen_low,
        &SacTargetClip::seen_high, &SacTargetClip::log_prob_max}) {
    one.clip.*part = row(model.clip.*part, member);
  }
  return one;
}

SacOptimisers member_of(const SacOptimisers& optimisers, std::int64_t member) {
  SacOptimisers one = optimisers;
  one.actor = optimisers.actor.member(member);
  one.critic = optimisers.critic.member(member);
  one.temperature = optimisers.temperature.member(member);
  one.target.flat = row(optimisers.target.flat, member);
  one.target.tau = {optimisers.target.tau.at(static_cast<std::size_t>(member))};
  one.target.device_tau = row(optimisers.target.device_tau, member);
  one.target_actor.flat = row(optimisers.target_actor.flat, member);
  one.target_actor.tau = one.target.tau;
  one.target_actor.device_tau = one.target.device_tau;
  return one;
}

Batch member_of(const Batch& batch, std::int64_t member) {
  Batch one = batch;
  for (Tensor* values :
       {&one.observation, &one.action, &one.reward, &one.next_observation, &one.bootstrap}) {
    *values = row(*values, member);
  }
  return one;
}

SacNoise member_of(const SacNoise& noise, std::int64_t member) {
  return {.next_action = row(noise.next_action, member),
          .action = row(noise.action, member),
          .target_keep = row(noise.target_keep, member),
          .critic_keep = row(noise.critic_keep, member),
          .actor_keep = row(noise.actor_keep, member),
          .subset = row(noise.subset, member)};
}

}  // namespace anthill
