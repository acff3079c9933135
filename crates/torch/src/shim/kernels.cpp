// Compiled once for each level of vector instructions, the table of functions under the name KERNELS. Plain
// loops that the compiler vectorises; no header with inline functions, of which the linker would keep one
// copy for every machine.

#include "key.h"
#include "kernels.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace {

constexpr float kMinusInfinity = -__builtin_inff();
constexpr float kDensity = 0.398942280401433f;  // 1 / √(2π)

inline float absolute(float x) { return __builtin_fabsf(x); }

// As many numbers as a register holds. Sums over a row are written with them: of `omp simd` a compiler that may not
// reorder additions adds the lanes up one after the other, which takes longer than a short row. Vectors that are wider
// than a register would be taken apart into single numbers.
#if defined(__AVX512F__)
constexpr int32_t kLanes = 16;
#elif defined(__AVX2__)
constexpr int32_t kLanes = 8;
#else
constexpr int32_t kLanes = 4;
#endif
template <int N>
struct Floats {
  typedef float Type __attribute__((vector_size(4 * N)));
};
typedef Floats<kLanes>::Type Vector;
typedef int32_t Integers __attribute__((vector_size(4 * kLanes)));
typedef uint32_t Bits __attribute__((vector_size(4 * kLanes)));

inline Vector load(const float* x) {
  Vector v;
  __builtin_memcpy(&v, x, sizeof(v));
  return v;
}
inline void store(Vector v, float* x) { __builtin_memcpy(x, &v, sizeof(v)); }

template <typename To, typename From>
inline To as(From from) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To to;
  __builtin_memcpy(&to, &from, sizeof(to));
  return to;
}
template <int N>
struct Halves {
  typename Floats<N / 2>::Type low, high;
};
template <int N>
inline float total(typename Floats<N>::Type v) {
  if constexpr (N == 4) {
    return (v[0] + v[1]) + (v[2] + v[3]);
  } else {
    const auto halves = as<Halves<N>>(v);
    return total<N / 2>(halves.low + halves.high);
  }
}
inline float total(Vector v) { return total<kLanes>(v); }
inline float larger(float x, float y) { return x > y ? x : y; }
template <int N>
inline float largest(typename Floats<N>::Type v) {
  if constexpr (N == 4) {
    return larger(larger(v[0], v[1]), larger(v[2], v[3]));
  } else {
    const auto halves = as<Halves<N>>(v);
    return largest<N / 2>(halves.low > halves.high ? halves.low : halves.high);
  }
}
inline float largest(Vector v) { return largest<kLanes>(v); }

// The columns from i on that are open.
inline Integers inside(int32_t i, int32_t open) {
  Integers columns;
  for (int32_t lane = 0; lane < kLanes; ++lane) columns[lane] = i + lane;
  return columns < open;
}

