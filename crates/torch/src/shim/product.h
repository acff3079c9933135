// Matrix products on plain memory, by the BLAS that libtorch's CPU part carries and exports.

#pragma once

#include <cstdint>

extern "C" __attribute__((weak)) void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                                             const int* k, const float* alpha, const float* a, const int* lda,
                                             const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

// Whether there is one: not every libtorch exports it.
inline bool has_products() { return sgemm_ != nullptr; }

// A matrix, its rows `stride` numbers apart in memory, or the transpose of one.
struct Matrix {
  const float* data;
  int64_t stride;
  bool transposed = false;

  Matrix t() const { return {data, stride, !transposed}; }
};

// c ← alpha a b + beta c with a [m, k], b [k, n] and c [m, n], its rows `stride` apart. Outside a parallel
// loop it uses libtorch's threads, inside one the calling thread alone.
inline void product(int64_t m, int64_t n, int64_t k, float alpha, Matrix a, Matrix b, float beta, float* c,
                    int64_t stride) {
  // To BLAS, which counts columns first, every matrix here is its transpose: cᵀ = bᵀ aᵀ.
  const int rows = static_cast<int>(n), columns = static_cast<int>(m), inner = static_cast<int>(k);
  const int lda = static_cast<int>(b.stride), ldb = static_cast<int>(a.stride), ldc = static_cast<int>(stride);
  sgemm_(b.transposed ? "T" : "N", a.transposed ? "T" : "N", &rows, &columns, &inner, &alpha, b.data, &lda, a.data, &ldb,
         &beta, c, &ldc);
}
