/// Multi-layer perceptrons over stacked parameters.
#pragma once

#include <cstdint>
#include <vector>

#include "algos/agents/agent_config.hpp"
#include "algos/networks/parameters.hpp"

namespace anthill {

/// Linear -> [LayerNorm] -> activation for every hidden layer, then Linear.
struct MlpShape {
  std::int64_t input_dim = 0;
  std::vector<std::int64_t> hidden_dims;
  std::int64_t output_dim = 0;
  Activation activation = Activation::relu;
  bool layer_norm = false;  // after each hidden Linear, before the activation (eps 1e-5, affine)
};

/// Names and shapes: hidden_<i>.weight [out, in], hidden_<i>.bias [out],
/// layer_norm_<i>.weight/.bias [out], output.weight [out, in], output.bias [out] (PyTorch's
/// orientation).
ParameterLayout mlp_layout(const MlpShape& shape);

/// `input` [M, B, in], the same for every network of the ensemble; returns [M, E, B, out].
/// Differentiable in input and parameters.
Tensor mlp_forward(const MlpShape& shape, const Parameters& parameters, const Tensor& input);

/// Fills the parameters in place. Every network of member m draws from its own generator, seeded by
/// (seeds[m], network_id, ensemble index), on the CPU, so the values do not depend on the device or
/// on M.
void mlp_initialise(const MlpShape& shape, const Parameters& parameters, Initialisation method,
                    const std::vector<std::uint64_t>& seeds, std::uint64_t network_id);

}  // namespace anthill
