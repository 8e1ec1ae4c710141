// The elementwise passes of a multi-layer perceptron. Compiled once per instruction set
// (ANTHILL_INSTRUCTION_SET); everything here is local to one of them.
#include "algos/networks/cpu_kernels_sums.hpp"

namespace anthill::ANTHILL_INSTRUCTION_SET {
namespace {

constexpr double kLayerNormEps = 1e-5;

template <Activation kActivation, class T>
inline T activate(T x) {
  if constexpr (kActivation == Activation::relu) return x > 0 ? x : T(0);
  if constexpr (kActivation == Activation::tanh) return vector_tanh(x);
  if constexpr (kActivation == Activation::elu) return x > 0 ? x : vector_expm1(x);
}

/// d activate / d x, from the activation's output y.
template <Activation kActivation, class T>
inline T slope(T y) {
  if constexpr (kActivation == Activation::relu) return y > 0 ? T(1) : T(0);
  if constexpr (kActivation == Activation::tanh) return 1 - y * y;
  if constexpr (kActivation == Activation::elu) return y > 0 ? T(1) : y + 1;
}

/// n = (x - mean) / sqrt(variance + eps) and y = after(gain * n + shift), one row whose sum is
/// known (Ba et al., 2016). Returns 1 / sqrt(variance + eps). `x` may be `y`.
template <class T, class After>
inline T normalise_row(const HiddenLayer<T>& layer, const T* x, T sum, T* n, T* y,
                       const After& after) {
  const std::int64_t width = layer.width;
  const T mean = sum / static_cast<T>(width);
  const T squares =
      sum_over<T>(width, [x, mean](std::int64_t j) { return (x[j] - mean) * (x[j] - mean); });
  const T inverse_std = 1 / root(squares / static_cast<T>(width) + T(kLayerNormEps));
  const T* gain = layer.gain;
  const T* shift = layer.shift;
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) {
    n[j] = (x[j] - mean) * inverse_std;
    y[j] = after(gain[j] * n[j] + shift[j]);
  }
  return inverse_std;
}

/// g becomes d loss / d x, where before(j) is d loss / d y of element j; the affine part's
/// gradients are added when wanted.
template <class T, class Before>
inline void normalise_row_backward(const HiddenLayer<T>& layer, const T* n, T inverse_std,
                                   const HiddenGradients<T>& gradients, T* g,
                                   const Before& before) {
  const std::int64_t width = layer.width;
  const T* gain = layer.gain;
  Lanes<T> sum, dot;
  const auto add = [&](std::int64_t j, std::int64_t k, T d_y) {
    g[j] = d_y * gain[j];
    sum.lane[k] += g[j];
    dot.lane[k] += g[j] * n[j];
  };
  if (gradients.gain != nullptr) {
    T* d_gain = gradients.gain;
    T* d_shift = gradients.shift;
    over_lanes(width, [&](std::int64_t j, std::int64_t k) {
      const T d_y = before(j);
      d_gain[j] += d_y * n[j];
      d_shift[j] += d_y;
      add(j, k, d_y);
    });
  } else {
    over_lanes(width, [&](std::int64_t j, std::int64_t k) { add(j, k, before(j)); });
  }
  const T mean = sum.total() / static_cast<T>(width);
  const T slope_n = dot.total() / static_cast<T>(width);
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) g[j] = inverse_std * (g[j] - mean - n[j] * slope_n);
}

template <Activation kActivation, class T>
void forward_rows(const HiddenLayer<T>& layer, const HiddenRows<T>& rows, std::int64_t num_rows) {
  const std::int64_t width = layer.width;
  const T* bias = layer.bias;
  const T keep_scale = layer.keep_scale;
  const auto activation = [](T x) { return activate<kActivation>(x); };
  for (std::int64_t r = 0; r < num_rows; ++r) {
    T* x = rows.output + r * width;
    T* y = rows.activated + r * width;
    const std::uint8_t* keep = rows.keep != nullptr ? rows.keep + r * width : nullptr;
    if (layer.norm == HiddenNorm::before_activation) {
      const T sum = sum_over<T>(width, [=](std::int64_t j) {
        const T z = x[j] + bias[j];
        return x[j] = keep == nullptr ? z : z * (keep[j] != 0 ? keep_scale : T(0));
      });
      rows.inverse_std[r] =
          normalise_row(layer, x, sum, rows.normalised + r * width, y, activation);
    } else if (keep != nullptr) {
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) {
        y[j] = activation((x[j] + bias[j]) * (keep[j] != 0 ? keep_scale : T(0)));
      }
    } else {
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) y[j] = activation(x[j] + bias[j]);
    }
    const T* last = y;
    if (layer.norm == HiddenNorm::after_activation) {
      const T sum = sum_over<T>(width, [y](std::int64_t j) { return y[j]; });
      rows.inverse_std[r] = normalise_row(layer, y, sum, rows.normalised + r * width, x,
                                          [](T value) { return value; });
      last = x;
    }
    if (rows.skip != nullptr) {
      const T* skip = rows.skip + r * width;
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) x[j] = last[j] + skip[j];
    }
  }
}

