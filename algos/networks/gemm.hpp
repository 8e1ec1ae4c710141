/// Matrix products of row-major arrays on the calling thread, through the BLAS inside LibTorch.
#pragma once

#include <cstdint>

// Fortran's names: column-major, everything by address
extern "C" {
void sgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
            const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
            const float* beta, float* c, const int* ldc);
void dgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc);
}

namespace anthill {

namespace blas {

/// Column-major C (m x n) = op(A) op(B) + beta C.
inline void gemm(char transa, char transb, std::int64_t m, std::int64_t n, std::int64_t k,
                 const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
                 float* c, std::int64_t ldc) {
  const int im = static_cast<int>(m), in = static_cast<int>(n), ik = static_cast<int>(k);
  const int ia = static_cast<int>(lda), ib = static_cast<int>(ldb), ic = static_cast<int>(ldc);
  const float one = 1.0f;
  sgemm_(&transa, &transb, &im, &in, &ik, &one, a, &ia, b, &ib, &beta, c, &ic);
}

inline void gemm(char transa, char transb, std::int64_t m, std::int64_t n, std::int64_t k,
                 const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta,
                 double* c, std::int64_t ldc) {
  const int im = static_cast<int>(m), in = static_cast<int>(n), ik = static_cast<int>(k);
  const int ia = static_cast<int>(lda), ib = static_cast<int>(ldb), ic = static_cast<int>(ldc);
  const double one = 1.0;
  dgemm_(&transa, &transb, &im, &in, &ik, &one, a, &ia, b, &ib, &beta, c, &ic);
}

}  // namespace blas

/// Y (rows x out) = X (rows x in) W^T, W (out x in).
template <class T>
void linear_forward(const T* x, const T* weight, std::int64_t rows, std::int64_t in,
                    std::int64_t out, T* y) {
  blas::gemm('T', 'N', out, rows, in, weight, in, x, in, T(0), y, out);
}

/// dW (out x in) = dY^T (out x rows) X (rows x in).
template <class T>
void linear_weight_gradient(const T* d_y, const T* x, std::int64_t rows, std::int64_t in,
                            std::int64_t out, T* d_weight) {
  blas::gemm('N', 'T', in, out, rows, x, in, d_y, out, T(0), d_weight, in);
}

/// The same through scratch (in x out) for few inputs: the library's kernels are twice as fast when
/// their long side is the multiple of a vector.
template <class T>
void narrow_weight_gradient(const T* d_y, const T* x, std::int64_t rows, std::int64_t in,
                            std::int64_t out, T* d_weight, T* scratch) {
  blas::gemm('N', 'T', out, in, rows, d_y, out, x, in, T(0), scratch, out);
  constexpr std::int64_t kBlock = 16;
  for (std::int64_t first = 0; first < out; first += kBlock) {
    const std::int64_t last = first + kBlock < out ? first + kBlock : out;
    for (std::int64_t i = 0; i < in; ++i) {
      for (std::int64_t o = first; o < last; ++o) d_weight[o * in + i] = scratch[i * out + o];
    }
  }
}

/// dX (rows x in) = dY (rows x out) W + beta dX.
template <class T>
void linear_input_gradient(const T* d_y, const T* weight, std::int64_t rows, std::int64_t in,
                           std::int64_t out, T beta, T* d_x) {
  blas::gemm('N', 'N', in, rows, out, weight, in, d_y, out, beta, d_x, in);
}

/// Some columns of the same, transposed: d_x (columns x rows) = (dY W[:, first : first +
/// columns])^T.
template <class T>
void narrow_input_gradient(const T* d_y, const T* weight, std::int64_t rows, std::int64_t in,
                           std::int64_t out, std::int64_t first, std::int64_t columns, T* d_x) {
  blas::gemm('T', 'T', rows, columns, out, d_y, out, weight + first, in, T(0), d_x, rows);
}

}  // namespace anthill