// Σ term(i), where terms gives a vector of them from i on. Several sums at once, as an addition has to wait for the one
// before it.
template <typename Terms, typename Term>
inline float sum_of(int32_t n, const Terms& terms, const Term& term) {
  constexpr int32_t kSums = 32 / kLanes;
  Vector sums[kSums] = {};
  int32_t i = 0;
  for (; i + 32 <= n; i += 32) {
    for (int32_t index = 0; index < kSums; ++index) sums[index] += terms(i + index * kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) sums[0] += terms(i);
  for (int32_t apart = kSums / 2; apart > 0; apart /= 2) {
    for (int32_t index = 0; index < apart; ++index) sums[index] += sums[index + apart];
  }
  float sum = total(sums[0]);
  for (; i < n; ++i) sum += term(i);
  return sum;
}
// Σ x
inline float sum_of(const float* x, int32_t n) {
  return sum_of(n, [&](int32_t i) { return load(x + i); }, [&](int32_t i) { return x[i]; });
}
// Σ y (x - shift)
inline float sum_of_products(const float* y, const float* x, float shift, int32_t n) {
  return sum_of(
      n, [&](int32_t i) { return load(y + i) * (load(x + i) - shift); }, [&](int32_t i) { return y[i] * (x[i] - shift); });
}
// Σ (x - shift)²
inline float sum_of_squares(const float* x, float shift, int32_t n) {
  return sum_of(
      n,
      [&](int32_t i) {
        const Vector off = load(x + i) - shift;
        return off * off;
      },
      [&](int32_t i) { return (x[i] - shift) * (x[i] - shift); });
}

// eˣ for x ≤ 0; 0 below -87, where it nears the smallest normal number. A number or a vector, and integers of
// their bits. With x = n ln 2 + r, |r| ≤ ln 2 / 2: 2ⁿ from the exponent's bits, eʳ from the polynomial of
// Cephes' expf.
template <typename Integer, typename Number>
inline Number exp_negative(Number x) {
  const float shift = 12582912.0f;  // 1.5 · 2²³: adding it leaves the integer in the lowest bits
  const Number least = Number{} - 87.0f;
  const Number inside = x < least ? least : x;  // so that what is not a number stays so
  const Number shifted = inside * 1.44269504088896341f + shift;
  const Number n = shifted - shift;
  const Number r = (inside - n * 0.693359375f) + n * 2.12194440e-4f;
  Number p = Number{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r + 1.0f;
  const Number power = as<Number>((as<Integer>(shifted) << 23) + 0x3f800000u);
  return x < least ? Number{} : p * power;
}
inline float exp_negative(float x) { return exp_negative<uint32_t>(x); }
inline Vector exp_negative(Vector x) { return exp_negative<Bits>(x); }

// Φ(x) and φ(x)·√(2π) = exp(-x²/2) of the standard normal distribution. With t = 1 / (1 + 0.375 |x| / √2),
// erfc(|x| / √2) = exp(-x²/2) t P(t), where P is fitted to a relative error of 1.2e-8 for |x| up to 13:
// benches/python/fit_erfc.py.
inline void normal(float x, float& phi, float& density) {
  const float t = 1.0f / (1.0f + 0.265165042944955f * absolute(x));
  float p = 0.0616959989742f;
  p = p * t - 0.2880724632283f;
  p = p * t + 0.4338878924011f;
  p = p * t - 0.2310698257144f;
  p = p * t + 0.2748396378041f;
  p = p * t + 0.1210408505599f;
  p = p * t + 0.2054299420681f;
  p = p * t + 0.2106335671110f;
  p = p * t + 0.2116144113142f;
  density = exp_negative(-0.5f * x * x);
  const float tail = 0.5f * density * (p * t);
  phi = x < 0.0f ? tail : 1.0f - tail;
}

// p ← exp(p - max p) in R rows over the open columns, 0 in the others, and 1 / Σ p of each. Several rows at
// once, as a row alone is one long chain of instructions that wait for each other.
template <int R>
inline void exponentials(float* p, int32_t open, int32_t columns, float* share) {
  const Vector least = Vector{} + kMinusInfinity;
  Vector most[R], sum[R];
  for (int r = 0; r < R; ++r) most[r] = least;
  int32_t i = 0;
  for (; i + kLanes <= open; i += kLanes) {
    for (int r = 0; r < R; ++r) {
      const Vector x = load(p + r * columns + i);
      most[r] = x > most[r] ? x : most[r];
    }
  }
  for (; i < columns; i += kLanes) {
    for (int r = 0; r < R; ++r) {
      const Vector x = inside(i, open) ? load(p + r * columns + i) : least;
      store(x, p + r * columns + i);
      most[r] = x > most[r] ? x : most[r];
    }
  }
  for (int r = 0; r < R; ++r) most[r] = Vector{} + largest(most[r]), sum[r] = Vector{};
  for (i = 0; i < columns; i += kLanes) {
    for (int r = 0; r < R; ++r) {
      const Vector power = exp_negative(load(p + r * columns + i) - most[r]);
      store(power, p + r * columns + i);
      sum[r] += power;
    }
  }
  for (int r = 0; r < R; ++r) share[r] = 1.0f / total(sum[r]);
}

void softmax(float* p, float* dropped, int64_t rows, int64_t open, int64_t columns, Dropout dropout, uint64_t row) {
  constexpr int kAtOnce = 4;
  const float scale = dropout.scale();
  const int32_t n = (int32_t)columns;
  for (int64_t first = 0; first < rows; first += kAtOnce) {
    const int64_t end = first + kAtOnce < rows ? first + kAtOnce : rows;
    float shares[kAtOnce];
    if (end - first == kAtOnce) {
      exponentials<kAtOnce>(p, (int32_t)open, n, shares);
    } else {
      for (int64_t index = first; index < end; ++index) {
        exponentials<1>(p + (index - first) * columns, (int32_t)open, n, shares + (index - first));
      }
    }
    for (int64_t index = first; index < end; ++index, p += columns, dropped += columns) {
      const float share = shares[index - first];
      if (dropout.rate == 0.0f) {
        for (int32_t i = 0; i < n; i += kLanes) {
          const Vector probability = load(p + i) * share;
          store(probability, p + i);
          store(probability, dropped + i);
        }
        continue;
      }
      const Key key(dropout, row + index);
      const float scaled_share = share * scale;
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) {
        const bool keeps = key.keeps(i);
        dropped[i] = keeps ? p[i] * scaled_share : 0.0f;
        p[i] = keeps ? p[i] * share : -(p[i] * share);
      }
    }
  }
}

void softmax_backward(const float* p, float* dropped, float* g, int64_t rows, int64_t open, int64_t columns, Dropout dropout) {
  const float scale = dropout.scale();
  const int32_t n = (int32_t)columns;
  for (int64_t index = 0; index < rows; ++index, p += columns, dropped += columns, g += columns) {
    Vector sum = {};
    for (int32_t i = 0; i < n; i += kLanes) {
      const Vector x = load(p + i), left = as<Integers>(x) < 0 ? Vector{} : x * scale;
      // Whatever g holds beyond the open columns.
      const Vector product = i + kLanes <= open ? load(g + i) * left : (inside(i, (int32_t)open) ? load(g + i) * left : Vector{});
      store(left, dropped + i);
      store(product, g + i);
      sum += product;
    }
    const float whole = total(sum);
    for (int32_t i = 0; i < n; i += kLanes) {
      const Vector x = load(p + i), size = as<Integers>(x) < 0 ? -x : x;
      store(load(g + i) - size * whole, g + i);
    }
  }
}

#ifdef __AVX2__

// c ← scale a b for R rows of a and V vectors of columns, where a is walked by two strides, so that it may be
// a transpose.
template <int R, int V>
inline void tile(int64_t k, float scale, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row,
                 float* c, int64_t c_row) {
  Vector sum[R][V] = {};
  for (int64_t i = 0; i < k; ++i, a += a_column, b += b_row) {
    Vector vectors[V];
    for (int v = 0; v < V; ++v) vectors[v] = load(b + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const float x = a[r * a_row];
      for (int v = 0; v < V; ++v) sum[r][v] += x * vectors[v];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) store(sum[r][v] * scale, c + r * c_row + v * kLanes);
  }
}

template <int V>
void columns_of(int64_t m, int64_t k, float scale, const float* a, int64_t a_row, int64_t a_column, const float* b,
                int64_t b_row, float* c, int64_t c_row) {
  constexpr int R = V == 1 ? 8 : V == 2 ? 6 : 4;
  int64_t index = 0;
  for (; index + R <= m; index += R) tile<R, V>(k, scale, a + index * a_row, a_row, a_column, b, b_row, c + index * c_row, c_row);
  if (R > 4 && index + 4 <= m) {
    tile<4, V>(k, scale, a + index * a_row, a_row, a_column, b, b_row, c + index * c_row, c_row), index += 4;
  }
  if (index + 2 <= m) tile<2, V>(k, scale, a + index * a_row, a_row, a_column, b, b_row, c + index * c_row, c_row), index += 2;
  if (index + 1 <= m) tile<1, V>(k, scale, a + index * a_row, a_row, a_column, b, b_row, c + index * c_row, c_row);
}

// c ← scale a b with a [m, k], b [k, n] and c [m, n], n a multiple of sixteen: for products too small for
// what BLAS does first.
void multiply(int64_t m, int64_t n, int64_t k, float scale, const float* a, int64_t a_row, int64_t a_column, const float* b,
              int64_t b_row, float* c, int64_t c_row) {
  int64_t index = 0;
  for (; index + 3 * kLanes <= n; index += 3 * kLanes) {
    columns_of<3>(m, k, scale, a, a_row, a_column, b + index, b_row, c + index, c_row);
  }
  if (index + 2 * kLanes <= n) {
    columns_of<2>(m, k, scale, a, a_row, a_column, b + index, b_row, c + index, c_row);
  } else if (index + kLanes <= n) {
    columns_of<1>(m, k, scale, a, a_row, a_column, b + index, b_row, c + index, c_row);
  }
}

// to [d, columns] ← the transpose of from [rows, d], d a multiple of four, and zeros in the columns beyond.
void transpose(const float* from, int64_t stride, int64_t rows, int64_t d, float* to, int64_t columns) {
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4, from += 4 * stride) {
    for (int64_t i = 0; i < d; i += 4) {
      __m128 a = _mm_loadu_ps(from + i), b = _mm_loadu_ps(from + stride + i), c = _mm_loadu_ps(from + 2 * stride + i),
             e = _mm_loadu_ps(from + 3 * stride + i);
      _MM_TRANSPOSE4_PS(a, b, c, e);
      float* place = to + i * columns + row;
      _mm_storeu_ps(place, a), _mm_storeu_ps(place + columns, b);
      _mm_storeu_ps(place + 2 * columns, c), _mm_storeu_ps(place + 3 * columns, e);
    }
  }
  for (; row < columns; ++row, from += stride) {
    for (int64_t i = 0; i < d; ++i) to[i * columns + row] = row < rows ? from[i] : 0.0f;
  }
}

