/// Inside of the CPU passes: one call's parameters, rows and shards. Work is cut into items that
/// run all layers of their rows: one item per network of an ensemble, or, for a network alone, one
/// per half of the batch. The cut depends on E and B alone and an item's products run on one
/// thread, so results do not depend on threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "algos/networks/cpu_kernels.hpp"
#include "algos/networks/mlp_passes.hpp"

namespace anthill {

/// Small products and vector loops may round differently at other alignments, so that every
/// network's block begins at a multiple of 64 bytes.
constexpr std::int64_t kAlignedValues = 16;
inline std::int64_t aligned_size(std::int64_t values) {
  return (values + kAlignedValues - 1) / kAlignedValues * kAlignedValues;
}

/// `blocks` [G, ...] with every block at an aligned place: itself, or a copy [G, aligned size].
inline Tensor aligned_blocks(const Tensor& blocks) {
  const std::int64_t size = blocks.numel() / blocks.size(0);
  const auto address = reinterpret_cast<std::uintptr_t>(blocks.data_ptr());
  if (size % kAlignedValues == 0 && address % 64 == 0) return blocks;
  Tensor copy = at::empty({blocks.size(0), aligned_size(size)}, blocks.options());
  copy.narrow(1, 0, size).copy_(blocks.reshape({blocks.size(0), size}));
  return copy;
}

/// Rows [begin, end) of network g = m * E + e.
struct Shard {
  std::int64_t network = 0, begin = 0, end = 0;
  std::int64_t rows() const { return end - begin; }
};

/// Pointers into the tensors of one call; T is float or double.
template <class T>
struct CpuMlp {
  const MlpShape& shape;
  const MlpTape& tape;
  const CpuKernels<T>& kernels;
  std::vector<LinearPlace> places;
  const T* flat;
  std::int64_t size, ensemble, networks, batch, halves;

  CpuMlp(const MlpShape& shape_in, const Tensor& flat_in, const MlpTape& tape_in)
      : shape(shape_in),
        tape(tape_in),
        kernels(cpu_kernels<T>()),
        places(mlp_places(shape_in)),
        flat(flat_in.data_ptr<T>()),
        size(flat_in.size(2)),
        ensemble(flat_in.size(1)),
        networks(flat_in.size(0) * flat_in.size(1)),
        batch(tape_in.batch),
        halves(ensemble == 1 ? 2 : 1) {}

  std::int64_t num_shards() const { return networks * halves; }
  Shard shard_of(std::int64_t item) const {
    const std::int64_t network = item / halves, half = item % halves;
    return {network, half * batch / halves, (half + 1) * batch / halves};
  }
  /// Where the shard's rows begin in aligned blocks [G, B x width].
  std::int64_t offset_of(const Shard& shard, std::int64_t width) const {
    return shard.network * aligned_size(batch * width) + shard.begin * width;
  }
  const T* parameters_of(const Shard& shard) const { return flat + shard.network * size; }

  /// What a layer (or the output layer, the last) reads: rows x in.
  const T* layer_input(const Shard& shard, std::size_t layer) const {
    if (layer > 0) {
      const Tensor& output =
          layer == shape.hidden_dims.size() ? tape.features() : tape.hidden[layer - 1].output;
      return output.template data_ptr<T>() + offset_of(shard, places[layer].in);
    }
    // the same for every network of an ensemble
    return tape.input.template data_ptr<T>() +
           offset_of({shard.network / ensemble, shard.begin, shard.end}, shape.input_dim);
  }

  /// unit_features: where the shard's rows of both tensors begin.
  T* unit_rows(const Shard& shard) const {
    return tape.unit.template data_ptr<T>() + offset_of(shard, places.back().in);
  }
  T* inverse_norms(const Shard& shard) const {
    return tape.inverse_norm.template data_ptr<T>() + offset_of(shard, 1);
  }

  HiddenLayer<T> hidden_layer(const Shard& shard, std::size_t layer) const;
  HiddenRows<T> hidden_rows(const Shard& shard, std::size_t layer) const;
};

template <class T>
HiddenLayer<T> CpuMlp<T>::hidden_layer(const Shard& shard, std::size_t layer) const {
  const LinearPlace& place = places[layer];
  const T* p = parameters_of(shard);
  HiddenNorm norm = HiddenNorm::none;
  if (shape.layer_norm) {
    norm = shape.layer_norm_placement == LayerNormPlacement::before_activation
               ? HiddenNorm::before_activation
               : HiddenNorm::after_activation;
  }
  return {.width = place.out,
          .activation = shape.activation,
          .norm = norm,
          .keep_scale = static_cast<T>(1.0 / (1.0 - shape.dropout)),
          .bias = p + place.bias,
          .gain = p + place.gain,
          .shift = p + place.shift};
}

template <class T>
HiddenRows<T> CpuMlp<T>::hidden_rows(const Shard& shard, std::size_t layer) const {
  const HiddenTape& hidden = tape.hidden[layer];
  const std::int64_t first = offset_of(shard, places[layer].out);
  HiddenRows<T> rows{.output = hidden.output.template data_ptr<T>() + first,
                     .activated = hidden.activated.template data_ptr<T>() + first};
  if (hidden.normalised.defined()) {
    rows.normalised = hidden.normalised.template data_ptr<T>() + first;
    rows.inverse_std = hidden.inverse_std.template data_ptr<T>() + offset_of(shard, 1);
  }
  if (shape.has_skip(layer)) rows.skip = layer_input(shard, layer);
  if (tape.keep.defined()) {
    // one network's masks: layer after layer, each (B x W)
    std::int64_t before = 0;
    for (std::size_t l = 0; l < layer; ++l) before += shape.hidden_dims[l];
    rows.keep = tape.keep.template data_ptr<std::uint8_t>() +
                batch * (shard.network * shape.num_hidden() + before) +
                shard.begin * places[layer].out;
  }
  return rows;
}

}  // namespace anthill
