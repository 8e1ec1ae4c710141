/// Batch renormalisation again, as close to algorithm 1 of 1702.03275 as it can be: the oracle of
/// algos/networks/batch_renorm.hpp.
#pragma once

#include "algos/networks/batch_renorm.hpp"
#include "tests/algos/plain_learner_mlp.hpp"

namespace plain {

/// The running statistics that normalise one stack of networks.
struct Renorm {
  Tensor running;  // [M, E, S]
  std::int64_t num_batches = 0;
  Tensor seen = {};  // the latest training batch's

  void remember(double momentum) {
    running = momentum * running + (1.0 - momentum) * seen;
    ++num_batches;
  }
};

enum class Pass { evaluation, training };

/// `input` [M, B, in] -> [M, E, B, out].
inline Tensor renormalised_mlp(const anthill::MlpShape& shape, const Tensor& flat, Renorm& renorm,
                               const Tensor& input, Pass pass, std::int64_t warmup) {
  const auto layout = batch_renorm_layout(shape), kept = batch_renorm_statistics_layout(shape);
  const std::int64_t members = flat.size(0), ensemble = flat.size(1), batch = input.size(1);
  if (pass == Pass::training) renorm.seen = at::zeros_like(renorm.running);
  const auto normalise = [&](std::size_t i, const Tensor& h) -> Tensor {
    const std::string name = "batch_renorm_" + std::to_string(i);
    const Tensor gain = parameter(layout, flat, name + ".weight").unsqueeze(1);
    const Tensor shift = parameter(layout, flat, name + ".bias").unsqueeze(1);
    const Tensor mu = parameter(kept, renorm.running, name + ".mean").unsqueeze(1);
    const Tensor sigma =
        (parameter(kept, renorm.running, name + ".variance").unsqueeze(1) + 1e-3).sqrt();
    if (pass == Pass::evaluation) return (h - mu) / sigma * gain + shift;
    const Tensor mean = h.mean(1, true), variance = (h - mean).square().mean(1, true);
    const auto see = [&](const std::string& part, const Tensor& value) {
      const auto& entry = kept.entries()[kept.index(name + part)];
      renorm.seen.narrow(2, entry.offset, entry.size)
          .copy_(value.detach().view({members, ensemble, -1}));
    };
    see(".mean", mean);
    see(".variance", variance);
    const Tensor std = (variance + 1e-3).sqrt();
    const Tensor normal = (h - mean) / std;
    if (renorm.num_batches < warmup) return normal * gain + shift;
    const Tensor r = (std / sigma).clamp(1.0 / 3.0, 3.0).detach();
    const Tensor d = ((mean - mu) / sigma).clamp(-5.0, 5.0).detach();
    return (normal * r + d) * gain + shift;
  };
  Tensor x = input.unsqueeze(1)
                 .expand({members, ensemble, batch, input.size(2)})
                 .reshape({members * ensemble, batch, input.size(2)});
  x = normalise(0, x);
  for (std::size_t i = 0; i < shape.hidden_dims.size(); ++i) {
    const Tensor h = linear(layout, flat, "hidden_" + std::to_string(i), x);
    x = normalise(i + 1, activate(shape.activation, h));
  }
  return linear(layout, flat, "output", x).view({members, ensemble, batch, shape.output_dim});
}

}  // namespace plain