void attend(const Attention& head, float* p, float* dropped, float* out, int64_t out_row, float* scratch) {
  transpose(head.k, head.row, head.length, head.size, scratch, head.columns);
  multiply(head.queries, head.columns, head.size, head.scale, head.q, head.q_row, 1, scratch, head.columns, p, head.columns);
  softmax(p, dropped, head.queries, head.length, head.columns, head.dropout, head.number);
  multiply(head.queries, head.size, head.length, 1, dropped, head.columns, 1, head.v, head.row, out, out_row);
}

void attend_backward(const Attention& head, const float* p, float* dropped, float* g, const float* g_out, int64_t g_out_row,
                     float* g_q, float* g_k, float* g_v, float* scratch) {
  transpose(head.v, head.row, head.length, head.size, scratch, head.columns);
  multiply(head.queries, head.columns, head.size, 1, g_out, g_out_row, 1, scratch, head.columns, g, head.columns);
  softmax_backward(p, dropped, g, head.queries, head.length, head.columns, head.dropout);
  multiply(head.length, head.size, head.queries, 1, dropped, 1, head.columns, g_out, g_out_row, g_v, head.row);
  multiply(head.queries, head.size, head.length, head.scale, g, head.columns, 1, head.k, head.row, g_q, head.q_row);
  multiply(head.length, head.size, head.queries, head.scale, g, 1, head.columns, head.q, head.q_row, g_k, head.row);
}

