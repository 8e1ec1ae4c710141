// What an update of SAC is besides its losses: whose turn it is, and what it draws.
#include "algos/agents/sac.hpp"
#include "algos/agents/sac_remedies.hpp"
#include "algos/agents/update_turn.hpp"
#include "algos/networks/noise.hpp"

namespace anthill {

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

void Sac::count(std::int64_t updates) {
  for (const std::int64_t end = num_updates_ + updates; num_updates_ < end; ++num_updates_) {
    const UpdateTurn turn = update_turn(model_.config, num_updates_);
    ++num_measured_;
    num_critic_measured_ += turn.critic ? 1 : 0;
    num_policy_measured_ += turn.policy ? 1 : 0;
  }
}

}  // namespace anthill
