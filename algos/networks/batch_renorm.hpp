/// Multi-layer perceptrons with batch renormalisation (Ioffe, 2017: arXiv 1702.03275), placed as in
/// CrossQ (Bhatt et al., 2024: arXiv 1902.05605): h = N(x); for every hidden layer
/// h = N(activation(Linear(h))); then Linear. In training, with the batch's mean m and std s, and
/// the running ones M and S of the batches before,
///   N(h) = gain * (r (h - m) / s + d) + shift,   r = clip(s / S, 1/3, 3), d = clip((m - M) / S,
///   -5, 5)
/// where r and d have no gradient; r = 1 and d = 0 before the end of a warm-up. In evaluation
/// N(h) = gain * (h - M) / S + shift.
/// Statistics are of a whole batch, which the shards of mlp.hpp do not see: a path of its own.
#pragma once

#include <vector>

#include "algos/networks/mlp.hpp"

namespace anthill {

inline constexpr double kBatchRenormEps = 1e-3;  // s = sqrt(variance + this)
inline constexpr double kBatchRenormMaxR = 3.0;
inline constexpr double kBatchRenormMaxD = 5.0;

/// mlp_layout, then batch_renorm_<i>.weight (gain) and .bias (shift) of the input (i = 0) and of
/// hidden layer i - 1.
ParameterLayout batch_renorm_layout(const MlpShape& shape);

/// batch_renorm_<i>.mean and .variance.
ParameterLayout batch_renorm_statistics_layout(const MlpShape& shape);

/// Fills the gains with 1 and the shifts with 0; mlp_initialise does the rest.
void batch_renorm_initialise(const Parameters& parameters);

/// What the networks remember of the batches that they were trained on.
struct BatchRenormState {
  Parameters running;  // (M x E x S) batch_renorm_statistics_layout, no gradient
  Tensor num_batches;  // (M) int64
};

/// Means 0, variances 1, no batches.
BatchRenormState make_batch_renorm_state(const MlpShape& shape, std::int64_t members,
                                         std::int64_t ensemble, at::Device device,
                                         at::ScalarType dtype = at::kFloat);
void reset(const BatchRenormState& state);

/// running += (1 - momentum) * (batch - running), momentum (M); one batch more. Float32; waits
/// for nothing.
void remember(const BatchRenormState& state, const Tensor& batch_statistics,
              const std::vector<double>& momentum);

struct BatchRenormOutputs {
  Tensor output;                 // [M, E, B, out]
  Tensor features;               // [M, E, B, W] in front of the last N, no gradient
  Tensor batch_statistics = {};  // [M, E, S] laid out as BatchRenormState::running, no gradient
};

/// In evaluation: rows do not see each other. Float32 or float64; differentiable once in the inputs
/// and in parameters.flat(). On a CPU bits depend neither on threads nor on M.
BatchRenormOutputs batch_renorm_forward(const MlpShape& shape, const Parameters& parameters,
                                        const Parameters& running, const MlpInput& input);

/// In training, on all rows as one batch, with gradients through its statistics; warm where `state`
/// has `warmup` batches. Changes nothing: remember() does.
BatchRenormOutputs batch_renorm_train(const MlpShape& shape, const Parameters& parameters,
                                      const BatchRenormState& state, const MlpInput& input,
                                      std::int64_t warmup);

}  // namespace anthill
