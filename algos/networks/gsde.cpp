#include "algos/networks/gsde.hpp"

#include <stdexcept>

#include "algos/networks/noise.hpp"

namespace anthill {
namespace {

constexpr double kVarianceFloor = 1e-6;  // where no feature is active

/// [M, W, A], in the graph of actor.flat().
Tensor log_std_of(const Parameters& actor) {
  const auto& entry = actor.layout().entries()[actor.layout().index("log_std")];
  return actor.flat()
      .narrow(2, entry.offset, entry.size)
      .reshape({actor.members(), entry.shape[0], entry.shape[1]});
}

}  // namespace

ParameterLayout gsde_layout(const MlpShape& shape) {
  if (shape.hidden_dims.empty()) throw std::invalid_argument("gSDE: no hidden layer");
  ParameterLayout layout = mlp_layout(shape);
  layout.add("log_std", {shape.hidden_dims.back(), shape.output_dim});
  return layout;
}

Tensor gsde_head(const MlpShape& shape, const Parameters& actor, const Tensor& observation,
                 bool learn_features) {
  const MlpOutputs network = mlp_forward_with_features(shape, actor, observation);
  const Tensor phi = network.features.squeeze(1);
  // the variance is a Linear of phi^2, whose weight is sigma^2 and whose bias is the floor: as a
  // network of its own it has mlp_forward's promises about bits
  const MlpShape linear{
      .input_dim = phi.size(-1), .hidden_dims = {}, .output_dim = shape.output_dim};
  const ParameterLayout layout = mlp_layout(linear);
  const Tensor weight = (2.0 * log_std_of(actor)).exp().transpose(1, 2).flatten(1);
  const std::int64_t num_rest = layout.padded_size() - weight.size(1);  // the padding is not read
  const Tensor rest = at::full({weight.size(0), num_rest}, kVarianceFloor, weight.options());
  const Parameters squares(layout, at::cat({weight, rest}, 1).unsqueeze(1));
  const Tensor variance =
      mlp_forward(linear, squares, (learn_features ? phi : phi.detach()).square()).squeeze(1);
  return at::cat({network.output.squeeze(1), 0.5 * variance.log()}, -1);
}

Tensor gsde_action(const MlpShape& shape, const Parameters& actor, const Tensor& observation,
                   const Tensor& noise) {
  at::NoGradGuard no_grad;
  const MlpOutputs network = mlp_forward_with_features(shape, actor, observation);
  const Tensor phi = network.features.squeeze(1), sigma = log_std_of(actor).exp();
  // no matrix product: those of a batch may round as its size has it
  const Tensor deviation = (phi.unsqueeze(-1) * sigma.unsqueeze(1) * noise).sum(2);
  return network.output.squeeze(1) + deviation;
}

const Tensor& ExplorationMatrices::of_step(std::uint64_t vector_step, std::int64_t period,
                                           std::int64_t num_envs, std::int64_t width,
                                           std::int64_t action_dim,
                                           const std::vector<std::uint64_t>& seeds,
                                           at::Device device) {
  const std::uint64_t number = vector_step / static_cast<std::uint64_t>(period);
  const std::vector<std::int64_t> sizes = {static_cast<std::int64_t>(seeds.size()), num_envs, width,
                                           action_dim};
  const bool fits = matrices_.defined() && matrices_.sizes().equals(sizes);
  if (fits && number == number_) return matrices_;
  if (!fits) matrices_ = at::empty(sizes, at::TensorOptions(device).dtype(at::kFloat));
  fill_normal(matrices_, seeds, RandomStream::sde_matrix, number);
  number_ = number;
  return matrices_;
}

}  // namespace anthill
