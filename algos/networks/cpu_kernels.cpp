#include "algos/networks/cpu_kernels.hpp"

namespace anthill {

#define ANTHILL_DECLARE_KERNELS(instruction_set)         \
  namespace instruction_set {                            \
  void fill_mlp_kernels(CpuKernels<float>& kernels);     \
  void fill_mlp_kernels(CpuKernels<double>& kernels);    \
  void fill_policy_kernels(CpuKernels<float>& kernels);  \
  void fill_policy_kernels(CpuKernels<double>& kernels); \
  }

ANTHILL_DECLARE_KERNELS(baseline)
#if defined(__x86_64__)
ANTHILL_DECLARE_KERNELS(avx2)
ANTHILL_DECLARE_KERNELS(avx512)
#endif

template <class T>
static CpuKernels<T> best_kernels() {
  CpuKernels<T> kernels{};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
    avx512::fill_mlp_kernels(kernels);
    avx512::fill_policy_kernels(kernels);
    kernels.instruction_set = "avx512";
    return kernels;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    avx2::fill_mlp_kernels(kernels);
    avx2::fill_policy_kernels(kernels);
    kernels.instruction_set = "avx2";
    return kernels;
  }
#endif
  baseline::fill_mlp_kernels(kernels);
  baseline::fill_policy_kernels(kernels);
  kernels.instruction_set = "baseline";
  return kernels;
}

template <class T>
const CpuKernels<T>& cpu_kernels() {
  static const CpuKernels<T> kernels = best_kernels<T>();
  return kernels;
}

template const CpuKernels<float>& cpu_kernels<float>();
template const CpuKernels<double>& cpu_kernels<double>();

}  // namespace anthill
