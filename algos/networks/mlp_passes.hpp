/// Inside of mlp_forward: the forward and backward passes of one device.
#pragma once

#include <vector>

#include "algos/networks/mlp.hpp"

namespace anthill {

/// What the forward pass of one hidden layer keeps, [M*E, B x W] each (on the CPU with padding
/// behind each network's block); undefined where not needed. `activated` is `output` unless
/// LayerNorm or a skip follows the activation.
struct HiddenTape {
  Tensor output, activated = {}, normalised = {}, inverse_std = {};
};

struct MlpTape {
  std::int64_t batch = 0;
  Tensor input;  // [M, B x input_dim]
  std::vector<HiddenTape> hidden;
  Tensor keep;               // as mlp_forward's
  Tensor unit = {};          // [M*E, B x W] with unit_features: the last hidden output / norm,
  Tensor inverse_norm = {};  // [M*E, B] and what it was multiplied by

  /// What the output layer reads.
  const Tensor& features() const { return unit.defined() ? unit : hidden.back().output; }
};

/// Which gradients are asked for, and where the inputs meet.
struct MlpWanted {
  bool parameters = false, first = false, second = false;
  std::int64_t first_dim = 0;
};

/// Undefined where not wanted.
struct MlpGradients {
  Tensor parameters;     // [M, E, P]
  Tensor first, second;  // [M, B, ...], summed over the ensemble
};

// `flat` [M, E, P] holds the parameters; tensors are contiguous; no graph is recorded. `d_features`
// [M, E, B, W] is added to the gradient of what the output layer reads; undefined: none

Tensor mlp_forward_cpu(const MlpShape& shape, const Tensor& flat, MlpTape& tape);
MlpGradients mlp_backward_cpu(const MlpShape& shape, const Tensor& flat, const MlpTape& tape,
                              const Tensor& d_output, const Tensor& d_features,
                              const MlpWanted& wanted);

Tensor mlp_forward_cuda(const MlpShape& shape, const Tensor& flat, MlpTape& tape);
MlpGradients mlp_backward_cuda(const MlpShape& shape, const Tensor& flat, const MlpTape& tape,
                               const Tensor& d_output, const Tensor& d_features,
                               const MlpWanted& wanted);

/// Where the parameters of one Linear (and of the LayerNorm behind it) lie in a network's P values.
struct LinearPlace {
  std::int64_t in = 0, out = 0;
  std::int64_t weight = 0, bias = 0;  // offsets
  std::int64_t gain = 0, shift = 0;   // offsets, with LayerNorm
};

/// Hidden layers, then the output layer; the order of mlp_layout.
std::vector<LinearPlace> mlp_places(const MlpShape& shape);

}  // namespace anthill
