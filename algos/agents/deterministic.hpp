/// What DDPG and TD3 share: a deterministic policy, critics of (s, a), and targets of both.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "algos/agents/action_measure.hpp"
#include "algos/agents/agent.hpp"
#include "algos/agents/exploration_noise.hpp"
#include "algos/agents/metric_sums.hpp"
#include "algos/agents/update_turn.hpp"
#include "algos/networks/adam.hpp"
#include "algos/networks/mlp.hpp"

namespace anthill {

/// Everything the losses read. M = members, E = critics.
struct DeterministicModel {
  AgentConfig config;  // what all members share
  MlpShape actor_shape, critic_shape;
  Parameters actor, target_actor;    // (M x 1 x P), the target without gradient
  Parameters critic, target_critic;  // (M x E x P), the target without gradient
  Tensor discount, reward_scale;     // (M)
  ActionMeasure actions;
};

/// Networks initialised as the configuration asks, targets as copies. `members` may differ in
/// numbers; structure and forms are those of the first.
DeterministicModel make_deterministic_model(const std::vector<AgentConfig>& members,
                                            const AgentShape& shape, std::int64_t num_critics);

/// mu(s), [M, B, A], of `actor` (the model's or its target), as the losses measure actions;
/// `observation` (M x B x D).
Tensor policy_action(const DeterministicModel& model, const Parameters& actor,
                     const Tensor& observation);

/// Q(s, a) of every network of `critic` (the model's or its target), [M, E, B]; `action` as the
/// losses measure it.
Tensor q_values(const DeterministicModel& model, const Parameters& critic,
                const Tensor& observation, const Tensor& action);

struct DeterministicOptimisers {
  Adam actor, critic;
  PolyakTarget target_actor, target_critic;
};
DeterministicOptimisers make_optimisers(const std::vector<AgentConfig>& members,
                                        const DeterministicModel& model);

/// Acting, saving and measuring; an algorithm adds its losses and its update.
class DeterministicAgent : public Agent {
 public:
  DeterministicAgent(const std::vector<AgentConfig>& members, const AgentShape& shape,
                     std::int64_t num_critics, std::vector<std::string> metrics);

  void act(std::span<const float> observation, std::span<float> action, ActionMode mode,
           RandomStream stream, std::uint64_t counter) override;
  void set_env_steps(std::int64_t env_steps) override { env_steps_ = env_steps; }
  std::int64_t num_updates() const override { return num_updates_; }
  MetricMeans take_metric_means() override { return metrics_.take_means(); }
  std::vector<NamedTensor> parameters() const override;
  void save(StateWriter state) const override;
  void load(const StateReader& state) override;
  std::unique_ptr<ActorCritic> actor_critic(std::int64_t member) const override;

  const DeterministicModel& model() const { return model_; }

 protected:
  /// What the update that has just begun consists of.
  UpdateTurn turn() const { return update_turn(model_.config, num_updates_); }

  /// One step on the critics, or on the policy, down the gradient of `loss` (M); the targets follow
  /// in the same pass when `with_target`.
  void step_critic(const Tensor& loss, bool with_target);
  void follow_critic() { follow(optimisers_.target_critic, model_.critic.flat()); }
  void step_actor(const Tensor& loss, bool with_target);
  void follow_actor() { follow(optimisers_.target_actor, model_.actor.flat()); }

  AgentShape shape_;
  std::vector<AgentConfig> members_;
  DeterministicModel model_;
  DeterministicOptimisers optimisers_;
  MetricSums metrics_;
  std::int64_t num_updates_ = 0;

 private:
  std::int64_t env_steps_ = 0;
  ExplorationNoise exploration_noise_;
};

}  // namespace anthill