#else

// Products of vectors of four are slower than BLAS.
constexpr auto attend = nullptr;
constexpr auto attend_backward = nullptr;

#endif

// out ← LayerNorm(x) of row `index`.
inline void norm_row(const float* x, float* out, const Norm& norm, int64_t index, int32_t n) {
  const float inverse = 1.0f / (float)n, mean = sum_of(x, n) * inverse;
  const float rstd = 1.0f / __builtin_sqrtf(sum_of_squares(x, mean, n) * inverse + norm.eps);
#pragma omp simd
  for (int32_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * rstd * norm.weight[i] + norm.bias[i];
  norm.mean[index] = mean;
  norm.rstd[index] = rstd;
}

void add_norm(float* x, const float* bias, const float* residual, float* out, Norm norm, int64_t rows, int64_t d,
              Dropout dropout, uint64_t row) {
  const float scale = dropout.scale();
  const int32_t n = (int32_t)d;
  for (int64_t index = 0; index < rows; ++index, x += d, residual += d, out += d) {
    if (dropout.rate == 0.0f) {
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) x[i] = residual[i] + (x[i] + bias[i]);
    } else {
      const Key key(dropout, row + index);
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) x[i] = residual[i] + (key.keeps(i) ? (x[i] + bias[i]) * scale : 0.0f);
    }
    norm_row(x, out, norm, index, n);
  }
}

