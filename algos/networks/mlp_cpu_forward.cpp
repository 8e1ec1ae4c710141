#include "algos/networks/gemm.hpp"
#include "algos/networks/learner_team.hpp"
#include "algos/networks/mlp_cpu.hpp"

namespace anthill {
namespace {

template <class T>
void forward_shard(const CpuMlp<T>& mlp, const Shard& shard, T* out) {
  const T* p = mlp.parameters_of(shard);
  const std::int64_t rows = shard.rows();
  for (std::size_t layer = 0; layer < mlp.shape.hidden_dims.size(); ++layer) {
    const LinearPlace& place = mlp.places[layer];
    const HiddenRows<T> hidden = mlp.hidden_rows(shard, layer);
    linear_forward(mlp.layer_input(shard, layer), p + place.weight, rows, place.in, place.out,
                   hidden.output);
    mlp.kernels.hidden_forward(mlp.hidden_layer(shard, layer), hidden, rows);
  }
  const LinearPlace& last = mlp.places.back();
  if (mlp.shape.unit_features) {
    const T* features = mlp.hidden_rows(shard, mlp.places.size() - 2).output;
    mlp.kernels.unit_forward(features, rows, last.in, mlp.unit_rows(shard),
                             mlp.inverse_norms(shard));
  }
  const T* x = mlp.layer_input(shard, mlp.places.size() - 1);
  if (last.out == 1) {
    mlp.kernels.single_output_forward(x, p + last.weight, p + last.bias, rows, last.in, out);
    return;
  }
  linear_forward(x, p + last.weight, rows, last.in, last.out, out);
  mlp.kernels.add_bias(out, p + last.bias, rows, last.out);
}

template <class T>
void forward(const MlpShape& shape, const Tensor& flat, const MlpTape& tape, const Tensor& output) {
  const CpuMlp<T> mlp(shape, flat, tape);
  T* out = output.data_ptr<T>();
  learner_team().run(mlp.num_shards(), [&](std::int64_t item) {
    const Shard shard = mlp.shard_of(item);
    if (shard.rows() > 0) forward_shard(mlp, shard, out + mlp.offset_of(shard, shape.output_dim));
  });
}

}  // namespace

Tensor mlp_forward_cpu(const MlpShape& shape, const Tensor& flat, MlpTape& tape) {
  const std::int64_t networks = flat.size(0) * flat.size(1), batch = tape.batch;
  const bool norm_after =
      shape.layer_norm && shape.layer_norm_placement == LayerNormPlacement::after_activation;
  const auto options = flat.options().requires_grad(false);
  for (std::size_t layer = 0; layer < shape.hidden_dims.size(); ++layer) {
    const std::vector<std::int64_t> sizes = {networks,
                                             aligned_size(batch * shape.hidden_dims[layer])};
    HiddenTape hidden{.output = at::empty(sizes, options)};
    hidden.activated =
        norm_after || shape.has_skip(layer) ? at::empty(sizes, options) : hidden.output;
    if (shape.layer_norm) {
      hidden.normalised = at::empty(sizes, options);
      hidden.inverse_std = at::empty({networks, aligned_size(batch)}, options);
    }
    tape.hidden.push_back(std::move(hidden));
  }
  if (shape.unit_features) {
    tape.unit = at::empty_like(tape.hidden.back().output);
    tape.inverse_norm = at::empty({networks, aligned_size(batch)}, options);
  }
  tape.input = aligned_blocks(tape.input);
  const std::vector<std::int64_t> sizes = {flat.size(0), flat.size(1), batch, shape.output_dim};
  const std::int64_t out_size = batch * shape.output_dim, padded = aligned_size(out_size);
  const bool is_padded = padded != out_size;
  const Tensor output =
      is_padded ? at::empty({networks, padded}, options) : at::empty(sizes, options);
  if (flat.scalar_type() == at::kDouble) {
    forward<double>(shape, flat, tape, output);
  } else {
    forward<float>(shape, flat, tape, output);
  }
  return is_padded ? output.narrow(1, 0, out_size).contiguous().view(sizes) : output;
}

}  // namespace anthill
