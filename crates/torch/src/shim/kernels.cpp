// Compiled once for each level of vector instructions, the table of functions under the name KERNELS. Plain loops that the
// compiler vectorises; no header with inline functions, of which the linker would keep one copy for every machine.

#include "kernels.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace {

constexpr float kMinusInfinity = -__builtin_inff();
constexpr float kDensity = 0.398942280401433f;  // 1 / √(2π)

inline float absolute(float x) { return __builtin_fabsf(x); }

// Sixteen numbers, in as many registers as they need. Only sums over a row are written with them: of `omp simd` a compiler
// that may not reorder additions adds the lanes up one after the other, which takes longer than a short row.
typedef float Vector __attribute__((vector_size(64)));
typedef int32_t Integers __attribute__((vector_size(64)));
typedef uint32_t Bits __attribute__((vector_size(64)));
constexpr int32_t kLanes = 16;

inline Vector load(const float* x) {
  Vector v;
  __builtin_memcpy(&v, x, sizeof(v));
  return v;
}
inline void store(Vector v, float* x) { __builtin_memcpy(x, &v, sizeof(v)); }

typedef float Half __attribute__((vector_size(32)));
typedef float Quarter __attribute__((vector_size(16)));
struct Halves {
  Half low, high;
};
struct Quarters {
  Quarter low, high;
};
template <typename To, typename From>
inline To as(From from) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To to;
  __builtin_memcpy(&to, &from, sizeof(to));
  return to;
}
inline float total(Vector v) {
  const auto halves = as<Halves>(v);
  const auto quarters = as<Quarters>(halves.low + halves.high);
  const Quarter of = quarters.low + quarters.high;
  return (of[0] + of[1]) + (of[2] + of[3]);
}
inline float larger(float x, float y) { return x > y ? x : y; }
inline float largest(Vector v) {
  const auto halves = as<Halves>(v);
  const auto quarters = as<Quarters>(halves.low > halves.high ? halves.low : halves.high);
  const Quarter of = quarters.low > quarters.high ? quarters.low : quarters.high;
  return larger(larger(of[0], of[1]), larger(of[2], of[3]));
}

// Σ term(i), where term gives the sixteen numbers from i on, or one. Two sums at once, as an addition has to wait for the
// one before it.
template <typename Terms, typename Term>
inline float sum_of(int32_t n, const Terms& terms, const Term& term) {
  Vector even = {}, odd = {};
  int32_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) even += terms(i), odd += terms(i + kLanes);
  if (i + kLanes <= n) even += terms(i), i += kLanes;
  float sum = total(even + odd);
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

// eˣ for x ≤ 0; 0 below -87, where it nears the smallest normal number. A number or sixteen, and integers of their bits.
// With x = n ln 2 + r, |r| ≤ ln 2 / 2: 2ⁿ from the exponent's bits, eʳ from the polynomial of Cephes' expf.
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

// Φ(x) and φ(x)·√(2π) = exp(-x²/2) of the standard normal distribution. With t = 1 / (1 + 0.375 |x| / √2), erfc(|x| / √2) =
// exp(-x²/2) t P(t), where P is fitted to a relative error of 1.2e-8 for |x| up to 13: benches/python/fit_erfc.py.
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

// The two halves of what a row's random bits are made from: SplitMix64 (Steele, Lea, Flood, 2014) of seed and row.
struct Key {
  uint32_t first, second, threshold;

