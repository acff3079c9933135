// Matrix products on plain memory, by what libtorch's CPU part carries and exports: its BLAS in float32, and oneDNN's
// micro-kernel in bfloat16.

#pragma once

#include "kernels.h"

#include <cstdint>
#include <initializer_list>

extern "C" __attribute__((weak)) void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                                             const int* k, const float* alpha, const float* a, const int* lda,
                                             const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

// Whether there are products: not every libtorch exports a BLAS.
inline bool has_products() { return sgemm_ != nullptr; }

// A matrix, its rows `stride` numbers apart in memory, or the transpose of one.
struct Matrix {
  const float* data;
  int64_t stride;
  bool transposed = false;

  Matrix t() const { return {data, stride, !transposed}; }
  // What begins at a row and a column.
  Matrix from(int64_t row, int64_t column) const {
    return {data + (transposed ? column * stride + row : row * stride + column), stride, transposed};
  }
};

// The right side of a product and its result: c ← a b, or c + a b where it `adds`. b is [k, n], c [m, n] with rows `stride`
// apart. `spare` says that columns of c beyond n, up to a multiple of sixteen, may be overwritten.
struct Right {
  int64_t n;
  Matrix b;
  bool adds;
  float* c;
  int64_t stride;
  bool spare = false;
};

// How the micro-kernel for bfloat16 computes on this machine; it is none where the instructions or oneDNN's kernels are
// missing. Mirrors the crate's Bf16Unit.
enum Bf16Unit : int32_t { NO_UNIT, AVX512_BF16, AMX };
Bf16Unit bf16_unit();
// Whether it was measured to be faster than float32 on such a machine.
bool is_bf16_fast();

// What computes products: in float32, or as autocast to bfloat16 has it, with operands that are rounded to bfloat16 and
// products that are summed in float32. Outside a parallel loop they use libtorch's threads, inside one the calling thread
// alone. How many threads there are changes nothing of a product in bfloat16.
class Products {
 public:
  // As this thread's autocast says.
  explicit Products(Level level);
  // As they were saved.
  Products(Level level, bool bf16) : level_(level), bf16_(bf16) {}

  bool are_bf16() const { return bf16_; }
  // Whether a small product begins as quickly as it ends.
  bool are_of_unit() const { return bf16_ && level_ == AVX512 && bf16_unit() != NO_UNIT; }

  // For each right side alpha a b, where a is [m, k].
  void operator()(int64_t m, int64_t k, float alpha, Matrix a, std::initializer_list<Right> rights) const;
  // c ← alpha a b, or c + alpha a b.
  void operator()(int64_t m, int64_t n, int64_t k, float alpha, Matrix a, Matrix b, bool adds, float* c, int64_t stride) const {
    (*this)(m, k, alpha, a, {{n, b, adds, c, stride}});
  }

 private:
  Level level_;
  bool bf16_;
};
