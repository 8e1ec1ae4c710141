/// What the trainer asks of every algorithm.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "algos/agents/actor_critic.hpp"
#include "algos/agents/agent_config.hpp"
#include "algos/agents/batch.hpp"
#include "algos/agents/captured_update.hpp"
#include "algos/checkpoint/state.hpp"
#include "buffers/philox.hpp"
#include "sim/env.hpp"

namespace anthill {

/// Sizes and identity of a stack of agents. Everything random is keyed by `seeds` (one per member).
struct AgentShape {
  std::int64_t observation_dim = 0;  // D
  std::int64_t action_dim = 0;       // A
  std::vector<std::uint64_t> seeds;  // (M)
  at::Device device = at::kCPU;
  std::int64_t num_actions = 0;  // discrete actions; 0: continuous
  // (A) an action a in [-1, 1] is a * scale + bias in the environment's units; empty: a itself
  std::vector<float> action_scale = {}, action_bias = {};

  std::int64_t members() const { return static_cast<std::int64_t>(seeds.size()); }
};

/// The shape of agents for a task.
AgentShape agent_shape(const EnvSpec& task, std::vector<std::uint64_t> seeds, at::Device device);

/// A tensor under the name that it has in policy.safetensors.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

enum class ActionMode {
  deterministic,  // the distribution's mode
  stochastic,     // a sample; noise is a function of (seed, stream, counter, lane)
};

/// Means over the updates that measured each metric; one that none of them measured is not here.
struct MetricMeans {
  std::vector<std::string> names;  // K columns of train.csv
  Tensor values;                   // [K, M] on the host
};

/// One owner thread. `update` neither synchronises with the device nor reads a value back.
class Agent {
 public:
  virtual ~Agent() = default;

  /// `observation` [M*N, D] -> `action` [M*N, A] in [-1, 1], or indices [M*N, 1], both host memory;
  /// waits for the result.
  virtual void act(std::span<const float> observation, std::span<float> action, ActionMode mode,
                   RandomStream stream, std::uint64_t counter) = 0;

  /// `observation` [M*N, D] of the training environments in host memory, once per vector step and
  /// before act(), also where the actions are random: for what depends on the observations seen.
  virtual void observe(std::span<const float> /*observation*/) {}

  /// Transitions of one member so far, for what depends on them (exploration, schedules, resets);
  /// before act() and before the updates that they have earned.
  virtual void set_env_steps(std::int64_t /*env_steps*/) {}

  /// Rewards of the stored transitions (M), before the updates, for an algorithm that needs them.
  virtual bool needs_reward_range() const { return false; }
  virtual void set_reward_ranges(const std::vector<RewardRange>& /*rewards*/) {}

  /// One gradient update of everything, in the algorithm's own order.
  virtual void update(const Batch& batch) = 0;

  /// The same update for captured graphs; null for an algorithm without.
  virtual CapturedUpdate* captured_update() { return nullptr; }

  /// Gradient updates so far; also the counter of the noise streams.
  virtual std::int64_t num_updates() const = 0;

  /// What the updates since the last call measured. Synchronises.
  virtual MetricMeans take_metric_means() = 0;

  /// Names of what diagnose() measures; none for an algorithm without.
  virtual const std::vector<std::string>& diagnostic_names() const;
  /// Looks at the networks as they are, on a batch and with the latest update's noise; `rewards`
  /// (M): of the stored transitions. Changes nothing that training depends on. [K, M] on the host;
  /// synchronises.
  virtual Tensor diagnose(const Batch& /*batch*/, const std::vector<RewardRange>& /*rewards*/) {
    return {};
  }

  /// The critics' loss on a batch by the networks as they are, with the latest update's noise: (M)
  /// on the host; synchronises. Undefined for an algorithm without diagnose().
  virtual Tensor critic_losses(const Batch& /*batch*/) { return {}; }

  /// All networks, the temperature and what the networks' inputs are scaled by, by name (shared
  /// memory, not copies), e.g. "actor.hidden_0.weight" [M, 1, out, in].
  virtual std::vector<NamedTensor> parameters() const = 0;

  /// Everything that later updates, actions and metrics depend on: parameters, targets, optimisers,
  /// counters, sums of metrics. load() throws ConfigError for another structure. Both synchronise.
  virtual void save(StateWriter state) const = 0;
  virtual void load(const StateReader& state) = 0;
  /// The networks and the temperature alone, for one that will not learn on: also from a checkpoint
  /// of an earlier version that saved less beside them.
  virtual void load_networks(const StateReader& state) { load(state); }
  /// A member's policy and critics as a value probe reads them; shares the parameters, must not
  /// outlive the agent.
  virtual std::unique_ptr<ActorCritic> actor_critic(std::int64_t member) const = 0;

  /// Whether every parameter of a member is finite. Synchronises.
  bool parameters_are_finite(std::int64_t member = 0) const;
};

/// Names to algorithms. `members` (M) holds every member's settings, which may differ in numbers;
/// structure is that of the first. Throws ConfigError with the known names, and for an algorithm
/// that cannot act on the task.
std::unique_ptr<Agent> make_agent(const std::vector<AgentConfig>& members, const AgentShape& shape);

}  // namespace anthill
