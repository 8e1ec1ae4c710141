/// Generalised state-dependent exploration (gSDE; Raffin et al., 2020: arXiv 2005.05719): a policy
/// whose noise is a linear function of its own features phi(s), what its output layer reads:
///   u = mean(s) + phi(s)^T E,   E_ki = sigma_ki * standard normal,   sigma = exp(log_std)
/// so that, over E, u_i is normal with the variance sum_k phi_k(s)^2 sigma_ki^2.
#pragma once

#include <cstdint>
#include <vector>

#include "algos/networks/mlp.hpp"
#include "buffers/philox.hpp"

namespace anthill {

/// mlp_layout of the network of the means (`shape`, A outputs), then log_std [W, A].
ParameterLayout gsde_layout(const MlpShape& shape);

/// Means and log standard deviations side by side, [M, B, 2A]; std_i = sqrt(variance_i + 1e-6).
/// `observation` [M, B, D]. Differentiable once in actor.flat(), through phi in the variance where
/// `learn_features`. Bits depend neither on threads nor on M.
Tensor gsde_head(const MlpShape& shape, const Parameters& actor, const Tensor& observation,
                 bool learn_features);

/// u for given matrices, [M, N, A]: `noise` [M, N, W, A] is E / sigma, one matrix per row. No
/// graph.
Tensor gsde_action(const MlpShape& shape, const Parameters& actor, const Tensor& observation,
                   const Tensor& noise);

/// One standard normal matrix per environment, all drawn anew in every `period`-th vector step:
/// a function of (seed, vector step / period, environment), so that nothing needs to be saved.
class ExplorationMatrices {
 public:
  /// [M, N, W, A] on `device`, valid until the next call.
  const Tensor& of_step(std::uint64_t vector_step, std::int64_t period, std::int64_t num_envs,
                        std::int64_t width, std::int64_t action_dim,
                        const std::vector<std::uint64_t>& seeds, at::Device device);

 private:
  std::uint64_t number_ = 0;
  Tensor matrices_;  // a cache of number_
};

}  // namespace anthill
