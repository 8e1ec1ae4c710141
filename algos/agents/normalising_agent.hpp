/// Observation normalisation for any algorithm: agent.observation_normalisation.
#pragma once

#include <optional>

#include "algos/agents/agent.hpp"
#include "algos/agents/observation_statistics.hpp"

namespace anthill {

/// Every network of `agent` sees clip((s - mean) / sqrt(variance + 1e-8), -10, 10) for s: running
/// statistics of the training environments' observations. The replay buffer keeps s itself, so that
/// an update sees all its rows on today's scale. Beside the agent's own parameters there are
/// "observation.mean" and "observation.inverse_std", (M x 1 x D), on the host: written to from
/// outside (a policy's file) they are for acting and judging, and the next observe() replaces them.
class NormalisingAgent final : public Agent, private CapturedUpdate {
 public:
  NormalisingAgent(std::unique_ptr<Agent> agent, const AgentShape& shape);

  void observe(std::span<const float> observation) override;
  void act(std::span<const float> observation, std::span<float> action, ActionMode mode,
           RandomStream stream, std::uint64_t counter) override;
  void set_env_steps(std::int64_t env_steps) override { agent_->set_env_steps(env_steps); }
  bool needs_reward_range() const override { return agent_->needs_reward_range(); }
  void set_reward_ranges(const std::vector<RewardRange>& rewards) override {
    agent_->set_reward_ranges(rewards);
  }
  void update(const Batch& batch) override { agent_->update(in_place(batch)); }
  CapturedUpdate* captured_update() override;
  std::int64_t num_updates() const override { return agent_->num_updates(); }
  MetricMeans take_metric_means() override { return agent_->take_metric_means(); }
  const std::vector<std::string>& diagnostic_names() const override {
    return agent_->diagnostic_names();
  }
  Tensor diagnose(const Batch& batch, const std::vector<RewardRange>& rewards) override {
    return agent_->diagnose(normalised(batch), rewards);
  }
  Tensor critic_losses(const Batch& batch) override {
    return agent_->critic_losses(normalised(batch));
  }
  std::vector<NamedTensor> parameters() const override;
  void save(StateWriter state) const override;
  void load(const StateReader& state) override;
  void load_networks(const StateReader& state) override;
  /// Shares the networks, with the statistics as they are now.
  std::unique_ptr<ActorCritic> actor_critic(std::int64_t member) const override;

 private:
  std::int64_t kind(std::int64_t update) const override { return update_->kind(update); }
  std::int64_t kind_period() const override { return update_->kind_period(); }
  void queue(const Batch& batch, std::int64_t kind) override {
    update_->queue(in_place(batch), kind);
  }
  void count(std::int64_t updates) override { update_->count(updates); }
  const std::int64_t* update_word() const override { return update_->update_word(); }

  void publish();
  void normalise(const Batch& batch, Batch& to) const;
  Batch normalised(const Batch& batch) const;
  const Batch& in_place(const Batch& batch);

  std::unique_ptr<Agent> agent_;
  CapturedUpdate* update_ = nullptr;  // agent_'s
  AgentShape shape_;
  ObservationStatistics statistics_;
  Tensor mean_, inverse_std_;                // (M x 1 x D) float32 on the host,
  Tensor device_mean_, device_inverse_std_;  // and where the learner runs
  std::optional<Batch> batch_;               // what an update sees; made on the first one
};

}  // namespace anthill
