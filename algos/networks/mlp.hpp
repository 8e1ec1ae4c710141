/// Multi-layer perceptrons over stacked parameters: a whole network is one node of the graph.
#pragma once

#include <cstdint>
#include <vector>

#include "algos/agents/agent_config.hpp"
#include "algos/networks/parameters.hpp"

namespace anthill {

/// For every hidden layer: h = Linear(x); dropout; LayerNorm; activation (or activation, then
/// LayerNorm); and, where `residual` and the layer is as wide as the one before, h + x. Then, with
/// `unit_features`, h / |h|, and Linear.
struct MlpShape {
  std::int64_t input_dim = 0;
  std::vector<std::int64_t> hidden_dims;
  std::int64_t output_dim = 0;
  Activation activation = Activation::relu;
  bool layer_norm = false;  // eps 1e-5, affine
  LayerNormPlacement layer_norm_placement = LayerNormPlacement::before_activation;
  double dropout = 0.0;  // probability that an element is dropped where a mask is given
  bool residual = false;
  bool unit_features = false;  // the output layer reads h / sqrt(|h|^2 + kUnitNormEps)

  /// Sum of hidden_dims: elements of dropout's mask per row.
  std::int64_t num_hidden() const;
  bool has_skip(std::size_t layer) const;
};

/// Names and shapes: hidden_<i>.weight [out, in], hidden_<i>.bias [out],
/// layer_norm_<i>.weight/.bias [out], output.weight [out, in], output.bias [out] (PyTorch's
/// orientation).
ParameterLayout mlp_layout(const MlpShape& shape);

/// What a network reads: one tensor, or two that are laid side by side ([observation, action]).
struct MlpInput {
  Tensor first;        // [M, B, D]
  Tensor second = {};  // [M, B, input_dim - D], or undefined

  MlpInput(Tensor one) : first(std::move(one)) {}  // NOLINT: a plain tensor is an input
  MlpInput(Tensor one, Tensor two) : first(std::move(one)), second(std::move(two)) {}
};

/// The same input for every network of member m; returns [M, E, B, out]. Float32 or float64 (CPU).
/// Differentiable once in the inputs and in parameters.flat(). `keep` (uint8 [M, E, B *
/// num_hidden], 1 keeps; the rows of layer 0, then those of layer 1, ...) is dropout's mask;
/// undefined: no dropout. Rows are computed in shards that depend on E and B alone, so that results
/// depend neither on the number of threads nor on M.
Tensor mlp_forward(const MlpShape& shape, const Parameters& parameters, const MlpInput& input,
                   const Tensor& keep = {});

/// What mlp_forward returns, and what the output layer reads (with unit_features: h / |h|).
struct MlpOutputs {
  Tensor output;         // [M, E, B, out]
  Tensor features = {};  // [M, E, B, W]
};

/// mlp_forward without dropout, both outputs in the graph. std::invalid_argument without a hidden
/// layer.
MlpOutputs mlp_forward_with_features(const MlpShape& shape, const Parameters& parameters,
                                     const MlpInput& input);

/// What the last hidden layer puts out (the penultimate features), [M, E, B, W]: after activation,
/// LayerNorm and skip, before unit_features, without dropout. No graph. std::invalid_argument
/// without a hidden layer.
Tensor mlp_features(const MlpShape& shape, const Parameters& parameters, const MlpInput& input);

/// Fills the parameters in place. Every network of member m draws from its own generator, seeded by
/// (seeds[m], network_id, ensemble index), on the CPU, so the values do not depend on the device or
/// on M. An `output_bound` > 0 draws the last layer from U(+-output_bound) instead.
void mlp_initialise(const MlpShape& shape, const Parameters& parameters, Initialisation method,
                    const std::vector<std::uint64_t>& seeds, std::uint64_t network_id,
                    double output_bound = 0.0);

}  // namespace anthill