void add_norm_backward(const float* x, const float* g, float* g_residual, float* g_branch, float* g_weight, float* g_bias,
                       float* g_branch_bias, Norm norm, int64_t rows, int64_t d, Dropout dropout, uint64_t row) {
  const float scale = dropout.scale(), inverse = 1.0f / (float)d;
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_weight[i] = g_bias[i] = g_branch_bias[i] = 0.0f;
  for (int64_t index = 0; index < rows; ++index, x += d, g += d, g_residual += d, g_branch += d) {
    const float mean = norm.mean[index], rstd = norm.rstd[index];
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      g_residual[i] = g[i] * norm.weight[i];
      g_weight[i] += g[i] * ((x[i] - mean) * rstd);
      g_bias[i] += g[i];
    }
    const float sum = sum_of(g_residual, n) * inverse, along = sum_of_products(g_residual, x, mean, n) * rstd * inverse;
    if (dropout.rate == 0.0f) {
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) {
        const float gradient = rstd * (g_residual[i] - sum - (x[i] - mean) * rstd * along);
        g_residual[i] = g_branch[i] = gradient;
        g_branch_bias[i] += gradient;
      }
      continue;
    }
    const Key key(dropout, row + index);
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float gradient = rstd * (g_residual[i] - sum - (x[i] - mean) * rstd * along);
      const float branch = key.keeps(i) ? gradient * scale : 0.0f;
      g_residual[i] = gradient;
      g_branch[i] = branch;
      g_branch_bias[i] += branch;
    }
  }
}

void gelu(const float* x, const float* bias, float* out, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int64_t index = 0; index < rows; ++index, x += d, out += d) {
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float value = x[i] + bias[i];
      float phi, density;
      normal(value, phi, density);
      out[i] = value * phi;
    }
  }
}

void gelu_backward(const float* x, const float* bias, float* out, float* g, float* g_bias, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_bias[i] = 0.0f;
  for (int64_t index = 0; index < rows; ++index, x += d, out += d, g += d) {
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float value = x[i] + bias[i];
      float phi, density;
      normal(value, phi, density);
      out[i] = value * phi;
      const float gradient = g[i] * (phi + value * density * kDensity);
      g[i] = gradient;
      g_bias[i] += gradient;
    }
  }
}

void turn(float* x, const float* angles, int64_t heads, int64_t size, bool interleaved, bool back) {
  const int32_t half = (int32_t)(size / 2);
  const int32_t step = interleaved ? 2 : 1, apart = interleaved ? 1 : half;
  const float *cosines = angles, *sines = angles + half;
  const float sign = back ? -1.0f : 1.0f;
  for (int64_t head = 0; head < heads; ++head, x += size) {
#pragma omp simd
    for (int32_t i = 0; i < half; ++i) {
      const float first = x[step * i], second = x[step * i + apart], sine = sign * sines[i];
      x[step * i] = first * cosines[i] - second * sine;
      x[step * i + apart] = second * cosines[i] + first * sine;
    }
  }
}

