// Adam, the squashed Gaussian and normal noise. Compiled once per instruction set
// (ANTHILL_INSTRUCTION_SET); everything here is local to one of them.
#include "algos/networks/cpu_kernels_impl.hpp"

namespace anthill::ANTHILL_INSTRUCTION_SET {
namespace {

/// Elements that a transcendental loop works on at once. Loops are always full, so that a value
/// does not depend on its place: what is left over would be computed by another function.
constexpr std::int64_t kBlock = 64;

template <class T>
void add(T* y, const T* x, std::int64_t size) {
#pragma omp simd
  for (std::int64_t i = 0; i < size; ++i) y[i] += x[i];
}

template <class T>
double sum_squares(const T* x, std::int64_t size) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < size; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

template <bool kHasTarget, class T>
void adam_loop(const AdamStep<T>& s) {
  T* __restrict p = s.parameters;
  T* __restrict m = s.first_moment;
  T* __restrict v = s.second_moment;
  T* __restrict target = s.target;
  const T* __restrict gradient = s.gradient;
#pragma omp simd
  for (std::int64_t i = 0; i < s.size; ++i) {
    const T g = gradient[i] * s.gradient_scale;
    m[i] = s.beta1 * m[i] + s.rest1 * g;
    v[i] = s.beta2 * v[i] + s.rest2 * g * g;
    p[i] -= s.decay * p[i] + s.step_size * m[i] / (root(v[i]) * s.inverse_correction + s.eps);
    if (kHasTarget) target[i] += s.tau * (p[i] - target[i]);
  }
}

template <class T>
void adam(const AdamStep<T>& step) {
  step.target != nullptr ? adam_loop<true>(step) : adam_loop<false>(step);
}

template <class T>
void polyak(T* target, const T* online, T tau, std::int64_t size) {
#pragma omp simd
  for (std::int64_t i = 0; i < size; ++i) target[i] += tau * (online[i] - target[i]);
}

/// One block of elements of a squashed Gaussian, as arrays of their own.
template <class T>
struct Block {
  T mean[kBlock], raw[kBlock], noise[kBlock], scale[kBlock];    // given
  T log_std[kBlock], log_std_slope[kBlock], std[kBlock];        // log_std and d log_std / d raw
  T action[kBlock], log_prob[kBlock], d_log_slope_d_u[kBlock];  // log_prob: this element's part
};

template <class T>
void load_block(const SquashedRows<T>& rows, std::int64_t first, Block<T>& block) {
  const std::int64_t size = rows.rows * rows.action_dim;
  for (std::int64_t k = 0; k < kBlock; ++k) {
    const std::int64_t i = first + k < size ? first + k : size - 1;
    const std::int64_t row = i / rows.action_dim, element = i % rows.action_dim;
    const T* head = rows.head + 2 * row * rows.action_dim;
    block.mean[k] = head[element];
    block.raw[k] = head[rows.action_dim + element];
    block.noise[k] = rows.noise[i];
    block.scale[k] = rows.scale != nullptr ? rows.scale[element] : T(1);
  }
}

template <class T>
void compute_block(const SquashedRows<T>& rows, Block<T>& b) {
  const T low = rows.log_std_min, high = rows.log_std_max;
  if (rows.log_std_form == LogStdForm::clamp) {
    // written so that nan stays nan
#pragma omp simd
    for (std::int64_t k = 0; k < kBlock; ++k) {
      const T x = b.raw[k] < low ? low : b.raw[k];
      b.log_std[k] = x > high ? high : x;
      b.log_std_slope[k] = b.raw[k] < low || b.raw[k] > high ? T(0) : T(1);
    }
  } else {
    const T half = (high - low) / 2;
#pragma omp simd
    for (std::int64_t k = 0; k < kBlock; ++k) {
      const T t = vector_tanh(b.raw[k]);
      b.log_std[k] = low + half * (1 + t);
      b.log_std_slope[k] = half * (1 - t * t);
    }
  }
  const bool exact = rows.log_prob_form == LogProbForm::exact;
  constexpr T kHalfLog2Pi = T(0.91893853320467274178);
  constexpr T kLn2 = T(0.69314718055994530942);
#pragma omp simd
  for (std::int64_t k = 0; k < kBlock; ++k) {
    b.std[k] = vector_exp(b.log_std[k]);
    const T u = b.mean[k] + b.std[k] * b.noise[k];
    const T a = vector_tanh(u);
    b.action[k] = a;
    T log_slope, d_log_slope;  // log(1 - a^2) and its derivative in u
    if (exact) {
      const T x = -2 * u;
      const T size = x > 0 ? x : -x;
      const T softplus = (x > 0 ? x : T(0)) + vector_log1p(vector_exp(-size));
      log_slope = 2 * (kLn2 - u - softplus);
      d_log_slope = -2 * a;
    } else {
      const T room = 1 - a * a;
      const T open = b.scale[k] * (room > 0 ? room : T(0));
      log_slope = vector_log(open + T(1e-6));
      d_log_slope = -2 * a * open / (open + T(1e-6));
    }
    b.d_log_slope_d_u[k] = d_log_slope;
    b.log_prob[k] = T(-0.5) * b.noise[k] * b.noise[k] - b.log_std[k] - kHalfLog2Pi - log_slope;
  }
}

template <class T>
void squashed_forward(const SquashedRows<T>& rows) {
  const std::int64_t size = rows.rows * rows.action_dim;
  for (std::int64_t r = 0; r < rows.rows; ++r) rows.log_prob[r] = 0;
  Block<T> block;
  for (std::int64_t first = 0; first < size; first += kBlock) {
    load_block(rows, first, block);
    compute_block(rows, block);
    for (std::int64_t k = 0; k < kBlock && first + k < size; ++k) {
      rows.action[first + k] = block.action[k];
      rows.log_prob[(first + k) / rows.action_dim] += block.log_prob[k];
    }
  }
}

template <class T>
void squashed_backward(const SquashedRows<T>& rows, const T* d_action, const T* d_log_prob,
                       T* d_head) {
  const std::int64_t size = rows.rows * rows.action_dim;
  Block<T> block;
  for (std::int64_t first = 0; first < size; first += kBlock) {
    load_block(rows, first, block);
    compute_block(rows, block);
    for (std::int64_t k = 0; k < kBlock && first + k < size; ++k) {
      const std::int64_t i = first + k, row = i / rows.action_dim, element = i % rows.action_dim;
      const T da = d_action != nullptr ? d_action[i] : T(0);
      const T dl = d_log_prob != nullptr ? d_log_prob[row] : T(0);
      const T du = da * (1 - block.action[k] * block.action[k]) - dl * block.d_log_slope_d_u[k];
      T* out = d_head + 2 * row * rows.action_dim;
      out[element] = du;
      out[rows.action_dim + element] =
          (du * block.std[k] * block.noise[k] - dl) * block.log_std_slope[k];
    }
  }
}

void fill_normal(float* out, std::int64_t size, std::uint64_t seed, RandomStream stream,
                 std::uint64_t counter) {
  constexpr std::int64_t kLanes = 32;
  float first[2 * kLanes], second[2 * kLanes], normal[4 * kLanes];
  for (std::int64_t begin = 0; 4 * begin < size; begin += kLanes) {
#pragma omp simd
    for (std::int64_t k = 0; k < kLanes; ++k) {
      const PhiloxWords words =
          philox(seed, stream, counter, static_cast<std::uint32_t>(begin + k));
      first[2 * k] = philox_uniform(words.word[0]);
      second[2 * k] = philox_uniform(words.word[1]);
      first[2 * k + 1] = philox_uniform(words.word[2]);
      second[2 * k + 1] = philox_uniform(words.word[3]);
    }
    // sine and cosine apart: together they become a call that has no vector form
    float angle[2 * kLanes];
#pragma omp simd
    for (std::int64_t k = 0; k < 2 * kLanes; ++k) {
      first[k] = root(-2.0f * vector_log(first[k]));
      angle[k] = 6.283185307179586f * second[k];
    }
#pragma omp simd
    for (std::int64_t k = 0; k < 2 * kLanes; ++k) normal[2 * k] = first[k] * ::cosf(angle[k]);
#pragma omp simd
    for (std::int64_t k = 0; k < 2 * kLanes; ++k) normal[2 * k + 1] = first[k] * ::sinf(angle[k]);
    const std::int64_t left = size - 4 * begin;
    const std::int64_t count = left < 4 * kLanes ? left : 4 * kLanes;
    for (std::int64_t k = 0; k < count; ++k) out[4 * begin + k] = normal[k];
  }
}

template <class T>
void fill(CpuKernels<T>& kernels) {
  kernels.add = add<T>;
  kernels.sum_squares = sum_squares<T>;
  kernels.adam = adam<T>;
  kernels.polyak = polyak<T>;
  kernels.squashed_forward = squashed_forward<T>;
  kernels.squashed_backward = squashed_backward<T>;
}

}  // namespace

void fill_policy_kernels(CpuKernels<float>& kernels) {
  fill(kernels);
  kernels.fill_normal = fill_normal;
}
void fill_policy_kernels(CpuKernels<double>& kernels) { fill(kernels); }

}  // namespace anthill::ANTHILL_INSTRUCTION_SET
