#include "algos/networks/batch_renorm_network.hpp"

#include "algos/networks/batch_renorm.hpp"

namespace anthill {
namespace {

/// One N: [g, 1, n] each.
struct Norm {
  Tensor gain, shift, mean, variance;
};

/// `statistics` takes the batch's mean and variance, [g, n] each.
Tensor normalise(const Norm& norm, const Tensor& warm, const Tensor& h,
                 std::vector<Tensor>& statistics) {
  if (!warm.defined()) {
    const Tensor scale = norm.gain / (norm.variance + kBatchRenormEps).sqrt();
    return at::addcmul(norm.shift - norm.mean * scale, h, scale);
  }
  const Tensor mean = h.mean(1, true), centred = h - mean;
  const Tensor variance = centred.square().mean(1, true);
  const Tensor std = (variance + kBatchRenormEps).sqrt();
  statistics.push_back(mean.detach().squeeze(1));
  statistics.push_back(variance.detach().squeeze(1));
  Tensor r, d;
  {
    at::NoGradGuard no_grad;
    const Tensor running_std = (norm.variance + kBatchRenormEps).sqrt();
    const Tensor ratio = (std / running_std).clamp(1.0 / kBatchRenormMaxR, kBatchRenormMaxR);
    const Tensor shift = ((mean - norm.mean) / running_std);
    r = at::where(warm, ratio, at::ones_like(ratio));
    d = at::where(warm, shift.clamp(-kBatchRenormMaxD, kBatchRenormMaxD), at::zeros_like(shift));
  }
  return at::addcmul(norm.shift + norm.gain * d, centred, norm.gain * (r / std));
}

Tensor activated(Activation activation, const Tensor& h) {
  if (activation == Activation::relu) return at::relu(h);
  return activation == Activation::tanh ? at::tanh(h) : at::elu(h);
}

/// Every entry of a layout out of `flat` [g, ...], [g, size] each, and the padding. One split, so
/// that the backward pass writes the gradient once.
std::vector<Tensor> split(const ParameterLayout& layout, const Tensor& flat) {
  std::vector<std::int64_t> sizes;
  for (const auto& entry : layout.entries()) sizes.push_back(entry.size);
  sizes.push_back(layout.padded_size() - layout.total_size());
  return flat.split_with_sizes(sizes, 1);
}

}  // namespace

NetworkOutputs networks_forward(const MlpShape& shape, const NetworkArrays& arrays,
                                const Tensor& x) {
  const std::size_t depth = shape.hidden_dims.size();
  const std::vector<Tensor> parts = split(batch_renorm_layout(shape), arrays.flat);
  const std::vector<Tensor> running = split(batch_renorm_statistics_layout(shape), arrays.running);
  std::vector<Tensor> statistics;
  // Linears come first in the layout, then every N's gain and shift
  const auto linear = [&](std::size_t layer, const Tensor& h) {
    const Tensor &weight = parts[2 * layer], &bias = parts[2 * layer + 1];
    return at::baddbmm(bias.unsqueeze(1), h,
                       weight.unflatten(1, {bias.size(1), h.size(2)}).transpose(1, 2));
  };
  const auto normalised = [&](std::size_t layer, const Tensor& h) {
    const std::size_t first = 2 * (depth + 1 + layer);
    return normalise({.gain = parts[first].unsqueeze(1),
                      .shift = parts[first + 1].unsqueeze(1),
                      .mean = running[2 * layer].unsqueeze(1),
                      .variance = running[2 * layer + 1].unsqueeze(1)},
                     arrays.warm, h, statistics);
  };
  Tensor features, h = normalised(0, x);
  for (std::size_t i = 0; i < depth; ++i) {
    const Tensor active = activated(shape.activation, linear(i, h));
    features = active.detach();
    h = normalised(i + 1, active);
  }
  NetworkOutputs outputs{.output = linear(depth, h), .features = features};
  if (arrays.warm.defined()) {
    statistics.push_back(running.back());  // the padding
    outputs.batch_statistics = at::cat(statistics, 1);
  }
  return outputs;
}

}  // namespace anthill
