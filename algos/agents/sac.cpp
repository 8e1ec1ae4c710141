#include "algos/agents/sac.hpp"

#include "algos/agents/exploration.hpp"
#include "algos/agents/sac_remedies.hpp"
#include "algos/agents/stack.hpp"
#include "algos/agents/update_turn.hpp"
#include "algos/networks/noise.hpp"

namespace anthill {

/// Keeps the process that is added to actions apart from the policy's own noise.
constexpr std::uint64_t kProcessNoise = std::uint64_t{1} << 62;

/// min over the critics, or over the update's own subset of them (REDQ; Chen et al., 2021: arXiv
/// 2101.05982, algorithm 1), or their mean - beta * standard deviation (Moskovitz et al., 2021:
/// 2102.03765; the population's, so that beta = 1 is the minimum of two):
/// [M, E, B] -> [M, B].
static Tensor aggregate_target(const CriticConfig& config, const Tensor& all,
                               const Tensor& subset) {
  const Tensor q =
      subset.defined() ? all.gather(1, subset.unsqueeze(-1).expand({-1, -1, all.size(2)})) : all;
  if (config.target_aggregation == TargetAggregation::minimum) return q.amin(1);
  return q.mean(1) - config.target_beta * at::std(q, at::IntArrayRef{1}, /*unbiased=*/false);
}

/// J_Q (eq. 5 of 1812.05905), summed over the critics:
///   y = reward_scale * r + discount * bootstrap * ( min_j Q'_j(s', a') - alpha * log pi(a'|s') ),
///       a' ~ pi(.|s')
///   J = mean_B sum_j ( Q_j(s, a) - y )^2
/// With critic.target_aggregation the mean and the standard deviation over j instead of the
/// minimum. With agent.target_policy a' is the target policy's, the entropy still the policy's own.
SacCriticLoss sac_critic_loss(const SacModel& model, const Batch& batch, const SacNoise& noise) {
  SquashedSample next;
  {
    at::NoGradGuard no_grad;
    next = sac_sample(model, model.actor, batch.next_observation, noise.next_action);
    if (model.config.target_policy) {
      next.action =
          sac_sample(model, model.target_actor, batch.next_observation, noise.next_action).action;
    }
  }
  const SacCriticValues values = sac_critic_values(model, batch, next.action, noise);
  Tensor target;
  {
    at::NoGradGuard no_grad;
    const Tensor next_q = aggregate_target(model.config.critic, values.next_q, noise.subset);
    const Tensor alpha = model.log_alpha.exp().unsqueeze(1);
    const Tensor discount = model.discount.unsqueeze(1) * batch.bootstrap;
    target =
        clip_target(model, model.reward_scale.unsqueeze(1) * batch.reward +
                               discount * (clip_next_value(model, next_q) - alpha * next.log_prob));
  }
  const Tensor loss = (values.q - target.unsqueeze(1)).square().sum(1).mean(-1);
  return {loss, values.q.detach(), target, next.log_prob, values.statistics};
}

/// J_pi (eq. 7):  mean_B ( alpha * log pi(a|s) - min_j Q_j(s, a) ),   a = tanh(mean + std * noise);
/// with agent.policy_value = "first" Q_1 instead of the minimum, with "mean" the mean over j.
SacActorLoss sac_actor_loss(const SacModel& model, const Batch& batch, const SacNoise& noise) {
  const auto policy = sac_sample(model, model.actor, batch.observation, noise.action);
  const Tensor all_q =
      sac_q(model, Critics::online, batch.observation, policy.action, noise.actor_keep);
  const PolicyValue value = model.config.policy_value;
  const Tensor q = value == PolicyValue::first  ? all_q.select(1, 0)
                   : value == PolicyValue::mean ? all_q.mean(1)
                                                : all_q.amin(1);
  const Tensor alpha = model.log_alpha.detach().exp().unsqueeze(1);
  return {(alpha * policy.log_prob - q).mean(-1), policy.log_prob.detach()};
}

/// J_alpha (eq. 18):  -alpha * mean_B ( log pi(a|s) + target_entropy ); the log-alpha form replaces
/// the factor by log alpha, which makes the gradient in log alpha independent of alpha's size.
Tensor sac_temperature_loss(const SacModel& model, const Tensor& log_prob) {
  const bool alpha_form = model.config.temperature.loss_form == AlphaLossForm::alpha;
  const Tensor factor = alpha_form ? model.log_alpha.exp() : model.log_alpha;
  return -factor * (log_prob.mean(-1) + model.target_entropy);
}

/// What every update draws: noise, masks, and which critics the target is of.
void Sac::draw_noise(const Batch& batch, NoiseCounter counter, SacNoise& noise) const {
  const auto normal = [&](Tensor& values, RandomStream stream) {
    if (!values.defined()) values = at::empty_like(batch.action);
    fill_normal(values, shape_.seeds, stream, counter);
  };
  normal(noise.next_action, RandomStream::next_action_noise);
  normal(noise.action, RandomStream::actor_noise);
  if (const std::int64_t size = model_.config.critic.target_subset; size > 0) {
    // the critics with the largest of equally distributed numbers: any subset, equally likely
    const Tensor keys =
        at::empty({shape_.members(), model_.critic.ensemble()}, batch.reward.options());
    fill_normal(keys, shape_.seeds, RandomStream::target_subset, counter);
    noise.subset = std::get<1>(keys.topk(size, 1));
  }

  const double dropout = model_.critic_shape.dropout;
  if (dropout == 0.0) return;
  const auto mask = [&](Tensor& keep, RandomStream stream) {
    if (!keep.defined()) {
      keep = at::empty({shape_.members(), model_.critic.ensemble(),
                        batch.reward.size(1) * model_.critic_shape.num_hidden()},
                       batch.reward.options().dtype(at::kByte));
    }
    fill_keep(keep, dropout, shape_.seeds, stream, counter);
  };
  mask(noise.target_keep, RandomStream::target_dropout);
  mask(noise.critic_keep, RandomStream::critic_dropout);
  mask(noise.actor_keep, RandomStream::actor_dropout);
}

void Sac::update(const Batch& batch) {
  reset_if_due();
  update_clip_bounds(model_, rewards_);
  queue(batch, kind(num_updates_));
  count(1);
}

/// Resets and clipped targets look at the host's counters.
CapturedUpdate* Sac::captured_update() {
  const AgentConfig& config = model_.config;
  const bool on_device = !has_resets(config) && config.critic.target_clip == TargetClip::none;
  return on_device ? this : nullptr;
}

std::int64_t Sac::kind(std::int64_t update) const {
  return kind_of(update_turn(model_.config, update));
}

std::int64_t Sac::kind_period() const { return turn_period(model_.config); }

void Sac::queue(const Batch& batch, std::int64_t kind) {
  draw_noise(batch, NoiseCounter(update_word()), noise_);
  const UpdateTurn turn = turn_of(kind);
  const Tensor alpha = model_.log_alpha.detach().exp();

  // critics, and their targets
  SacCriticLoss critic;
  if (turn.critic) {
    critic = sac_critic_loss(model_, batch, noise_);
    step_critics(model_, optimisers_, model_.critic.gradient(critic.loss), turn.targets);
    remember_statistics(model_, optimisers_, critic, turn.targets);
    remember_targets(model_, critic, num_updates_);
  } else if (turn.targets) {
    follow(optimisers_.target, model_.critic.flat());
    remember_statistics(model_, optimisers_, {}, true);
  }

  // policy, against the critics just improved, and temperature
  SacActorLoss actor;
  Tensor alpha_loss;
  const bool with_target = turn.targets && model_.config.target_policy;
  if (turn.policy) {
    actor = sac_actor_loss(model_, batch, noise_);
    optimisers_.actor.step(model_.actor.flat(), model_.actor.gradient(actor.loss),
                           with_target ? optimisers_.target_actor : PolyakTarget{});
    if (model_.config.temperature.automatic) alpha_loss = update_temperature(actor.log_prob);
  } else if (with_target) {
    follow(optimisers_.target_actor, model_.actor.flat());
  }
  measure(batch, critic, actor, alpha_loss, alpha);
  advance_word(word_);
}

/// Returns the loss, detached.
Tensor Sac::update_temperature(const Tensor& log_prob) {
  const Tensor loss = sac_temperature_loss(model_, log_prob);
  optimisers_.temperature.step(model_.log_alpha, torch::autograd::grad({loss}, {model_.log_alpha},
                                                                       {at::ones_like(loss)})[0]);
  cap_temperature(model_);
  return loss.detach();
}

/// a ~ pi(.|s). With gSDE the training environments' actions share a matrix over some steps; those
/// of every other stream are drawn apart, from the same distribution.
Tensor Sac::sampled(const Tensor& observation, RandomStream stream, std::uint64_t counter) {
  const AgentConfig& config = model_.config;
  const std::int64_t num_envs = observation.size(1);
  if (config.actor.distribution == PolicyDistribution::gsde &&
      stream == RandomStream::exploration_noise) {
    return sac_explore(
        model_, observation,
        exploration_matrices_.of_step(counter, config.exploration.sde_sample_freq, num_envs,
                                      config.actor.hidden_dims.back(), shape_.action_dim,
                                      shape_.seeds, shape_.device));
  }
  const Tensor noise =
      at::empty({shape_.members(), num_envs, shape_.action_dim}, observation.options());
  fill_normal(noise, shape_.seeds, stream, counter);
  return sac_sample(model_, model_.actor, observation, noise).action;
}

void Sac::act(std::span<const float> observation, std::span<float> action, ActionMode mode,
              RandomStream stream, std::uint64_t counter) {
  at::NoGradGuard no_grad;
  const std::int64_t members = shape_.members();
  const std::int64_t num_envs =
      static_cast<std::int64_t>(action.size()) / (members * shape_.action_dim);
  const Tensor input = at::from_blob(const_cast<float*>(observation.data()),
                                     {members, num_envs, shape_.observation_dim}, at::kFloat)
                           .to(shape_.device);
  Tensor result;
  if (mode == ActionMode::deterministic) {
    result = sac_mode(model_, input);
  } else {
    result = sampled(input, stream, counter);
    const ExplorationConfig& exploration = model_.config.exploration;
    if (exploration.correlation_steps > 0.0 && stream == RandomStream::exploration_noise) {
      const Tensor scale = device_words(exploration_scales(members_, env_steps_), shape_.device)
                               .view({members, 1, 1});
      const Tensor extra =
          exploration_noise_.next(exploration, result, shape_.seeds,
                                  RandomStream::exploration_noise, counter | kProcessNoise);
      result = model_.actions.clipped(result + scale * extra);
    }
  }
  at::from_blob(action.data(), result.sizes(), at::kFloat).copy_(model_.actions.normalised(result));
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