  Key(Dropout dropout, uint64_t row) : threshold((uint32_t)(dropout.rate * 4294967296.0f)) {
    uint64_t z = dropout.seed + (dropout.first_row + row + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    first = (uint32_t)z;
    second = (uint32_t)(z >> 32);
  }

  // Whether a column stays: a Weyl sequence through a multiply-and-shift hash, the key going in at both ends of it.
  bool keeps(uint32_t column) const {
    uint32_t x = column * 0x9e3779b1u + first;
    x = (x ^ (x >> 16)) * 0x21f0aaadu + second;
    x = (x ^ (x >> 15)) * 0x735a2d97u;
    return (x ^ (x >> 15)) >= threshold;
  }
};

// p ← exp(p - max p) in R rows over the open columns, 0 in the others, and 1 / Σ p of each. Several rows at once, as a row
// alone is one long chain of instructions that wait for each other.
template <int R>
inline void exponentials(float* p, int32_t open, int32_t columns, float* share) {
  const int32_t last = columns - kLanes;  // the columns that are not open are all in the last vector
  Integers inside;
  for (int32_t i = 0; i < kLanes; ++i) inside[i] = last + i < open ? -1 : 0;
  const Vector least = Vector{} + kMinusInfinity;
  Vector most[R], sum[R];
  for (int r = 0; r < R; ++r) {
    Vector& end = most[r];
    end = inside ? load(p + r * columns + last) : least;
    store(end, p + r * columns + last);
  }
  for (int32_t i = 0; i < last; i += kLanes) {
    for (int r = 0; r < R; ++r) {
      const Vector x = load(p + r * columns + i);
      most[r] = x > most[r] ? x : most[r];
    }
  }
  for (int r = 0; r < R; ++r) most[r] = Vector{} + largest(most[r]), sum[r] = Vector{};
  for (int32_t i = 0; i < columns; i += kLanes) {
    for (int r = 0; r < R; ++r) {
      const Vector power = exp_negative(load(p + r * columns + i) - most[r]);
      store(power, p + r * columns + i);
      sum[r] += power;
    }
  }
  for (int r = 0; r < R; ++r) share[r] = 1.0f / total(sum[r]);
}

void softmax(float* p, float* kept, int64_t rows, int64_t open, int64_t columns, Dropout dropout, uint64_t row) {
  constexpr int kAtOnce = 4;
  const float scale = dropout.scale();
  const int32_t n = (int32_t)columns;
  for (int64_t first = 0; first < rows; first += kAtOnce) {
    const int64_t end = first + kAtOnce < rows ? first + kAtOnce : rows;
    float shares[kAtOnce];
    if (end - first == kAtOnce) {
      exponentials<kAtOnce>(p, (int32_t)open, n, shares);
    } else {
      for (int64_t at = first; at < end; ++at) {
        exponentials<1>(p + (at - first) * columns, (int32_t)open, n, shares + (at - first));
      }
    }
    for (int64_t at = first; at < end; ++at, p += columns, kept += columns) {
      const float share = shares[at - first];
      if (dropout.rate == 0.0f) {
        for (int32_t i = 0; i < n; i += kLanes) {
          const Vector of = load(p + i) * share;
          store(of, p + i);
          store(of, kept + i);
        }
        continue;
      }
      const Key key(dropout, row + at);
      const float kept_share = share * scale;
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) {
        const bool keeps = key.keeps(i);
        kept[i] = keeps ? p[i] * kept_share : 0.0f;
        p[i] = keeps ? p[i] * share : -(p[i] * share);
      }
    }
  }
}