template <Activation kActivation, class T>
void backward_rows(const HiddenLayer<T>& layer, const HiddenRows<T>& rows,
                   const HiddenGradients<T>& gradients, const std::int32_t* index,
                   std::int64_t num_rows, T* gradient) {
  const std::int64_t width = layer.width;
  T* d_bias = gradients.bias;
  for (std::int64_t r = 0; r < num_rows; ++r) {
    const std::int64_t row = index != nullptr ? index[r] : r;
    T* g = gradient + r * width;
    const T* y = rows.activated + row * width;
    const T* n = rows.normalised != nullptr ? rows.normalised + row * width : nullptr;
    const auto through_activation = [g, y](std::int64_t j) {
      return g[j] * slope<kActivation>(y[j]);
    };
    if (layer.norm == HiddenNorm::before_activation) {
      normalise_row_backward(layer, n, rows.inverse_std[row], gradients, g, through_activation);
    } else {
      if (layer.norm == HiddenNorm::after_activation) {
        normalise_row_backward(layer, n, rows.inverse_std[row], gradients, g,
                               [g](std::int64_t j) { return g[j]; });
      }
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) g[j] = through_activation(j);
    }
    if (rows.keep != nullptr) {
      const std::uint8_t* keep = rows.keep + row * width;
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) g[j] *= keep[j] != 0 ? layer.keep_scale : T(0);
    }
    if (d_bias != nullptr) {
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) d_bias[j] += g[j];
    }
  }
}

template <class T>
void hidden_forward(const HiddenLayer<T>& layer, const HiddenRows<T>& rows, std::int64_t num_rows) {
  switch (layer.activation) {
    case Activation::relu:
      return forward_rows<Activation::relu>(layer, rows, num_rows);
    case Activation::tanh:
      return forward_rows<Activation::tanh>(layer, rows, num_rows);
    case Activation::elu:
      return forward_rows<Activation::elu>(layer, rows, num_rows);
  }
}

template <class T>
void hidden_backward(const HiddenLayer<T>& layer, const HiddenRows<T>& rows,
                     const HiddenGradients<T>& gradients, const std::int32_t* index,
                     std::int64_t num_rows, T* gradient) {
  switch (layer.activation) {
    case Activation::relu:
      return backward_rows<Activation::relu>(layer, rows, gradients, index, num_rows, gradient);
    case Activation::tanh:
      return backward_rows<Activation::tanh>(layer, rows, gradients, index, num_rows, gradient);
    case Activation::elu:
      return backward_rows<Activation::elu>(layer, rows, gradients, index, num_rows, gradient);
  }
}

template <class T>
void unit_forward(const T* x, std::int64_t num_rows, std::int64_t width, T* y, T* inverse_norm) {
  for (std::int64_t r = 0; r < num_rows; ++r) {
    const T* row = x + r * width;
    T* unit = y + r * width;
    const T squares = sum_over<T>(width, [row](std::int64_t j) { return row[j] * row[j]; });
    const T inverse = inverse_norm[r] = 1 / root(squares + T(kUnitNormEps));
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j) unit[j] = row[j] * inverse;
  }
}

template <class T>
void unit_backward(const T* y, const T* inverse_norm, const std::int32_t* index,
                   std::int64_t num_rows, std::int64_t width, T* gradient) {
  for (std::int64_t r = 0; r < num_rows; ++r) {
    const std::int64_t row = index != nullptr ? index[r] : r;
    const T* unit = y + row * width;
    T* g = gradient + r * width;
    const T along = sum_over<T>(width, [g, unit](std::int64_t j) { return g[j] * unit[j]; });
    const T inverse = inverse_norm[row];
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j) g[j] = inverse * (g[j] - unit[j] * along);
  }
}

template <class T>
void single_output_forward(const T* x, const T* weight, const T* bias, std::int64_t num_rows,
                           std::int64_t width, T* out) {
  for (std::int64_t r = 0; r < num_rows; ++r) {
    const T* row = x + r * width;
    out[r] =
        *bias + sum_over<T>(width, [row, weight](std::int64_t j) { return row[j] * weight[j]; });
  }
}

template <class T>
void single_output_gradient(const T* x, const T* gradient, std::int64_t num_rows,
                            std::int64_t width, T* d_weight) {
  for (std::int64_t r = 0; r < num_rows; ++r) {
    const T* row = x + r * width;
    const T g = gradient[r];
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j) d_weight[j] += g * row[j];
  }
}

template <class T>
void single_output_backward(const T* gradient, const T* weight, std::int64_t num_rows,
                            std::int64_t width, T* d_x) {
  for (std::int64_t r = 0; r < num_rows; ++r) {
    const T g = gradient[r];
    T* row = d_x + r * width;
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j) row[j] = g * weight[j];
  }
}

template <class T>
void add_bias(T* y, const T* bias, std::int64_t num_rows, std::int64_t width) {
  for (std::int64_t r = 0; r < num_rows; ++r) {
    T* row = y + r * width;
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j) row[j] += bias[j];
  }
}

template <class T>
void sum_rows(const T* gradient, std::int64_t num_rows, std::int64_t width, T* d_bias) {
  for (std::int64_t r = 0; r < num_rows; ++r) {
    const T* row = gradient + r * width;
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j) d_bias[j] += row[j];
  }
}

template <class T>
void fill(CpuKernels<T>& kernels) {
  kernels.hidden_forward = hidden_forward<T>;
  kernels.hidden_backward = hidden_backward<T>;
  kernels.unit_forward = unit_forward<T>;
  kernels.unit_backward = unit_backward<T>;
  kernels.single_output_forward = single_output_forward<T>;
  kernels.single_output_gradient = single_output_gradient<T>;
  kernels.single_output_backward = single_output_backward<T>;
  kernels.add_bias = add_bias<T>;
  kernels.sum_rows = sum_rows<T>;
}

}  // namespace

void fill_mlp_kernels(CpuKernels<float>& kernels) { fill(kernels); }
void fill_mlp_kernels(CpuKernels<double>& kernels) { fill(kernels); }

}  // namespace anthill::ANTHILL_INSTRUCTION_SET
