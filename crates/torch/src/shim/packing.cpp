// No header with inline functions here, of which the linker would keep one copy for every machine.

#include "packing.h"

#include <immintrin.h>

namespace {

// The first `count` of sixteen.
inline __mmask16 first(int64_t count) { return count >= 16 ? (__mmask16)0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1); }

inline __m512 load(const float* x, __mmask16 present, __m512 scale) { return _mm512_mul_ps(_mm512_maskz_loadu_ps(present, x), scale); }

inline __m512i bits(__m512 x) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)); }

// Sixteen pairs: a number of `low` and the one of `high` beside it.
inline __m512i pairs(__m512 low, __m512 high) { return _mm512_or_si512(bits(low), _mm512_slli_epi32(bits(high), 16)); }

// Sixteen pairs of a row of 32 numbers, of which `count` are there.
inline __m512i row_of_pairs(const float* x, int64_t count, __m512 scale) {
  const __m512 low = load(x, first(count), scale), high = load(x + 16, first(count - 16), scale);
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

// A square of 16 × 16 pairs becomes its transpose.
inline void transpose(__m512i (&x)[16]) {
  __m512i y[16];
  for (int i = 0; i < 16; i += 2) {
    y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
  }
  // Each holds, in its four quarters, a column of four rows.
  for (int i = 0; i < 16; i += 4) {
    x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    y[i] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0x88);
    y[i + 4] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0xdd);
    y[i + 8] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0x88);
    y[i + 12] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    x[i] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0x88);
    x[i + 4] = _mm512_shuffle_i32x4(y[i + 4], y[i + 12], 0x88);
    x[i + 8] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0xdd);
    x[i + 12] = _mm512_shuffle_i32x4(y[i + 4], y[i + 12], 0xdd);
  }
}

}  // namespace

void pack_left(const float* a, int64_t stride, int64_t rows, int64_t k, float scale, uint16_t* out, int64_t inner) {
  const __m512 factor = _mm512_set1_ps(scale);
  for (int64_t row = 0; row < rows; ++row, a += stride, out += inner) {
    for (int64_t i = 0; i < inner; i += 16) {
      _mm256_storeu_si256((__m256i*)(out + i), (__m256i)_mm512_cvtneps_pbh(load(a + i, first(k - i), factor)));
    }
  }
}

void pack_left_transposed(const float* a, int64_t stride, int64_t rows, int64_t k, float scale, uint16_t* out, int64_t inner) {
  const __m512 factor = _mm512_set1_ps(scale);
  for (int64_t i = 0; i < inner; i += 32) {
    const __mmask16 stored = first((inner - i) / 2);
    for (int64_t row = 0; row < rows; row += 16) {
      const __mmask16 present = first(rows - row);
      __m512i square[16];
      for (int64_t pair = 0; pair < 16; ++pair) {
        const int64_t index = i + 2 * pair;
        const float* from = a + index * stride + row;
        square[pair] = pairs(load(from, index < k ? present : 0, factor), load(from + stride, index + 1 < k ? present : 0, factor));
      }
      transpose(square);
      for (int64_t index = 0; index < 16 && row + index < rows; ++index) {
        _mm512_mask_storeu_epi32(out + (row + index) * inner + i, stored, square[index]);
      }
    }
  }
}

void pack_right(const float* b, int64_t stride, int64_t k, int64_t columns, uint16_t* out, int64_t inner, int64_t width) {
  const __m512 factor = _mm512_set1_ps(1.0f);
  for (int64_t i = 0; i < inner; i += 2, b += 2 * stride, out += 2 * width) {
    for (int64_t column = 0; column < width; column += 16) {
      const __mmask16 present = first(columns - column);
      _mm512_storeu_si512(out + 2 * column, pairs(load(b + column, i < k ? present : 0, factor),
                                                  load(b + stride + column, i + 1 < k ? present : 0, factor)));
    }
  }
}

void pack_right_transposed(const float* b, int64_t stride, int64_t k, int64_t columns, uint16_t* out, int64_t inner, int64_t width) {
  const __m512 factor = _mm512_set1_ps(1.0f);
  for (int64_t column = 0; column < width; column += 16) {
    for (int64_t i = 0; i < inner; i += 32) {
      __m512i square[16];
      for (int64_t index = 0; index < 16; ++index) {
        const int64_t count = column + index < columns ? k - i : 0;
        square[index] = row_of_pairs(b + (column + index) * stride + i, count, factor);
      }
      transpose(square);
      for (int64_t pair = 0; pair < 16 && i + 2 * pair < inner; ++pair) {
        _mm512_storeu_si512(out + ((i / 2 + pair) * width + column) * 2, square[pair]);
      }
    }
  }
}
