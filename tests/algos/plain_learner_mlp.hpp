/// Networks of the plain learner (plain_learner.hpp).
#pragma once

#include <string>
#include <vector>

#include "algos/networks/mlp.hpp"

namespace plain {

using anthill::Tensor;

/// Parameter `name` of every network, [M*E, shape...], cut out of `flat` [M, E, P] inside the
/// graph.
inline Tensor parameter(const anthill::ParameterLayout& layout, const Tensor& flat,
                        const std::string& name) {
  const auto& entry = layout.entries()[layout.index(name)];
  std::vector<std::int64_t> shape = {flat.size(0) * flat.size(1)};
  shape.insert(shape.end(), entry.shape.begin(), entry.shape.end());
  return flat.narrow(2, entry.offset, entry.size).reshape(shape);
}

inline Tensor activate(anthill::Activation activation, const Tensor& x) {
  if (activation == anthill::Activation::relu) return at::relu(x);
  return activation == anthill::Activation::tanh ? at::tanh(x) : at::elu(x);
}

/// The Linear called `name` of every network, [M*E, B, in] -> [M*E, B, out].
inline Tensor linear(const anthill::ParameterLayout& layout, const Tensor& flat,
                     const std::string& name, const Tensor& x) {
  return at::baddbmm(parameter(layout, flat, name + ".bias").unsqueeze(1), x,
                     parameter(layout, flat, name + ".weight").transpose(1, 2));
}

/// What the output layer reads: `input` [M, B, in] -> [M*E, B, W].
inline Tensor features(const anthill::MlpShape& shape, const Tensor& flat, const Tensor& input,
                       const Tensor& keep = {}) {
  const auto layout = mlp_layout(shape);
  const std::int64_t members = flat.size(0), ensemble = flat.size(1), batch = input.size(1);
  const std::int64_t networks = members * ensemble;
  const auto normalise = [&](const std::string& name, const Tensor& x) {
    const Tensor scale = parameter(layout, flat, name + ".weight").unsqueeze(1);
    const Tensor shift = parameter(layout, flat, name + ".bias").unsqueeze(1);
    return at::layer_norm(x, std::vector<std::int64_t>{x.size(-1)}, {}, {}, 1e-5) * scale + shift;
  };
  Tensor x = input.unsqueeze(1)
                 .expand({members, ensemble, batch, input.size(2)})
                 .reshape({networks, batch, input.size(2)});
  std::int64_t masked = 0;
  for (std::size_t i = 0; i < shape.hidden_dims.size(); ++i) {
    const std::int64_t width = shape.hidden_dims[i];
    const std::string norm = "layer_norm_" + std::to_string(i);
    const bool after = shape.layer_norm_placement == anthill::LayerNormPlacement::after_activation;
    Tensor h = linear(layout, flat, "hidden_" + std::to_string(i), x);
    if (keep.defined()) {
      const Tensor mask =
          keep.view({networks, -1}).narrow(1, masked, batch * width).view({networks, batch, width});
      h = h * mask.to(h.scalar_type()) / (1.0 - shape.dropout);
      masked += batch * width;
    }
    if (shape.layer_norm && !after) h = normalise(norm, h);
    h = activate(shape.activation, h);
    if (shape.layer_norm && after) h = normalise(norm, h);
    x = shape.has_skip(i) ? h + x : h;
  }
  if (shape.unit_features) x = x / (x.square().sum(-1, true) + 1e-12).sqrt();
  return x;
}

/// mlp_forward: `input` [M, B, in] -> [M, E, B, out]; `keep` as there.
inline Tensor mlp(const anthill::MlpShape& shape, const Tensor& flat, const Tensor& input,
                  const Tensor& keep = {}) {
  return linear(mlp_layout(shape), flat, "output", features(shape, flat, input, keep))
      .view({flat.size(0), flat.size(1), input.size(1), shape.output_dim});
}

}  // namespace plain
