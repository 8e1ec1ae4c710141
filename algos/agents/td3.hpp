/// Twin delayed deep deterministic policy gradient (Fujimoto et al., 2018, 1802.09477).
#pragma once

#include "algos/agents/deterministic.hpp"

namespace anthill {

/// The losses: pure functions of (parameters, batch, noise), per member.
struct Td3CriticLoss {
  Tensor loss;    // (M)
  Tensor q;       // (M x 2 x B), detached
  Tensor target;  // (M x B), detached
};
/// `noise` (M x B x A): standard normal.
Td3CriticLoss td3_critic_loss(const DeterministicModel& model, const Batch& batch,
                              const Tensor& noise);

/// Returns (M).
Tensor td3_actor_loss(const DeterministicModel& model, const Batch& batch);

class Td3 final : public DeterministicAgent {
 public:
  Td3(const std::vector<AgentConfig>& members, const AgentShape& shape);
  void update(const Batch& batch) override;

 private:
  Tensor noise_;  // (M x B x A), made on the first update
};

}  // namespace anthill
