/// The elementwise work of the learner on a CPU: plain pointers, vectorised, no LibTorch. The same
/// source is compiled for several instruction sets; cpu_kernels() picks the best of this machine.
#pragma once

#include <cstdint>

#include "algos/agents/agent_config.hpp"
#include "buffers/philox.hpp"

namespace anthill {

inline constexpr double kUnitNormEps = 1e-12;

enum class HiddenNorm { none, before_activation, after_activation };

/// One hidden layer of one network. T is float or double; W = width.
template <class T>
struct HiddenLayer {
  std::int64_t width = 0;
  Activation activation = Activation::relu;
  HiddenNorm norm = HiddenNorm::none;
  T keep_scale = 1;          // 1 / (1 - dropout)
  const T* bias = nullptr;   // (W)
  const T* gain = nullptr;   // (W) LayerNorm's weight
  const T* shift = nullptr;  // (W) LayerNorm's bias
};

/// What a hidden layer writes for R rows, and what its backward pass reads again.
template <class T>
struct HiddenRows {
  T* output = nullptr;     // (R x W) in: input times weights; out: what the next layer reads
  T* activated = nullptr;  // (R x W) after the activation; the same memory as `output` when nothing
                           // follows the activation
  T* normalised = nullptr;             // (R x W) LayerNorm before its affine part
  T* inverse_std = nullptr;            // (R) LayerNorm's 1 / sqrt(variance + eps)
  const T* skip = nullptr;             // (R x W) added to the output by a residual layer
  const std::uint8_t* keep = nullptr;  // (R x W) dropout's mask: 0 drops
};

/// Gradients that a hidden layer's backward pass adds to; nullptr: not wanted.
template <class T>
struct HiddenGradients {
  T* bias = nullptr;   // (W)
  T* gain = nullptr;   // (W)
  T* shift = nullptr;  // (W)
};

/// One Adam step for n parameters, and Polyak averaging of their targets in the same pass.
template <class T>
struct AdamStep {
  std::int64_t size = 0;
  T* parameters = nullptr;
  T* first_moment = nullptr;
  T* second_moment = nullptr;
  const T* gradient = nullptr;
  T* target = nullptr;  // target += tau * (parameters - target) afterwards; nullptr: none
  T gradient_scale = 1;
  T decay = 0;               // learning_rate * weight_decay
  T step_size = 0;           // learning_rate / (1 - beta1^t)
  T inverse_correction = 1;  // 1 / sqrt(1 - beta2^t)
  T beta1 = 0, rest1 = 1;    // and 1 - beta1
  T beta2 = 0, rest2 = 1;
  T eps = 0, tau = 0;
};

/// The squashed Gaussian for R rows of A action elements; formulas in squashed_gaussian.hpp.
template <class T>
struct SquashedRows {
  std::int64_t rows = 0, action_dim = 0;
  LogStdForm log_std_form = LogStdForm::clamp;
  LogProbForm log_prob_form = LogProbForm::exact;
  T log_std_min = 0, log_std_max = 0;
  const T* head = nullptr;   // (R x 2A) means, then raw log standard deviations
  const T* noise = nullptr;  // (R x A)
  const T* scale = nullptr;  // (A) of the action's units, in the epsilon form; nullptr: 1
  T* action = nullptr;       // (R x A)
  T* log_prob = nullptr;     // (R)
};

template <class T>
struct CpuKernels {
  const char* instruction_set;

  /// Bias, dropout, LayerNorm, activation and skip of `num_rows` rows, in place in rows.output.
  void (*hidden_forward)(const HiddenLayer<T>&, const HiddenRows<T>& rows, std::int64_t num_rows);

  /// `gradient` (num_rows x W) holds d loss / d output and receives d loss / d (input times
  /// weights). Its row r belongs to row index[r] of `rows`, or to row r when index is nullptr.
  void (*hidden_backward)(const HiddenLayer<T>&, const HiddenRows<T>& rows,
                          const HiddenGradients<T>&, const std::int32_t* index,
                          std::int64_t num_rows, T* gradient);

  /// y[r, :] = x[r, :] * inverse_norm[r], inverse_norm[r] = 1 / sqrt(|x[r, :]|^2 + kUnitNormEps).
  void (*unit_forward)(const T* x, std::int64_t num_rows, std::int64_t width, T* y,
                       T* inverse_norm);
  /// `gradient` (num_rows x W) holds d loss / d y and receives d loss / d x; `index` as above.
  void (*unit_backward)(const T* y, const T* inverse_norm, const std::int32_t* index,
                        std::int64_t num_rows, std::int64_t width, T* gradient);

  /// out[r] = bias + x[r, :] . weight: a Linear of one output.
  void (*single_output_forward)(const T* x, const T* weight, const T* bias, std::int64_t num_rows,
                                std::int64_t width, T* out);
  /// d_weight += sum_r gradient[r] x[r, :].
  void (*single_output_gradient)(const T* x, const T* gradient, std::int64_t num_rows,
                                 std::int64_t width, T* d_weight);
  /// d_x[r, :] = gradient[r] * weight.
  void (*single_output_backward)(const T* gradient, const T* weight, std::int64_t num_rows,
                                 std::int64_t width, T* d_x);

  /// y[r, :] += bias, and d_bias += sum_r gradient[r, :].
  void (*add_bias)(T* y, const T* bias, std::int64_t num_rows, std::int64_t width);
  void (*sum_rows)(const T* gradient, std::int64_t num_rows, std::int64_t width, T* d_bias);
  /// y += x.
  void (*add)(T* y, const T* x, std::int64_t size);
  /// sum of squares, in double.
  double (*sum_squares)(const T* x, std::int64_t size);

  void (*adam)(const AdamStep<T>&);
  /// target += tau * (online - target).
  void (*polyak)(T* target, const T* online, T tau, std::int64_t size);
  void (*squashed_forward)(const SquashedRows<T>&);
  /// d_head (R x 2A) from d_action (R x A) and d_log_prob (R); either may be nullptr (zeros).
  void (*squashed_backward)(const SquashedRows<T>&, const T* d_action, const T* d_log_prob,
                            T* d_head);

  /// Standard normals of one member, as noise_kernel.hpp defines them.
  void (*fill_normal)(T* out, std::int64_t size, std::uint64_t seed, RandomStream stream,
                      std::uint64_t counter);
};

/// The table for the widest vectors that this machine has. T is float or double.
template <class T>
const CpuKernels<T>& cpu_kernels();

}  // namespace anthill
