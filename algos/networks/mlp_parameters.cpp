// Names, shapes and first values of the parameters of a multi-layer perceptron.
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <stdexcept>
#include <string>

#include "algos/networks/mlp.hpp"
#include "buffers/philox.hpp"

namespace anthill {
namespace {

std::string hidden_name(std::size_t layer) { return "hidden_" + std::to_string(layer); }
std::string norm_name(std::size_t layer) { return "layer_norm_" + std::to_string(layer); }

/// Orthogonal matrix of gain 1 (Saxe et al., 2014), as torch.nn.init.orthogonal_: QR of a normal
/// matrix, signs fixed by the diagonal of R.
Tensor orthogonal(std::int64_t rows, std::int64_t columns, const at::Generator& generator) {
  const bool wide = rows < columns;
  Tensor normal = at::empty({rows, columns}, at::kFloat).normal_(0.0, 1.0, generator);
  if (wide) normal = normal.t();
  const auto [q, r] = at::linalg_qr(normal.contiguous());
  Tensor result = q * r.diagonal().sign();
  return wide ? result.t().contiguous() : result;
}

/// One Linear of one network; `weight` [out, in] and `bias` [out] are written in place. A
/// `bound` > 0 replaces the method: U(+-bound) for both.
void initialise_linear(const Tensor& weight, const Tensor& bias, Initialisation method,
                       double bound, const at::Generator& generator) {
  const std::vector<std::int64_t> shape = weight.sizes().vec();
  const auto fan_in = static_cast<double>(shape[1]);
  if (bound == 0.0 && method == Initialisation::orthogonal) {
    weight.copy_(orthogonal(shape[0], shape[1], generator));
    bias.zero_();
    return;
  }
  if (bound == 0.0 && method == Initialisation::kaiming) {
    // He et al., 2015, for ReLU
    weight.copy_(at::empty(shape, at::kFloat).normal_(0.0, std::sqrt(2.0 / fan_in), generator));
    bias.zero_();
    return;
  }
  if (bound == 0.0) bound = 1.0 / std::sqrt(fan_in);
  weight.copy_(at::empty(shape, at::kFloat).uniform_(-bound, bound, generator));
  bias.copy_(at::empty({shape[0]}, at::kFloat).uniform_(-bound, bound, generator));
}

}  // namespace

ParameterLayout mlp_layout(const MlpShape& shape) {
  ParameterLayout layout;
  std::int64_t width = shape.input_dim;
  for (std::size_t i = 0; i < shape.hidden_dims.size(); ++i) {
    const std::int64_t next = shape.hidden_dims[i];
    layout.add(hidden_name(i) + ".weight", {next, width});
    layout.add(hidden_name(i) + ".bias", {next});
    if (shape.layer_norm) {
      layout.add(norm_name(i) + ".weight", {next});
      layout.add(norm_name(i) + ".bias", {next});
    }
    width = next;
  }
  layout.add("output.weight", {shape.output_dim, width});
  layout.add("output.bias", {shape.output_dim});
  return layout;
}

void mlp_initialise(const MlpShape& shape, const Parameters& parameters, Initialisation method,
                    const std::vector<std::uint64_t>& seeds, std::uint64_t network_id,
                    double output_bound) {
  at::NoGradGuard no_grad;
  for (std::int64_t m = 0; m < parameters.members(); ++m) {
    for (std::int64_t e = 0; e < parameters.ensemble(); ++e) {
      const PhiloxWords words =
          philox(seeds[static_cast<std::size_t>(m)], RandomStream::initialisation, network_id,
                 static_cast<std::uint32_t>(e));
      const std::uint64_t seed = (static_cast<std::uint64_t>(words.word[0]) << 32) | words.word[1];
      const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
      const auto one = [&](const std::string& name) { return parameters.view(name)[m][e]; };
      for (std::size_t i = 0; i <= shape.hidden_dims.size(); ++i) {
        const bool output = i == shape.hidden_dims.size();
        const std::string name = output ? "output" : hidden_name(i);
        initialise_linear(one(name + ".weight"), one(name + ".bias"), method,
                          output ? output_bound : 0.0, generator);
        if (shape.layer_norm && !output) {
          one(norm_name(i) + ".weight").fill_(1.0);
          one(norm_name(i) + ".bias").zero_();
        }
      }
    }
  }
}

}  // namespace anthill
