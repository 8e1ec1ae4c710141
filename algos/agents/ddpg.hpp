/// Deep deterministic policy gradient (Lillicrap et al., 2016, 1509.02971).
#pragma once

#include "algos/agents/deterministic.hpp"

namespace anthill {

/// The losses: pure functions of (parameters, batch), per member.
struct DdpgCriticLoss {
  Tensor loss;    // (M)
  Tensor q;       // (M x 1 x B), detached
  Tensor target;  // (M x B), detached
};
DdpgCriticLoss ddpg_critic_loss(const DeterministicModel& model, const Batch& batch);

/// Returns (M).
Tensor ddpg_actor_loss(const DeterministicModel& model, const Batch& batch);

class Ddpg final : public DeterministicAgent {
 public:
  Ddpg(const std::vector<AgentConfig>& members, const AgentShape& shape);
  void update(const Batch& batch) override;
};

}  // namespace anthill
