// Operands of a product in bfloat16, rounded to the nearest, halves to even, and put in the order in which the
// machine's instructions for it read them. Compiled for AVX-512 with bfloat16, whatever the rest is compiled for.

#pragma once

#include <cstdint>

// Numbers along the inner dimension and columns of a panel are made up to a multiple of this, by zeros.
constexpr int64_t kPadding = 16;

// out [rows, inner] ← scale a, where a is [rows, k], its rows `stride` apart, and inner is k made up.
void pack_left(const float* a, int64_t stride, int64_t rows, int64_t k, float scale, uint16_t* out, int64_t inner);
// The same of a transpose: a is [k, rows].
void pack_left_transposed(const float* a, int64_t stride, int64_t rows, int64_t k, float scale, uint16_t* out, int64_t inner);
// out [inner / 2, width, 2] ← b, where b is [k, columns], its rows `stride` apart: two rows of b lie in turns.
void pack_right(const float* b, int64_t stride, int64_t k, int64_t columns, uint16_t* out, int64_t inner, int64_t width);
// The same of a transpose: b is [columns, k].
void pack_right_transposed(const float* b, int64_t stride, int64_t k, int64_t columns, uint16_t* out, int64_t inner, int64_t width);
