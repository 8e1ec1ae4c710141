/// The policy's distribution: a diagonal Gaussian squashed by tanh (Haarnoja et al., 2018, appendix
/// C), one node of the graph.
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

/// `head` [M, B, 2A] is the actor's output (means, then raw log standard deviations x); `noise` [M,
/// B, A] is standard normal. Float32 or float64 (CPU). Differentiable once in `head`:
///   log_std = clamp(x, min, max)  or  min + (max - min) (1 + tanh x) / 2
///   u = mean + exp(log_std) * noise,   action = tanh(u)
///   log_prob = sum( -noise^2/2 - log_std - ln(2 pi)/2 - log(1 - action^2) )
/// where the last term is 2 (ln 2 - u - softplus(-2u)) or log(relu(1 - action^2) + 1e-6). With
/// `scale` [A] (the noise's type) log_prob is that of scale * action: the last term becomes
/// log(scale)
/// + 2 (...) or log(scale * relu(1 - action^2) + 1e-6).
SquashedSample sample_squashed_gaussian(const ActorConfig& config, const Tensor& head,
                                        const Tensor& noise, const Tensor& scale = {});

/// tanh(mean): the deterministic policy, [M, B, A].
Tensor squashed_mean(const Tensor& head);

}  // namespace anthill