void embed(Tables tables, float* x, float* out, Norm norm, int64_t rows, int64_t d, Dropout dropout, uint64_t row) {
  const float scale = dropout.scale();
  const int32_t n = (int32_t)d;
  for (int64_t index = 0; index < rows; ++index, x += d, out += d) {
    const float* word = tables.word + tables.ids[index] * d;
    const float* token_type = tables.token_type + tables.types[index] * d;
    const float* position = tables.position + (int64_t)((row + index) % tables.length) * d;
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) x[i] = word[i] + token_type[i] + position[i];
    norm_row(x, out, norm, index, n);
    if (dropout.rate == 0.0f) continue;
    const Key key(dropout, row + index);
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) out[i] = key.keeps(i) ? out[i] * scale : 0.0f;
  }
}

void norm(const float* x, float* out, Norm norm, int64_t rows, int64_t d) {
  for (int64_t index = 0; index < rows; ++index, x += d, out += d) norm_row(x, out, norm, index, (int32_t)d);
}

void norm_backward(const float* x, const float* g, float* g_x, float* g_weight, float* g_bias, Norm norm, int64_t rows,
                    int64_t d, Dropout dropout, uint64_t row) {
  const float scale = dropout.scale(), inverse = 1.0f / (float)d;
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_weight[i] = g_bias[i] = 0.0f;
  for (int64_t index = 0; index < rows; ++index, x += d, g += d, g_x += d) {
    const float mean = norm.mean[index], rstd = norm.rstd[index];
    if (dropout.rate == 0.0f) {
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) {
        g_x[i] = g[i] * norm.weight[i];
        g_weight[i] += g[i] * ((x[i] - mean) * rstd);
        g_bias[i] += g[i];
      }
    } else {
      const Key key(dropout, row + index);
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) {
        const float gradient = key.keeps(i) ? g[i] * scale : 0.0f;
        g_x[i] = gradient * norm.weight[i];
        g_weight[i] += gradient * ((x[i] - mean) * rstd);
        g_bias[i] += gradient;
      }
    }
    const float sum = sum_of(g_x, n) * inverse, along = sum_of_products(g_x, x, mean, n) * rstd * inverse;
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) g_x[i] = rstd * (g_x[i] - sum - (x[i] - mean) * rstd * along);
  }
}

void detect(const float* x, const float* bias, const float* weight, float shift, float* logits, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int64_t index = 0; index < rows; ++index, x += d) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; ++i) {
      const float value = x[i] + bias[i];
      float phi, density;
      normal(value, phi, density);
      sum += value * phi * weight[i];
    }
    logits[index] = sum + shift;
  }
}

void detect_backward(const float* x, const float* bias, const float* weight, const float* g, float* g_x, float* g_bias,
                     float* g_weight, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_bias[i] = g_weight[i] = 0.0f;
  for (int64_t index = 0; index < rows; ++index, x += d, g_x += d) {
    const float along = g[index];
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float value = x[i] + bias[i];
      float phi, density;
      normal(value, phi, density);
      const float gradient = along * weight[i] * (phi + value * density * kDensity);
      g_x[i] = gradient;
      g_bias[i] += gradient;
      g_weight[i] += along * value * phi;
    }
  }
}

float squares(const float* x, int64_t d) {
  return sum_of_squares(x, 0.0f, (int32_t)d);
}

void add(const float* x, float* out, int64_t d) {
  const int32_t n = (int32_t)d;
#pragma omp simd
  for (int32_t i = 0; i < n; ++i) out[i] += x[i];
}

void adamw(float* p, float* g, float* m, float* v, int64_t d, AdamWStep step) {
  const int32_t n = (int32_t)d;
  if (step.grad_scale != 1.0f) {
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) g[i] = g[i] / step.grad_scale;
  }
