/// Deep Q-network (Mnih et al., 2015) with double Q-learning as a switch (van Hasselt et al., 2016,
/// 1509.06461).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "algos/agents/agent.hpp"
#include "algos/agents/metric_sums.hpp"
#include "algos/networks/adam.hpp"
#include "algos/networks/mlp.hpp"

namespace anthill {

/// Everything the loss reads. The network [critic] maps s to the values of all C actions.
struct DqnModel {
  AgentConfig config;
  MlpShape shape;
  Parameters critic, target_critic;  // (M x 1 x P), the target without gradient
  Tensor discount, reward_scale;     // (M)
};
DqnModel make_dqn_model(const std::vector<AgentConfig>& members, const AgentShape& shape);

/// Q(s, .) of all actions, [M, B, C], of `critic` (the model's or its target).
Tensor q_values(const DqnModel& model, const Parameters& critic, const Tensor& observation);

/// The loss: a pure function of (parameters, batch), per member; batch.action holds indices.
struct DqnLoss {
  Tensor loss;    // (M)
  Tensor q;       // (M x B) of the actions taken, detached
  Tensor target;  // (M x B), detached
};
DqnLoss dqn_loss(const DqnModel& model, const Batch& batch);

class Dqn final : public Agent {
 public:
  Dqn(const std::vector<AgentConfig>& members, const AgentShape& shape);

  /// Actions are indices, one column.
  void act(std::span<const float> observation, std::span<float> action, ActionMode mode,
           RandomStream stream, std::uint64_t counter) override;
  void set_env_steps(std::int64_t env_steps) override { env_steps_ = env_steps; }
  void update(const Batch& batch) override;
  std::int64_t num_updates() const override { return num_updates_; }
  MetricMeans take_metric_means() override { return metrics_.take_means(); }
  std::vector<NamedTensor> parameters() const override;
  void save(StateWriter state) const override;
  void load(const StateReader& state) override;
  std::unique_ptr<ActorCritic> actor_critic(std::int64_t member) const override;

  const DqnModel& model() const { return model_; }

 private:
  void explore(std::span<float> action, std::int64_t num_envs, RandomStream stream,
               std::uint64_t counter) const;

  AgentShape shape_;
  std::vector<AgentConfig> members_;
  DqnModel model_;
  Adam optimiser_;
  PolyakTarget target_;
  MetricSums metrics_;
  std::int64_t num_updates_ = 0;
  std::int64_t env_steps_ = 0;
};

}  // namespace anthill
