/// np.sum's order of addition, on which the last bits of a reward depend.
#pragma once

#include <cstddef>

namespace anthill {

/// Sum of value(first) ... value(first + n - 1) in the order of NumPy's pairwise summation: up to 7
/// in sequence, up to 128 in eight interleaved partial sums, more in halves.
template <typename Float, typename Value>
Float numpy_sum(std::size_t n, const Value& value, std::size_t first = 0) {
  if (n < 8) {
    Float sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += value(first + i);
    return sum;
  }
  if (n > 128) {
    std::size_t half = n / 2;
    half -= half % 8;
    return numpy_sum<Float>(half, value, first) + numpy_sum<Float>(n - half, value, first + half);
  }
  Float r[8];
  for (std::size_t j = 0; j < 8; ++j) r[j] = value(first + j);
  std::size_t i = 8;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) r[j] += value(first + i + j);
  }
  Float sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; i < n; ++i) sum += value(first + i);
  return sum;
}

}  // namespace anthill
