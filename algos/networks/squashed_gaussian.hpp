/// The policy's distribution: a diagonal Gaussian squashed by tanh (Haarnoja et al., 2018, appendix
/// C).
#pragma once

#include "algos/agents/agent_config.hpp"
#include "algos/tensor.hpp"

namespace anthill {

/// A reparameterised sample. Shapes: action [M, B, A] in (-1, 1); log_prob [M, B], summed over the
/// action's elements.
struct SquashedSample {
  Tensor action;
  Tensor log_prob;
};

/// `head` [M, B, 2A] is the actor's output (means, then raw log standard deviations); `noise` [M,
/// B, A] is standard normal. u = mean + std * noise, action = tanh(u), log_prob = sum( -noise^2/2 -
/// log_std - ln(2 pi)/2 - log(1 - action^2) ) in the form that the configuration asks.
SquashedSample sample_squashed_gaussian(const ActorConfig& config, const Tensor& head,
                                        const Tensor& noise);

/// tanh(mean): the deterministic policy, [M, B, A].
Tensor squashed_mean(const Tensor& head);

}  // namespace anthill