void softmax_backward(const float* p, float* kept, float* g, int64_t rows, int64_t open, int64_t columns, Dropout dropout) {
  const float scale = dropout.scale();
  const int32_t n = (int32_t)columns, last = n - kLanes;
  Integers inside;
  for (int32_t i = 0; i < kLanes; ++i) inside[i] = last + i < open ? -1 : 0;
  for (int64_t at = 0; at < rows; ++at, p += columns, kept += columns, g += columns) {
    Vector sum = {};
    for (int32_t i = 0; i < n; i += kLanes) {
      const Vector x = load(p + i), of = as<Integers>(x) < 0 ? Vector{} : x * scale;
      // Whatever g holds beyond the open columns.
      const Vector product = i < last ? load(g + i) * of : (inside ? load(g + i) * of : Vector{});
      store(of, kept + i);
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

#ifdef __AVX512F__

// c ← scale a b for R rows of a and V vectors of columns, where a is walked by two strides, so that it may be a transpose.
template <int R, int V>
inline void tile(int64_t k, float scale, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row,
                 float* c, int64_t c_row) {
  Vector sum[R][V] = {};
  for (int64_t i = 0; i < k; ++i, a += a_column, b += b_row) {
    Vector of[V];
    for (int v = 0; v < V; ++v) of[v] = load(b + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const float x = a[r * a_row];
      for (int v = 0; v < V; ++v) sum[r][v] += x * of[v];
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
  int64_t at = 0;
  for (; at + R <= m; at += R) tile<R, V>(k, scale, a + at * a_row, a_row, a_column, b, b_row, c + at * c_row, c_row);
  if (R > 4 && at + 4 <= m) tile<4, V>(k, scale, a + at * a_row, a_row, a_column, b, b_row, c + at * c_row, c_row), at += 4;
  if (at + 2 <= m) tile<2, V>(k, scale, a + at * a_row, a_row, a_column, b, b_row, c + at * c_row, c_row), at += 2;
  if (at + 1 <= m) tile<1, V>(k, scale, a + at * a_row, a_row, a_column, b, b_row, c + at * c_row, c_row);
}

// c ← scale a b with a [m, k], b [k, n] and c [m, n], n a multiple of sixteen: for products too small for what BLAS does first.
void multiply(int64_t m, int64_t n, int64_t k, float scale, const float* a, int64_t a_row, int64_t a_column, const float* b,
              int64_t b_row, float* c, int64_t c_row) {
  int64_t at = 0;
  for (; at + 3 * kLanes <= n; at += 3 * kLanes) columns_of<3>(m, k, scale, a, a_row, a_column, b + at, b_row, c + at, c_row);
  if (at + 2 * kLanes <= n) {
    columns_of<2>(m, k, scale, a, a_row, a_column, b + at, b_row, c + at, c_row);
  } else if (at + kLanes <= n) {
    columns_of<1>(m, k, scale, a, a_row, a_column, b + at, b_row, c + at, c_row);
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
      float* at = to + i * columns + row;
      _mm_storeu_ps(at, a), _mm_storeu_ps(at + columns, b), _mm_storeu_ps(at + 2 * columns, c), _mm_storeu_ps(at + 3 * columns, e);
    }
  }
  for (; row < columns; ++row, from += stride) {
    for (int64_t i = 0; i < d; ++i) to[i * columns + row] = row < rows ? from[i] : 0.0f;
  }
}

void attend(const Attention& of, float* p, float* kept, float* out, int64_t out_row, float* scratch) {
  transpose(of.k, of.row, of.length, of.size, scratch, of.columns);
  multiply(of.queries, of.columns, of.size, of.scale, of.q, of.q_row, 1, scratch, of.columns, p, of.columns);
  softmax(p, kept, of.queries, of.length, of.columns, of.dropout, of.number);
  multiply(of.queries, of.size, of.length, 1, kept, of.columns, 1, of.v, of.row, out, out_row);
}

void attend_backward(const Attention& of, const float* p, float* kept, float* g, const float* g_out, int64_t g_out_row,
                     float* g_q, float* g_k, float* g_v, float* scratch) {
  transpose(of.v, of.row, of.length, of.size, scratch, of.columns);
  multiply(of.queries, of.columns, of.size, 1, g_out, g_out_row, 1, scratch, of.columns, g, of.columns);
  softmax_backward(p, kept, g, of.queries, of.length, of.columns, of.dropout);
  multiply(of.length, of.size, of.queries, 1, kept, 1, of.columns, g_out, g_out_row, g_v, of.row);
  multiply(of.queries, of.size, of.length, of.scale, g, of.columns, 1, of.k, of.row, g_q, of.q_row);
  multiply(of.length, of.size, of.queries, of.scale, g, 1, of.columns, of.q, of.q_row, g_k, of.row);
}

#else

// Sixteen numbers do not fit into a register: BLAS it is.
constexpr auto attend = nullptr;
constexpr auto attend_backward = nullptr;

#endif

// out ← LayerNorm(x) of row `at`.
inline void norm_row(const float* x, float* out, const Norm& norm, int64_t at, int32_t n) {
  const float one = 1.0f / (float)n, mean = sum_of(x, n) * one;
  const float rstd = 1.0f / __builtin_sqrtf(sum_of_squares(x, mean, n) * one + norm.eps);
#pragma omp simd
  for (int32_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * rstd * norm.weight[i] + norm.bias[i];
  norm.mean[at] = mean;
  norm.rstd[at] = rstd;
}

void add_norm(float* x, const float* bias, const float* residual, float* out, Norm norm, int64_t rows, int64_t d,
              Dropout dropout, uint64_t row) {
  const float scale = dropout.scale();
  const int32_t n = (int32_t)d;
  for (int64_t at = 0; at < rows; ++at, x += d, residual += d, out += d) {
    if (dropout.rate == 0.0f) {
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) x[i] = residual[i] + (x[i] + bias[i]);
    } else {
      const Key key(dropout, row + at);
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) x[i] = residual[i] + (key.keeps(i) ? (x[i] + bias[i]) * scale : 0.0f);
    }
    norm_row(x, out, norm, at, n);
  }
}

void add_norm_backward(const float* x, const float* g, float* g_residual, float* g_branch, float* g_weight, float* g_bias,
                       float* g_branch_bias, Norm norm, int64_t rows, int64_t d, Dropout dropout, uint64_t row) {
  const float scale = dropout.scale(), one = 1.0f / (float)d;
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_weight[i] = g_bias[i] = g_branch_bias[i] = 0.0f;
  for (int64_t at = 0; at < rows; ++at, x += d, g += d, g_residual += d, g_branch += d) {
    const float mean = norm.mean[at], rstd = norm.rstd[at];
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      g_residual[i] = g[i] * norm.weight[i];
      g_weight[i] += g[i] * ((x[i] - mean) * rstd);
      g_bias[i] += g[i];
    }
    const float sum = sum_of(g_residual, n) * one, along = sum_of_products(g_residual, x, mean, n) * rstd * one;
    if (dropout.rate == 0.0f) {
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) {
        const float of = rstd * (g_residual[i] - sum - (x[i] - mean) * rstd * along);
        g_residual[i] = g_branch[i] = of;
        g_branch_bias[i] += of;
      }
      continue;
    }
    const Key key(dropout, row + at);
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float of = rstd * (g_residual[i] - sum - (x[i] - mean) * rstd * along);
      const float branch = key.keeps(i) ? of * scale : 0.0f;
      g_residual[i] = of;
      g_branch[i] = branch;
      g_branch_bias[i] += branch;
    }
  }
}

