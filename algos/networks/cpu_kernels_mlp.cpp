// The elementwise passes of a multi-layer perceptron. Compiled once per instruction set
// (ANTHILL_INSTRUCTION_SET); everything here is local to one of them.
#include "algos/networks/cpu_kernels_impl.hpp"

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

/// x[j] = gain[j] * n[j] + shift[j] with n = (x - mean) / sqrt(variance + eps), one row (Ba et al.,
/// 2016). Returns 1 / sqrt(variance + eps).
template <class T>
inline T normalise_row(const HiddenLayer<T>& layer, const T* x, T* n, T* y) {
  const std::int64_t width = layer.width;
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t j = 0; j < width; ++j) sum += x[j];
  const T mean = sum / static_cast<T>(width);
  T squares = 0;
#pragma omp simd reduction(+ : squares)
  for (std::int64_t j = 0; j < width; ++j) squares += (x[j] - mean) * (x[j] - mean);
  const T inverse_std = 1 / root(squares / static_cast<T>(width) + T(kLayerNormEps));
  const T* gain = layer.gain;
  const T* shift = layer.shift;
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) {
    n[j] = (x[j] - mean) * inverse_std;
    y[j] = gain[j] * n[j] + shift[j];
  }
  return inverse_std;
}

/// g (d loss / d y) becomes d loss / d x; the affine part's gradients are added when wanted.
template <class T>
inline void normalise_row_backward(const HiddenLayer<T>& layer, const T* n, T inverse_std,
                                   const HiddenGradients<T>& gradients, T* g) {
  const std::int64_t width = layer.width;
  if (gradients.gain != nullptr) {
    T* d_gain = gradients.gain;
    T* d_shift = gradients.shift;
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j) {
      d_gain[j] += g[j] * n[j];
      d_shift[j] += g[j];
    }
  }
  const T* gain = layer.gain;
  T sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
  for (std::int64_t j = 0; j < width; ++j) {
    g[j] *= gain[j];
    sum += g[j];
    dot += g[j] * n[j];
  }
  const T mean = sum / static_cast<T>(width), slope_n = dot / static_cast<T>(width);
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) g[j] = inverse_std * (g[j] - mean - n[j] * slope_n);
}

template <Activation kActivation, class T>
void forward_rows(const HiddenLayer<T>& layer, const HiddenRows<T>& rows, std::int64_t num_rows) {
  const std::int64_t width = layer.width;
  const T* bias = layer.bias;
  for (std::int64_t r = 0; r < num_rows; ++r) {
    T* x = rows.output + r * width;
    T* y = rows.activated + r * width;
    if (rows.keep != nullptr) {
      const std::uint8_t* keep = rows.keep + r * width;
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) {
        x[j] = (x[j] + bias[j]) * (keep[j] != 0 ? layer.keep_scale : T(0));
      }
    }
    const bool biased = rows.keep != nullptr;
    if (layer.norm == HiddenNorm::before_activation) {
      if (!biased) {
#pragma omp simd
        for (std::int64_t j = 0; j < width; ++j) x[j] += bias[j];
      }
      rows.inverse_std[r] = normalise_row(layer, x, rows.normalised + r * width, x);
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) y[j] = activate<kActivation>(x[j]);
    } else if (biased) {
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) y[j] = activate<kActivation>(x[j]);
    } else {
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) y[j] = activate<kActivation>(x[j] + bias[j]);
    }
    const T* last = y;
    if (layer.norm == HiddenNorm::after_activation) {
      rows.inverse_std[r] = normalise_row(layer, y, rows.normalised + r * width, x);
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
  for (std::int64_t r = 0; r < num_rows; ++r) {
    const std::int64_t row = index != nullptr ? index[r] : r;
    T* g = gradient + r * width;
    const T* y = rows.activated + row * width;
    const T* n = rows.normalised != nullptr ? rows.normalised + row * width : nullptr;
    if (layer.norm == HiddenNorm::after_activation) {
      normalise_row_backward(layer, n, rows.inverse_std[row], gradients, g);
    }
    if (layer.norm != HiddenNorm::before_activation && rows.keep == nullptr &&
        gradients.bias != nullptr) {
      T* d_bias = gradients.bias;
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) {
        g[j] *= slope<kActivation>(y[j]);
        d_bias[j] += g[j];
      }
      continue;
    }
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j) g[j] *= slope<kActivation>(y[j]);
    if (layer.norm == HiddenNorm::before_activation) {
      normalise_row_backward(layer, n, rows.inverse_std[row], gradients, g);
    }
    if (rows.keep != nullptr) {
      const std::uint8_t* keep = rows.keep + row * width;
#pragma omp simd
      for (std::int64_t j = 0; j < width; ++j) g[j] *= keep[j] != 0 ? layer.keep_scale : T(0);
    }
    if (gradients.bias != nullptr) {
      T* d_bias = gradients.bias;
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
void single_output_forward(const T* x, const T* weight, const T* bias, std::int64_t num_rows,
                           std::int64_t width, T* out) {
  for (std::int64_t r = 0; r < num_rows; ++r) {
    const T* row = x + r * width;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t j = 0; j < width; ++j) sum += row[j] * weight[j];
    out[r] = sum + *bias;
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
