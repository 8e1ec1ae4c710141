#include <algorithm>

#include "algos/networks/gemm.hpp"
#include "algos/networks/learner_team.hpp"
#include "algos/networks/mlp_cpu.hpp"

namespace anthill {
namespace {

/// Where the gradients of the inputs go, per network: (G x B x width); nullptr: not wanted.
template <class T>
struct InputGradients {
  T* first = nullptr;
  T* second = nullptr;
  std::int64_t first_dim = 0;
};

template <class T>
class BackwardPass {
 public:
  /// `d_features`: of what the output layer reads, aligned blocks [G, B x W], or nullptr.
  BackwardPass(const CpuMlp<T>& mlp, const InputGradients<T>& inputs, const T* d_features)
      : mlp_(mlp), inputs_(inputs), d_features_(d_features) {
    for (const LinearPlace& place : mlp.places) {
      // rows of a layer, or the first layer's weight gradient transposed
      const std::int64_t width = std::max(place.in, place.out);
      const std::int64_t weights = &place == &mlp.places.front() ? place.in * place.out : 0;
      half_scratch_ = std::max(half_scratch_, aligned_size(std::max(mlp.batch * width, weights)));
    }
  }

  /// All gradients; `gradients` (G x P) is overwritten.
  void parameters_and_inputs(const Tensor& d_output, const Tensor& gradients) const;
  /// The inputs' gradients alone, without d_features.
  void inputs_only(const Tensor& d_output) const;

 private:
  void shard_gradients(const Shard& shard, const T* d_out, T* gradients, T* scratch) const;
  void through_hidden(const Shard& shard, const std::int32_t* index, std::int64_t rows,
                      T* gradients, T* scratch) const;
  void write_inputs(const Shard& shard, const std::int32_t* index, std::int64_t rows, const T* d_z,
                    T* scratch) const;
  void write_input(const Shard& shard, const std::int32_t* index, std::int64_t rows, const T* d_z,
                   T* scratch, T* out, std::int64_t column, std::int64_t width) const;
  void clear_sums(T* gradients) const;
  Tensor scratch_for(std::int64_t num_items, const Tensor& like) const {
    return at::empty({num_items, 2 * half_scratch_}, like.options());
  }

