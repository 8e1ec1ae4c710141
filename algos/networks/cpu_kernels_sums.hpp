/// Sums over a row for the CPU kernels. Included once per instruction set.
#pragma once

#include "algos/networks/cpu_kernels_impl.hpp"

namespace anthill::ANTHILL_INSTRUCTION_SET {
namespace {

/// Partial sums of a row: many chains of additions, as one alone would wait for itself, and always
/// the same ones, so that a sum does not depend on the instruction set.
template <class T>
struct Lanes {
  static constexpr std::int64_t kCount = 32;
  T lane[kCount];

  Lanes() {
#pragma omp simd
    for (std::int64_t k = 0; k < kCount; ++k) lane[k] = 0;
  }

  T total() const {
    T eight[8], two[2];
#pragma omp simd
    for (int k = 0; k < 8; ++k) eight[k] = (lane[k] + lane[k + 8]) + (lane[k + 16] + lane[k + 24]);
    for (int k = 0; k < 2; ++k) two[k] = (eight[k] + eight[k + 2]) + (eight[k + 4] + eight[k + 6]);
    return two[0] + two[1];
  }
};

/// f(j, k) for every element j of a row, where k is the lane that j belongs to.
template <class F>
inline void over_lanes(std::int64_t width, const F& f) {
  constexpr std::int64_t kCount = Lanes<float>::kCount;
  std::int64_t begin = 0;
  for (; begin + kCount <= width; begin += kCount) {
#pragma omp simd
    for (std::int64_t k = 0; k < kCount; ++k) f(begin + k, k);
  }
  for (std::int64_t k = 0; begin + k < width; ++k) f(begin + k, k);
}

/// sum of f(j) over a row.
template <class T, class F>
inline T sum_over(std::int64_t width, const F& f) {
  Lanes<T> sum;
  over_lanes(width, [&](std::int64_t j, std::int64_t k) { sum.lane[k] += f(j); });
  return sum.total();
}

}  // namespace
}  // namespace anthill::ANTHILL_INSTRUCTION_SET
