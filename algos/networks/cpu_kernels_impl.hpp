/// Inside of the CPU kernels: what their sources share. Included once per instruction set.
#pragma once

#include "algos/networks/cpu_kernels.hpp"

// glibc's vector functions (libmvec, at most 4 ulp) without the rest of -ffast-math: g++ declares
// them only under that flag
#if defined(__x86_64__) && defined(__GLIBC__)
#define ANTHILL_VECTOR_FUNCTION __attribute__((simd("notinbranch")))
#else
#define ANTHILL_VECTOR_FUNCTION
#endif
extern "C" {
ANTHILL_VECTOR_FUNCTION float expf(float) noexcept;
ANTHILL_VECTOR_FUNCTION float expm1f(float) noexcept;
ANTHILL_VECTOR_FUNCTION float logf(float) noexcept;
ANTHILL_VECTOR_FUNCTION float log1pf(float) noexcept;
ANTHILL_VECTOR_FUNCTION float tanhf(float) noexcept;
ANTHILL_VECTOR_FUNCTION float sinf(float) noexcept;
ANTHILL_VECTOR_FUNCTION float cosf(float) noexcept;
ANTHILL_VECTOR_FUNCTION double exp(double) noexcept;
ANTHILL_VECTOR_FUNCTION double expm1(double) noexcept;
ANTHILL_VECTOR_FUNCTION double log(double) noexcept;
ANTHILL_VECTOR_FUNCTION double log1p(double) noexcept;
ANTHILL_VECTOR_FUNCTION double tanh(double) noexcept;
}

namespace anthill::ANTHILL_INSTRUCTION_SET {

// no standard template here: the linker could keep an instance with instructions that the machine
// lacks
static inline float root(float x) { return __builtin_sqrtf(x); }
static inline double root(double x) { return __builtin_sqrt(x); }
static inline float vector_exp(float x) { return ::expf(x); }
static inline double vector_exp(double x) { return ::exp(x); }
static inline float vector_expm1(float x) { return ::expm1f(x); }
static inline double vector_expm1(double x) { return ::expm1(x); }
static inline float vector_log(float x) { return ::logf(x); }
static inline double vector_log(double x) { return ::log(x); }
static inline float vector_log1p(float x) { return ::log1pf(x); }
static inline double vector_log1p(double x) { return ::log1p(x); }
static inline float vector_tanh(float x) { return ::tanhf(x); }
static inline double vector_tanh(double x) { return ::tanh(x); }

void fill_mlp_kernels(CpuKernels<float>& kernels);
void fill_mlp_kernels(CpuKernels<double>& kernels);
void fill_policy_kernels(CpuKernels<float>& kernels);
void fill_policy_kernels(CpuKernels<double>& kernels);

}  // namespace anthill::ANTHILL_INSTRUCTION_SET