#pragma omp simd
  for (int32_t i = 0; i < n; ++i) {
    m[i] = step.beta1 * m[i] + step.rest1 * g[i];
    v[i] = step.beta2 * v[i] + step.rest2 * g[i] * g[i];
    p[i] = p[i] * step.decay - step.size * m[i] / (__builtin_sqrtf(v[i]) * step.root + step.eps);
  }
}

float maximum(const float* x, int32_t n) {
  float most = kMinusInfinity;
#pragma omp simd reduction(max : most)
  for (int32_t i = 0; i < n; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

void log_likelihood(float* logits, const float* bias, const int64_t* targets, float* log_sums, float* log_p, int64_t rows,
                    int64_t vocab_size) {
  const int32_t n = (int32_t)vocab_size;
  for (int64_t index = 0; index < rows; ++index, logits += vocab_size) {
    float most = kMinusInfinity, sum = 0.0f;
#pragma omp simd reduction(max : most)
    for (int32_t i = 0; i < n; ++i) {
      logits[i] += bias[i];
      most = logits[i] > most ? logits[i] : most;
    }
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; ++i) sum += exp_negative(logits[i] - most);
    log_sums[index] = most + __builtin_logf(sum);
    log_p[index] = logits[targets[index]] - log_sums[index];
  }
}

void log_likelihood_backward(const float* logits, const int64_t* targets, const float* log_sums, const float* g,
                             float* g_logits, float* g_bias, int64_t rows, int64_t vocab_size) {
  const int32_t n = (int32_t)vocab_size;
  for (int32_t i = 0; i < n; ++i) g_bias[i] = 0.0f;
  for (int64_t index = 0; index < rows; ++index, logits += vocab_size, g_logits += vocab_size) {
    const float outer = g[index], log_sum = log_sums[index];
    if (outer == 0.0f) {
      for (int32_t i = 0; i < n; ++i) g_logits[i] = 0.0f;
      continue;
    }
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float gradient = -outer * exp_negative(logits[i] - log_sum);
      g_logits[i] = gradient;
      g_bias[i] += gradient;
    }
    g_logits[targets[index]] += outer;
    g_bias[targets[index]] += outer;
  }
}

int64_t sample(const float* logits, float uniform, float* scratch, int64_t vocab_size) {
  constexpr int32_t kBlock = 256;
  const int32_t n = (int32_t)vocab_size;
  const float most = maximum(logits, n);
  double whole = 0.0;
  for (int32_t block = 0; block < n; block += kBlock) {
    const int32_t end = block + kBlock < n ? block + kBlock : n;
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = block; i < end; ++i) {
      scratch[i] = exp_negative(logits[i] - most);
      sum += scratch[i];
    }
    whole += sum;
  }
  const double threshold = uniform * whole;
  double before = 0.0;
  for (int32_t block = 0; block < n; block += kBlock) {
    const int32_t end = block + kBlock < n ? block + kBlock : n;
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = block; i < end; ++i) sum += scratch[i];
    if (before + sum > threshold) {
      for (int32_t i = block; i < end; ++i) {
        before += scratch[i];
        if (before > threshold) return i;
      }
      // The one sum was rounded up to `threshold`, the other was not.
      return end - 1;
    }
    before += sum;
  }
  return n - 1;
}

void sum(const float* x, float* out, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) out[i] = 0.0f;
  for (int64_t index = 0; index < rows; ++index, x += d) {
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) out[i] += x[i];
  }
}

}  // namespace

extern const Kernels KERNELS;
const Kernels KERNELS = {softmax, softmax_backward, attend, attend_backward, turn, add_norm, add_norm_backward, gelu, gelu_backward,
                         log_likelihood, log_likelihood_backward, sample,
                         embed, norm, norm_backward, detect, detect_backward, adamw, squares, add, sum};