void gelu(const float* x, const float* bias, float* out, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int64_t at = 0; at < rows; ++at, x += d, out += d) {
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float of = x[i] + bias[i];
      float phi, density;
      normal(of, phi, density);
      out[i] = of * phi;
    }
  }
}

void gelu_backward(const float* x, const float* bias, float* out, float* g, float* g_bias, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_bias[i] = 0.0f;
  for (int64_t at = 0; at < rows; ++at, x += d, out += d, g += d) {
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float of = x[i] + bias[i];
      float phi, density;
      normal(of, phi, density);
      out[i] = of * phi;
      const float gradient = g[i] * (phi + of * density * kDensity);
      g[i] = gradient;
      g_bias[i] += gradient;
    }
  }
}

void embed(Tables tables, float* x, float* out, Norm norm, int64_t rows, int64_t d, Dropout dropout, uint64_t row) {
  const float scale = dropout.scale();
  const int32_t n = (int32_t)d;
  for (int64_t at = 0; at < rows; ++at, x += d, out += d) {
    const float* word = tables.word + tables.ids[at] * d;
    const float* token_type = tables.token_type + tables.types[at] * d;
    const float* position = tables.position + (int64_t)((row + at) % tables.length) * d;
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) x[i] = word[i] + token_type[i] + position[i];
    norm_row(x, out, norm, at, n);
    if (dropout.rate == 0.0f) continue;
    const Key key(dropout, row + at);
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) out[i] = key.keeps(i) ? out[i] * scale : 0.0f;
  }
}

void norm(const float* x, float* out, Norm norm, int64_t rows, int64_t d) {
  for (int64_t at = 0; at < rows; ++at, x += d, out += d) norm_row(x, out, norm, at, (int32_t)d);
}