  const CpuMlp<T>& mlp_;
  InputGradients<T> inputs_;
  const T* d_features_;
  std::int64_t half_scratch_ = 0;
};

/// `out` receives d_z W[:, column : column + width] of the first Linear, at the rows of `index`.
template <class T>
void BackwardPass<T>::write_input(const Shard& shard, const std::int32_t* index, std::int64_t rows,
                                  const T* d_z, T* scratch, T* out, std::int64_t column,
                                  std::int64_t width) const {
  if (out == nullptr || rows == 0) return;
  const LinearPlace& place = mlp_.places.front();
  T* block = out + mlp_.offset_of(shard, width);
  narrow_input_gradient(d_z, mlp_.parameters_of(shard) + place.weight, rows, place.in, place.out,
                        column, width, scratch);
  for (std::int64_t r = 0; r < rows; ++r) {
    T* row = block + (index != nullptr ? index[r] : r) * width;
    for (std::int64_t i = 0; i < width; ++i) row[i] = scratch[i * rows + r];
  }
}

template <class T>
void BackwardPass<T>::write_inputs(const Shard& shard, const std::int32_t* index, std::int64_t rows,
                                   const T* d_z, T* scratch) const {
  const std::int64_t first = inputs_.first_dim, second = mlp_.shape.input_dim - first;
  write_input(shard, index, rows, d_z, scratch, inputs_.first, 0, first);
  write_input(shard, index, rows, d_z, scratch, inputs_.second, first, second);
}

/// From the gradient of the last hidden output (the first half of `scratch`, rows x W) down to the
/// inputs. Row r belongs to row index[r] of the shard, or to row r.
template <class T>
void BackwardPass<T>::through_hidden(const Shard& shard, const std::int32_t* index,
                                     std::int64_t rows, T* gradients, T* scratch) const {
  T* gradient = scratch;
  T* other = scratch + half_scratch_;
  if (mlp_.shape.unit_features) {
    mlp_.kernels.unit_backward(mlp_.unit_rows(shard), mlp_.inverse_norms(shard), index, rows,
                               mlp_.places.back().in, gradient);
  }
  for (std::size_t layer = mlp_.shape.hidden_dims.size(); layer-- > 0;) {
    const LinearPlace& place = mlp_.places[layer];
    const bool skip = mlp_.shape.has_skip(layer);
    if (skip) std::copy_n(gradient, rows * place.out, other);
    HiddenGradients<T> sums;
    if (gradients != nullptr) {
      sums.bias = gradients + place.bias;
      if (mlp_.shape.layer_norm) {
        sums.gain = gradients + place.gain;
        sums.shift = gradients + place.shift;
      }
    }
    mlp_.kernels.hidden_backward(mlp_.hidden_layer(shard, layer), mlp_.hidden_rows(shard, layer),
                                 sums, index, rows, gradient);
    if (gradients != nullptr) {
      const T* x = mlp_.layer_input(shard, layer);
      T* d_weight = gradients + place.weight;
      if (layer == 0 && place.in % kAlignedValues != 0) {
        narrow_weight_gradient(gradient, x, rows, place.in, place.out, d_weight, other);
      } else {
        linear_weight_gradient(gradient, x, rows, place.in, place.out, d_weight);
      }
    }
    if (layer == 0) break;
    linear_input_gradient(gradient, mlp_.parameters_of(shard) + place.weight, rows, place.in,
                          place.out, T(skip ? 1 : 0), other);
    std::swap(gradient, other);
  }
  write_inputs(shard, index, rows, gradient, other);
}

/// Products overwrite their part; what the kernels add to, and the padding, must begin at zero.
template <class T>
void BackwardPass<T>::clear_sums(T* gradients) const {
  const LinearPlace& last = mlp_.places.back();
  for (const LinearPlace& place : mlp_.places) {
    std::fill_n(gradients + place.bias, place.out, T(0));
    if (mlp_.shape.layer_norm && &place != &last) {
      std::fill_n(gradients + place.gain, place.out, T(0));
      std::fill_n(gradients + place.shift, place.out, T(0));
    }
  }
  if (last.out == 1) std::fill_n(gradients + last.weight, last.in, T(0));
  std::fill(gradients + last.bias + last.out, gradients + mlp_.size, T(0));
}

/// `d_out` (rows x out) is the shard's part of the output's gradient.
template <class T>
void BackwardPass<T>::shard_gradients(const Shard& shard, const T* d_out, T* gradients,
                                      T* scratch) const {
  const LinearPlace& last = mlp_.places.back();
  const T* weight = mlp_.parameters_of(shard) + last.weight;
  const T* x = mlp_.layer_input(shard, mlp_.places.size() - 1);
  const std::int64_t rows = shard.rows();
  clear_sums(gradients);
  mlp_.kernels.sum_rows(d_out, rows, last.out, gradients + last.bias);
  if (last.out == 1) {
    mlp_.kernels.single_output_gradient(x, d_out, rows, last.in, gradients + last.weight);
  } else {
    linear_weight_gradient(d_out, x, rows, last.in, last.out, gradients + last.weight);
  }
  if (mlp_.shape.hidden_dims.empty()) {
    write_inputs(shard, nullptr, rows, d_out, scratch);
    return;
  }
  if (last.out == 1) {
    mlp_.kernels.single_output_backward(d_out, weight, rows, last.in, scratch);
  } else {
    linear_input_gradient(d_out, weight, rows, last.in, last.out, T(0), scratch);
  }
  if (d_features_ != nullptr) {
    mlp_.kernels.add(scratch, d_features_ + mlp_.offset_of(shard, last.in), rows * last.in);
  }
  through_hidden(shard, nullptr, rows, gradients, scratch);
}

template <class T>
void BackwardPass<T>::parameters_and_inputs(const Tensor& d_output, const Tensor& gradients) const {
  const Tensor scratch = scratch_for(mlp_.num_shards(), d_output);
  // the second halves' gradients are added to the first halves'
  const bool halved = mlp_.halves == 2;
  const Tensor second = halved ? at::empty_like(gradients) : gradients;
  learner_team().run(mlp_.num_shards(), [&](std::int64_t item) {
    const Shard shard = mlp_.shard_of(item);
    const Tensor& target = item % mlp_.halves == 0 ? gradients : second;
    shard_gradients(shard, d_output.data_ptr<T>() + mlp_.offset_of(shard, mlp_.shape.output_dim),
                    target.data_ptr<T>() + shard.network * mlp_.size,
                    scratch.data_ptr<T>() + item * 2 * half_scratch_);
  });
  if (!halved) return;
  learner_team().run(2 * mlp_.networks, [&](std::int64_t item) {
    const std::int64_t middle = mlp_.size / 2, begin = item / 2 * mlp_.size + item % 2 * middle;
    mlp_.kernels.add(gradients.data_ptr<T>() + begin, second.data_ptr<T>() + begin,
                     item % 2 == 0 ? middle : mlp_.size - middle);
  });
}

/// Only rows whose output has a gradient are computed: a minimum over the ensemble leaves each of
/// two networks about half of them. A network that keeps most of its rows is two items.
template <class T>
void BackwardPass<T>::inputs_only(const Tensor& d_output) const {
  const std::int64_t out = mlp_.shape.output_dim, batch = mlp_.batch;
  const Tensor used = at::empty({mlp_.networks, batch}, d_output.options().dtype(at::kInt));
  const std::int64_t block = aligned_size(batch * out);
  const Tensor compact = at::empty({mlp_.networks, block}, d_output.options());
  std::vector<std::int64_t> num_used(static_cast<std::size_t>(mlp_.networks), 0);
  for (std::int64_t g = 0; g < mlp_.networks; ++g) {
    std::int64_t& count = num_used[static_cast<std::size_t>(g)];
    for (std::int64_t b = 0; b < batch; ++b) {
      const T* row = d_output.data_ptr<T>() + g * block + b * out;
      if (std::all_of(row, row + out, [](T x) { return x == 0; })) continue;
      std::copy_n(row, out, compact.data_ptr<T>() + g * block + count * out);
      used.data_ptr<std::int32_t>()[g * batch + count++] = static_cast<std::int32_t>(b);
    }
  }
  const Tensor scratch = scratch_for(2 * mlp_.networks, d_output);
  learner_team().run(2 * mlp_.networks, [&](std::int64_t item) {
    const std::int64_t g = item / 2, count = num_used[static_cast<std::size_t>(g)];
    const std::int64_t middle = count > 3 * batch / 4 ? count / 2 : count;
    const std::int64_t begin = item % 2 == 0 ? 0 : middle;
    const std::int64_t rows = item % 2 == 0 ? middle : count - middle;
    if (rows == 0) return;
    const Shard shard{g, 0, batch};
    const LinearPlace& last = mlp_.places.back();
    const T* weight = mlp_.parameters_of(shard) + last.weight;
    const T* d_out = compact.data_ptr<T>() + g * block + begin * out;
    const std::int32_t* index = used.data_ptr<std::int32_t>() + g * batch + begin;
    T* work = scratch.data_ptr<T>() + item * 2 * half_scratch_;
    if (mlp_.shape.hidden_dims.empty()) {
      write_inputs(shard, index, rows, d_out, work);
      return;
    }
    if (out == 1) {
      mlp_.kernels.single_output_backward(d_out, weight, rows, last.in, work);
    } else {
      linear_input_gradient(d_out, weight, rows, last.in, out, T(0), work);
    }
    through_hidden(shard, index, rows, nullptr, work);
  });
}

/// Aligned blocks [M*E, B x W] -> [M, B, W], added in the order of the ensemble.
template <class T>
Tensor over_ensemble(const CpuMlp<T>& mlp, const Tensor& blocks, std::int64_t width) {
  if (!blocks.defined()) return blocks;
  const std::int64_t members = mlp.networks / mlp.ensemble;
  const std::int64_t size = mlp.batch * width, stride = blocks.size(1);
  Tensor sum = at::empty({members, mlp.batch, width}, blocks.options());
  for (std::int64_t m = 0; m < members; ++m) {
    const T* from = blocks.data_ptr<T>() + m * mlp.ensemble * stride;
    T* to = sum.data_ptr<T>() + m * size;
    std::copy_n(from, size, to);
    for (std::int64_t e = 1; e < mlp.ensemble; ++e) mlp.kernels.add(to, from + e * stride, size);
  }
  return sum;
}

template <class T>
MlpGradients backward(const MlpShape& shape, const Tensor& flat, const MlpTape& tape,
                      const Tensor& d_output, const Tensor& d_features, const MlpWanted& wanted) {
  const CpuMlp<T> mlp(shape, flat, tape);
  const std::int64_t second_dim = shape.input_dim - wanted.first_dim;
  const auto zeros = [&](bool is_wanted, std::int64_t width) {
    if (!is_wanted) return Tensor();
    return at::zeros({mlp.networks, aligned_size(mlp.batch * width)}, d_output.options());
  };
  const Tensor first = zeros(wanted.first, wanted.first_dim);
  const Tensor second = zeros(wanted.second, second_dim);
  const BackwardPass<T> pass(mlp,
                             {.first = wanted.first ? first.data_ptr<T>() : nullptr,
                              .second = wanted.second ? second.data_ptr<T>() : nullptr,
                              .first_dim = wanted.first_dim},
                             d_features.defined() ? d_features.data_ptr<T>() : nullptr);
  MlpGradients result;
  if (wanted.parameters || d_features.defined()) {
    result.parameters = at::empty(flat.sizes(), d_output.options());
    pass.parameters_and_inputs(d_output, result.parameters);
  } else {
    pass.inputs_only(d_output);
  }
  result.first = over_ensemble(mlp, first, wanted.first_dim);
  result.second = over_ensemble(mlp, second, second_dim);
  return result;
}

}  // namespace

MlpGradients mlp_backward_cpu(const MlpShape& shape, const Tensor& flat, const MlpTape& tape,
                              const Tensor& d_output, const Tensor& d_features,
                              const MlpWanted& wanted) {
  const Tensor blocks = aligned_blocks(d_output.flatten(0, 1));
  const Tensor features =
      d_features.defined() ? aligned_blocks(d_features.flatten(0, 1)) : d_features;
  return flat.scalar_type() == at::kDouble
             ? backward<double>(shape, flat, tape, blocks, features, wanted)
             : backward<float>(shape, flat, tape, blocks, features, wanted);
}

}  // namespace anthill
