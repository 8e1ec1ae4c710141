#include "algos/agents/normalising_agent.hpp"

#include <algorithm>

namespace anthill {
namespace {

/// As VecNormalize of Stable-Baselines3: no dimension is farther out, in standard deviations.
constexpr double kMaxNormalised = 10.0;

void normalise_into(Tensor& result, const Tensor& observation, const Tensor& mean,
                    const Tensor& inverse_std) {
  at::sub_out(result, observation, mean);
  result.mul_(inverse_std).clamp_(-kMaxNormalised, kMaxNormalised);
}

/// One member's networks behind its statistics as they are now.
class NormalisingActorCritic final : public ActorCritic {
 public:
  /// `mean` and `inverse_std` (1 x D).
  NormalisingActorCritic(std::unique_ptr<ActorCritic> networks, const Tensor& mean,
                         const Tensor& inverse_std)
      : networks_(std::move(networks)),
        mean_(mean.to(networks_->device(), at::kFloat, false, /*copy=*/true)),
        inverse_std_(inverse_std.to(networks_->device(), at::kFloat, false, /*copy=*/true)) {}

  at::Device device() const override { return networks_->device(); }
  std::int64_t action_dim() const override { return networks_->action_dim(); }
  Sample sample(const Tensor& observation, const Tensor& noise) const override {
    return networks_->sample(normalised(observation), noise);
  }
  Tensor mode(const Tensor& observation) const override {
    return networks_->mode(normalised(observation));
  }
  Tensor q(const Tensor& observation, const Tensor& action) const override {
    return networks_->q(normalised(observation), action);
  }
  Tensor target_q(const Tensor& observation, const Tensor& action) const override {
    return networks_->target_q(normalised(observation), action);
  }
  double alpha() const override { return networks_->alpha(); }
  double discount() const override { return networks_->discount(); }
  double reward_scale() const override { return networks_->reward_scale(); }

 private:
  Tensor normalised(const Tensor& observation) const {
    Tensor result = at::empty_like(observation);
    normalise_into(result, observation, mean_, inverse_std_);
    return result;
  }

  std::unique_ptr<ActorCritic> networks_;
  Tensor mean_, inverse_std_;
};

}  // namespace

NormalisingAgent::NormalisingAgent(std::unique_ptr<Agent> agent, const AgentShape& shape)
    : agent_(std::move(agent)),
      shape_(shape),
      statistics_(shape.members(), shape.observation_dim),
      mean_(at::zeros({shape.members(), 1, shape.observation_dim}, at::kFloat)),
      inverse_std_(at::ones_like(mean_)),
      device_mean_(mean_.to(shape.device)),
      device_inverse_std_(inverse_std_.to(shape.device)) {}

/// The statistics as float32, for acting and for the learner.
void NormalisingAgent::publish() {
  const auto to_float = [](double value) { return static_cast<float>(value); };
  std::ranges::transform(statistics_.mean(), mean_.data_ptr<float>(), to_float);
  std::ranges::transform(statistics_.inverse_std(), inverse_std_.data_ptr<float>(), to_float);
  if (shape_.device.is_cpu()) return;  // the same memory
  device_mean_.copy_(mean_);
  device_inverse_std_.copy_(inverse_std_);
}

void NormalisingAgent::observe(std::span<const float> observation) {
  statistics_.add(observation);
  publish();
}

void NormalisingAgent::act(std::span<const float> observation, std::span<float> action,
                           ActionMode mode, RandomStream stream, std::uint64_t counter) {
  const std::int64_t members = shape_.members(), dim = shape_.observation_dim;
  const std::int64_t num_envs = static_cast<std::int64_t>(observation.size()) / (members * dim);
  const Tensor raw =
      at::from_blob(const_cast<float*>(observation.data()), {members, num_envs, dim}, at::kFloat);
  Tensor input = at::empty_like(raw);
  normalise_into(input, raw, mean_, inverse_std_);
  agent_->act({input.data_ptr<float>(), observation.size()}, action, mode, stream, counter);
}

void NormalisingAgent::normalise(const Batch& batch, Batch& to) const {
  normalise_into(to.observation, batch.observation, device_mean_, device_inverse_std_);
  normalise_into(to.next_observation, batch.next_observation, device_mean_, device_inverse_std_);
}

Batch NormalisingAgent::normalised(const Batch& batch) const {
  Batch copy = batch;
  copy.observation = at::empty_like(batch.observation);
  copy.next_observation = at::empty_like(batch.next_observation);
  normalise(batch, copy);
  return copy;
}

/// The same in tensors that stay where they are, as a captured graph needs.
const Batch& NormalisingAgent::in_place(const Batch& batch) {
  if (!batch_ || !batch_->observation.sizes().equals(batch.observation.sizes())) {
    batch_ = normalised(batch);
    return *batch_;
  }
  batch_->action = batch.action;
  batch_->reward = batch.reward;
  batch_->bootstrap = batch.bootstrap;
  normalise(batch, *batch_);
  return *batch_;
}

CapturedUpdate* NormalisingAgent::captured_update() {
  update_ = agent_->captured_update();
  return update_ == nullptr ? nullptr : this;
}

std::vector<NamedTensor> NormalisingAgent::parameters() const {
  std::vector<NamedTensor> all = agent_->parameters();
  all.push_back({"observation.mean", mean_});
  all.push_back({"observation.inverse_std", inverse_std_});
  return all;
}

void NormalisingAgent::save(StateWriter state) const {
  agent_->save(state);
  statistics_.save(state.part("observation"));
}

void NormalisingAgent::load(const StateReader& state) {
  agent_->load(state);
  statistics_.load(state.part("observation"));
  publish();
}

void NormalisingAgent::load_networks(const StateReader& state) {
  agent_->load_networks(state);
  statistics_.load(state.part("observation"));
  publish();
}

std::unique_ptr<ActorCritic> NormalisingAgent::actor_critic(std::int64_t member) const {
  return std::make_unique<NormalisingActorCritic>(
      agent_->actor_critic(member), mean_.select(0, member), inverse_std_.select(0, member));
}

}  // namespace anthill