void norm_backward(const float* x, const float* g, float* g_x, float* g_weight, float* g_bias, Norm norm, int64_t rows,
                    int64_t d, Dropout dropout, uint64_t row) {
  const float scale = dropout.scale(), one = 1.0f / (float)d;
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_weight[i] = g_bias[i] = 0.0f;
  for (int64_t at = 0; at < rows; ++at, x += d, g += d, g_x += d) {
    const float mean = norm.mean[at], rstd = norm.rstd[at];
    if (dropout.rate == 0.0f) {
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) {
        g_x[i] = g[i] * norm.weight[i];
        g_weight[i] += g[i] * ((x[i] - mean) * rstd);
        g_bias[i] += g[i];
      }
    } else {
      const Key key(dropout, row + at);
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) {
        const float of = key.keeps(i) ? g[i] * scale : 0.0f;
        g_x[i] = of * norm.weight[i];
        g_weight[i] += of * ((x[i] - mean) * rstd);
        g_bias[i] += of;
      }
    }
    const float sum = sum_of(g_x, n) * one, along = sum_of_products(g_x, x, mean, n) * rstd * one;
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) g_x[i] = rstd * (g_x[i] - sum - (x[i] - mean) * rstd * along);
  }
}

void detect(const float* x, const float* bias, const float* weight, float shift, float* logits, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int64_t at = 0; at < rows; ++at, x += d) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; ++i) {
      const float of = x[i] + bias[i];
      float phi, density;
      normal(of, phi, density);
      sum += of * phi * weight[i];
    }
    logits[at] = sum + shift;
  }
}

void detect_backward(const float* x, const float* bias, const float* weight, const float* g, float* g_x, float* g_bias,
                     float* g_weight, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_bias[i] = g_weight[i] = 0.0f;
  for (int64_t at = 0; at < rows; ++at, x += d, g_x += d) {
    const float along = g[at];
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float of = x[i] + bias[i];
      float phi, density;
      normal(of, phi, density);
      const float gradient = along * weight[i] * (phi + of * density * kDensity);
      g_x[i] = gradient;
      g_bias[i] += gradient;
      g_weight[i] += along * of * phi;
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
  for (int64_t at = 0; at < rows; ++at, logits += vocab_size) {
    float most = kMinusInfinity, sum = 0.0f;
#pragma omp simd reduction(max : most)
    for (int32_t i = 0; i < n; ++i) {
      logits[i] += bias[i];
      most = logits[i] > most ? logits[i] : most;
    }
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; ++i) sum += exp_negative(logits[i] - most);
    log_sums[at] = most + __builtin_logf(sum);
    log_p[at] = logits[targets[at]] - log_sums[at];
  }
}

void log_likelihood_backward(const float* logits, const int64_t* targets, const float* log_sums, const float* g,
                             float* g_logits, float* g_bias, int64_t rows, int64_t vocab_size) {
  const int32_t n = (int32_t)vocab_size;
  for (int32_t i = 0; i < n; ++i) g_bias[i] = 0.0f;
  for (int64_t at = 0; at < rows; ++at, logits += vocab_size, g_logits += vocab_size) {
    const float of = g[at], log_sum = log_sums[at];
    if (of == 0.0f) {
      for (int32_t i = 0; i < n; ++i) g_logits[i] = 0.0f;
      continue;
    }
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float gradient = -of * exp_negative(logits[i] - log_sum);
      g_logits[i] = gradient;
      g_bias[i] += gradient;
    }
    g_logits[targets[at]] += of;
    g_bias[targets[at]] += of;
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
  const double wanted = uniform * whole;
  double before = 0.0;
  for (int32_t block = 0; block < n; block += kBlock) {
    const int32_t end = block + kBlock < n ? block + kBlock : n;
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = block; i < end; ++i) sum += scratch[i];
    if (before + sum > wanted) {
      for (int32_t i = block; i < end; ++i) {
        before += scratch[i];
        if (before > wanted) return i;
      }
      // The one sum was rounded up to `wanted`, the other was not.
      return end - 1;
    }
    before += sum;
  }
  return n - 1;
}

void sum(const float* x, float* out, int64_t rows, int64_t d) {
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) out[i] = 0.0f;
  for (int64_t at = 0; at < rows; ++at, x += d) {
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) out[i] += x[i];
  }
}

}  // namespace

extern const Kernels KERNELS;
const Kernels KERNELS = {softmax, softmax_backward, attend, attend_backward, add_norm, add_norm_backward, gelu, gelu_backward,
                         log_likelihood, log_likelihood_backward, sample,
                         embed, norm, norm_backward, detect, detect_backward, adamw, squares, add, sum};
