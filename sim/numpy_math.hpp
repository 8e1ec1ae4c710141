/// NumPy's scalar arithmetic where it differs from the obvious C++ in the last bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "sim/numpy_sum.hpp"

namespace anthill {

/// `x ** 2` of a NumPy scalar, which is the math library's pow and can differ from x * x in the
/// last bit. A compiler that sees the exponent would replace the call.
template <typename Float>
Float numpy_square(Float x) {
  volatile Float exponent = 2;
  return std::pow(x, exponent);
}

/// np.clip for numbers that are not nan.
inline double numpy_clip(double x, double low, double high) {
  return std::min(std::max(x, low), high);
}

/// `np.linalg.norm` of 2 or 3 numbers: the root of BLAS's dot product. OpenBLAS takes it in plain
/// arithmetic, as here, but with fused multiply-adds in its kernels for AVX-512, which makes a
/// difference in the last bits (docs/environments.md).
inline double numpy_norm(std::span<const double> x) {
  double sum = 0;
  for (const double element : x) sum += element * element;
  return std::sqrt(sum);
}

/// `weight * np.sum(np.square(action))` with a Python float and a float32 action: float32.
inline float numpy_control_cost(double weight, std::span<const float> action) {
  const auto square = [&](std::size_t i) { return action[i] * action[i]; };
  return static_cast<float>(weight) * numpy_sum<float>(action.size(), square);
}

/// `np.sum(np.square(x))` in float64.
inline double numpy_sum_of_squares(std::span<const double> x) {
  return numpy_sum<double>(x.size(), [&](std::size_t i) { return x[i] * x[i]; });
}

}  // namespace anthill
