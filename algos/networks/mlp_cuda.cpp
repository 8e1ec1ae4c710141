// A network's passes on a GPU: one strided-batched product per layer over all members and critics,
// and one kernel for what stands between two products.
#include "algos/networks/cuda_kernels.hpp"
#include "algos/networks/device.hpp"
#include "algos/networks/mlp_passes.hpp"

namespace anthill {
namespace {

/// One call's parameters as [G, ...] views, G = M * E.
class CudaMlp {
 public:
  CudaMlp(const MlpShape& shape, const Tensor& flat, const MlpTape& tape)
      : shape_(shape),
        tape_(tape),
        flat_(flat.detach().flatten(0, 1)),
        places_(mlp_places(shape)),
        stream_(current_stream(flat.device())) {}

  Tensor weight(const Tensor& flat, const LinearPlace& place) const {
    return flat.narrow(1, place.weight, place.out * place.in)
        .view({flat.size(0), place.out, place.in});
  }
  Tensor weight(const LinearPlace& place) const { return weight(flat_, place); }
  const std::vector<LinearPlace>& places() const { return places_; }
  void* stream() const { return stream_; }
  std::int64_t stride() const { return flat_.size(1); }
  float* parameter(const Tensor& flat, std::int64_t offset) const {
    return flat.data_ptr<float>() + offset;
  }

  /// [G, B, in]: the input, the same for every network of an ensemble, or a layer's output.
  Tensor layer_input(std::size_t layer, std::int64_t ensemble) const {
    if (layer > 0) {
      return layer == shape_.hidden_dims.size() ? tape_.features() : tape_.hidden[layer - 1].output;
    }
    const Tensor& input = tape_.input;
    return input.unsqueeze(1)
        .expand({input.size(0), ensemble, input.size(1), input.size(2)})
        .reshape({input.size(0) * ensemble, input.size(1), input.size(2)});
  }

  CudaHidden hidden(std::size_t layer) const {
    const LinearPlace& place = places_[layer];
    const HiddenTape& tape = tape_.hidden[layer];
    const bool before = shape_.layer_norm_placement == LayerNormPlacement::before_activation;
    CudaHidden h;
    h.layer = {.width = place.out,
               .activation = shape_.activation,
               .norm = !shape_.layer_norm ? HiddenNorm::none
                       : before           ? HiddenNorm::before_activation
                                          : HiddenNorm::after_activation,
               .keep_scale = static_cast<float>(1.0 / (1.0 - shape_.dropout)),
               .bias = parameter(flat_, place.bias),
               .gain = parameter(flat_, place.gain),
               .shift = parameter(flat_, place.shift)};
    h.rows.output = tape.output.data_ptr<float>();
    h.rows.activated = tape.activated.data_ptr<float>();
    if (tape.normalised.defined()) {
      h.rows.normalised = tape.normalised.data_ptr<float>();
      h.rows.inverse_std = tape.inverse_std.data_ptr<float>();
    }
    if (shape_.has_skip(layer)) h.rows.skip = tape_.hidden[layer - 1].output.data_ptr<float>();
    if (tape_.keep.defined()) {
      std::int64_t before_layer = 0;
      for (std::size_t l = 0; l < layer; ++l) before_layer += shape_.hidden_dims[l];
      h.rows.keep = tape_.keep.data_ptr<std::uint8_t>() + tape_.batch * before_layer;
      h.keep_stride = tape_.batch * shape_.num_hidden();
    }
    h.networks = flat_.size(0);
    h.num_rows = tape_.batch;
    h.parameter_stride = stride();
    return h;
  }

