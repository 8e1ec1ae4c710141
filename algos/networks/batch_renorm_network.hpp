/// Inside of batch_renorm_forward and batch_renorm_train: networks as plain ATen operations.
#pragma once

#include "algos/networks/mlp.hpp"

namespace anthill {

/// What g networks that are computed at once read.
struct NetworkArrays {
  Tensor flat;       // [g, P], in the layout of batch_renorm_layout
  Tensor running;    // [g, S]
  Tensor warm = {};  // [g, 1, 1] bool: r and d count; undefined: evaluation
};

struct NetworkOutputs {
  Tensor output;                 // [g, B, out]
  Tensor features;               // [g, B, W], no gradient
  Tensor batch_statistics = {};  // [g, S], no gradient; undefined in evaluation
};

/// `x` [g, B, input_dim]. Differentiable in `flat` and `x`, on any device.
NetworkOutputs networks_forward(const MlpShape& shape, const NetworkArrays& arrays,
                                const Tensor& x);

}  // namespace anthill