 private:
  const MlpShape& shape_;
  const MlpTape& tape_;
  Tensor flat_;
  std::vector<LinearPlace> places_;
  void* stream_;
};

}  // namespace

Tensor mlp_forward_cuda(const MlpShape& shape, const Tensor& flat, MlpTape& tape) {
  const std::int64_t members = flat.size(0), ensemble = flat.size(1);
  const CudaMlp mlp(shape, flat, tape);
  const bool norm_after =
      shape.layer_norm && shape.layer_norm_placement == LayerNormPlacement::after_activation;
  for (std::size_t layer = 0; layer < shape.hidden_dims.size(); ++layer) {
    const Tensor x = mlp.layer_input(layer, ensemble);
    HiddenTape hidden{.output = at::bmm(x, mlp.weight(mlp.places()[layer]).transpose(1, 2))};
    hidden.activated =
        norm_after || shape.has_skip(layer) ? at::empty_like(hidden.output) : hidden.output;
    if (shape.layer_norm) {
      hidden.normalised = at::empty_like(hidden.output);
      hidden.inverse_std = at::empty({x.size(0), tape.batch}, x.options());
    }
    tape.hidden.push_back(std::move(hidden));
    hidden_forward_cuda(mlp.hidden(layer), mlp.stream());
  }
  if (shape.unit_features) {
    const Tensor& features = tape.hidden.back().output;
    tape.inverse_norm = (features.square().sum(-1, /*keepdim=*/true) + kUnitNormEps).rsqrt();
    tape.unit = features * tape.inverse_norm;
  }
  const LinearPlace& last = mlp.places().back();
  const Tensor x = mlp.layer_input(shape.hidden_dims.size(), ensemble);
  const Tensor output = at::bmm(x, mlp.weight(last).transpose(1, 2));
  add_bias_cuda(output.data_ptr<float>(), flat.data_ptr<float>() + last.bias, members * ensemble,
                tape.batch, last.out, mlp.stride(), mlp.stream());
  return output.view({members, ensemble, tape.batch, last.out});
}

MlpGradients mlp_backward_cuda(const MlpShape& shape, const Tensor& flat, const MlpTape& tape,
                               const Tensor& d_output, const Tensor& d_features,
                               const MlpWanted& wanted) {
  const std::int64_t members = flat.size(0), ensemble = flat.size(1);
  const CudaMlp mlp(shape, flat, tape);
  MlpGradients result;
  Tensor sums;  // [G, P]
  if (wanted.parameters) {
    result.parameters = at::zeros(flat.sizes(), d_output.options());
    sums = result.parameters.flatten(0, 1);
  }
  Tensor gradient = d_output.flatten(0, 1);
  for (std::size_t layer = mlp.places().size(); layer-- > 0;) {
    const LinearPlace& place = mlp.places()[layer];
    const bool is_output = layer == shape.hidden_dims.size();
    Tensor skip;
    if (shape.unit_features && layer + 1 == shape.hidden_dims.size()) {
      const Tensor along = (gradient * tape.unit).sum(-1, /*keepdim=*/true);
      gradient = tape.inverse_norm * (gradient - tape.unit * along);
    }
    if (!is_output && shape.has_skip(layer)) skip = gradient.clone();
    if (!is_output) {
      HiddenGradients<float> into;
      if (wanted.parameters) {
        into = {.bias = mlp.parameter(sums, place.bias),
                .gain = shape.layer_norm ? mlp.parameter(sums, place.gain) : nullptr,
                .shift = shape.layer_norm ? mlp.parameter(sums, place.shift) : nullptr};
      }
      hidden_backward_cuda(mlp.hidden(layer), into, gradient.data_ptr<float>(), mlp.stream());
    } else if (wanted.parameters) {
      sum_rows_cuda(gradient.data_ptr<float>(), mlp.parameter(sums, place.bias), sums.size(0),
                    tape.batch, place.out, mlp.stride(), mlp.stream());
    }
    if (wanted.parameters) {
      Tensor d_weight = mlp.weight(sums, place);
      at::bmm_out(d_weight, gradient.transpose(1, 2), mlp.layer_input(layer, ensemble));
    }
    if (layer == 0) break;
    gradient = skip.defined() ? at::baddbmm(skip, gradient, mlp.weight(place))
                              : at::bmm(gradient, mlp.weight(place));
    if (is_output && d_features.defined()) gradient.add_(d_features.flatten(0, 1));
  }
  // `gradient` is that of the first Linear's output
  const auto input_gradient = [&](std::int64_t first, std::int64_t columns) {
    const Tensor weight = mlp.weight(mlp.places().front()).narrow(2, first, columns);
    return at::bmm(gradient, weight).view({members, ensemble, tape.batch, columns}).sum(1);
  };
  if (wanted.first) result.first = input_gradient(0, wanted.first_dim);
  if (wanted.second) {
    result.second = input_gradient(wanted.first_dim, shape.input_dim - wanted.first_dim);
  }
  return result;
}

}  // namespace anthill
