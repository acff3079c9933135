// Compiled once for each level of vector instructions, the table of functions under the name KERNELS. Plain loops that the
// compiler vectorises; no header with inline functions, of which the linker would keep one copy for every machine.

#include "kernels.h"

namespace {

constexpr float kMinusInfinity = -__builtin_inff();
constexpr float kDensity = 0.398942280401433f;  // 1 / √(2π)

inline float absolute(float x) { return __builtin_fabsf(x); }
inline int32_t bits(float x) {
  int32_t y;
  __builtin_memcpy(&y, &x, 4);
  return y;
}
inline float from_bits(int32_t x) {
  float y;
  __builtin_memcpy(&y, &x, 4);
  return y;
}

// eˣ for x ≤ 0; 0 below -87, where it nears the smallest normal number.
// With x = n ln 2 + r, |r| ≤ ln 2 / 2: 2ⁿ from the exponent's bits, eʳ from the polynomial of Cephes' expf.
inline float exp_negative(float x) {
  const float shift = 12582912.0f;  // 1.5 · 2²³: adding it leaves the integer in the lowest bits
  const float inside = x < -87.0f ? -87.0f : x;  // so that what is not a number stays so
  const float shifted = inside * 1.44269504088896341f + shift;
  const float n = shifted - shift;
  const float r = (inside - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r + 1.0f;
  const float power = from_bits((int32_t)((uint32_t)bits(shifted) << 23) + 0x3f800000);
  return x < -87.0f ? 0.0f : p * power;
}

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
    uint64_t z = dropout.seed + (row + 1) * 0x9e3779b97f4a7c15u;
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

void softmax(float* p, float* kept, const int32_t* open, int64_t rows, int64_t columns, Dropout dropout, uint64_t row) {
  const float scale = dropout.scale();
  const int32_t n = (int32_t)columns;
  for (int64_t at = 0; at < rows; ++at, p += columns, kept += columns) {
    float most = kMinusInfinity, sum = 0.0f;
#pragma omp simd reduction(max : most)
    for (int32_t i = 0; i < n; ++i) {
      p[i] = open[i] ? p[i] : kMinusInfinity;
      most = p[i] > most ? p[i] : most;
    }
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; ++i) {
      p[i] = exp_negative(p[i] - most);
      sum += p[i];
    }
    const float share = 1.0f / sum;
    if (dropout.rate == 0.0f) {
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) kept[i] = p[i] = p[i] * share;
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

void softmax_backward(const float* p, float* kept, float* g, int64_t rows, int64_t columns, Dropout dropout) {
  const float scale = dropout.scale();
  const int32_t n = (int32_t)columns;
  for (int64_t at = 0; at < rows; ++at, p += columns, kept += columns, g += columns) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; ++i) {
      kept[i] = bits(p[i]) < 0 ? 0.0f : p[i] * scale;
      g[i] *= kept[i];
      sum += g[i];
    }
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) g[i] -= absolute(p[i]) * sum;
  }
}

void add_norm(float* x, const float* bias, const float* residual, float* out, Norm norm, int64_t rows, int64_t d,
              Dropout dropout, uint64_t row) {
  const float scale = dropout.scale(), one = 1.0f / (float)d;
  const int32_t n = (int32_t)d;
  for (int64_t at = 0; at < rows; ++at, x += d, residual += d, out += d) {
    float sum = 0.0f, squares = 0.0f;
    if (dropout.rate == 0.0f) {
#pragma omp simd reduction(+ : sum)
      for (int32_t i = 0; i < n; ++i) {
        x[i] = residual[i] + (x[i] + bias[i]);
        sum += x[i];
      }
    } else {
      const Key key(dropout, row + at);
#pragma omp simd reduction(+ : sum)
      for (int32_t i = 0; i < n; ++i) {
        x[i] = residual[i] + (key.keeps(i) ? (x[i] + bias[i]) * scale : 0.0f);
        sum += x[i];
      }
    }
    const float mean = sum * one;
#pragma omp simd reduction(+ : squares)
    for (int32_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const float rstd = 1.0f / __builtin_sqrtf(squares * one + norm.eps);
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * rstd * norm.weight[i] + norm.bias[i];
    norm.mean[at] = mean;
    norm.rstd[at] = rstd;
  }
}

void add_norm_backward(const float* x, const float* g, float* g_residual, float* g_branch, float* g_weight, float* g_bias,
                       float* g_branch_bias, Norm norm, int64_t rows, int64_t d, Dropout dropout, uint64_t row) {
  const float scale = dropout.scale(), one = 1.0f / (float)d;
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_weight[i] = g_bias[i] = g_branch_bias[i] = 0.0f;
  for (int64_t at = 0; at < rows; ++at, x += d, g += d, g_residual += d, g_branch += d) {
    const float mean = norm.mean[at], rstd = norm.rstd[at];
    float sum = 0.0f, along = 0.0f;
#pragma omp simd reduction(+ : sum, along)
    for (int32_t i = 0; i < n; ++i) {
      const float normal = (x[i] - mean) * rstd, weighted = g[i] * norm.weight[i];
      sum += weighted;
      along += weighted * normal;
      g_weight[i] += g[i] * normal;
      g_bias[i] += g[i];
    }
    sum *= one;
    along *= one;
    if (dropout.rate == 0.0f) {
#pragma omp simd
      for (int32_t i = 0; i < n; ++i) {
        const float of = rstd * (g[i] * norm.weight[i] - sum - (x[i] - mean) * rstd * along);
        g_residual[i] = g_branch[i] = of;
        g_branch_bias[i] += of;
      }
      continue;
    }
    const Key key(dropout, row + at);
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float of = rstd * (g[i] * norm.weight[i] - sum - (x[i] - mean) * rstd * along);
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
  const float scale = dropout.scale(), one = 1.0f / (float)d;
  const int32_t n = (int32_t)d;
  for (int64_t at = 0; at < rows; ++at, x += d, out += d) {
    const float* word = tables.word + tables.ids[at] * d;
    const float* token_type = tables.token_type + tables.types[at] * d;
    const float* position = tables.position + (int64_t)((row + at) % tables.length) * d;
    float sum = 0.0f, squares = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; ++i) {
      x[i] = word[i] + token_type[i] + position[i];
      sum += x[i];
    }
    const float mean = sum * one;
#pragma omp simd reduction(+ : squares)
    for (int32_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const float rstd = 1.0f / __builtin_sqrtf(squares * one + norm.eps);
    norm.mean[at] = mean;
    norm.rstd[at] = rstd;
    const Key key(dropout, row + at);
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) {
      const float of = (x[i] - mean) * rstd * norm.weight[i] + norm.bias[i];
      out[i] = key.keeps(i) ? of * scale : 0.0f;
    }
  }
}

void embed_backward(const float* x, const float* g, float* g_x, float* g_weight, float* g_bias, Norm norm, int64_t rows,
                    int64_t d, Dropout dropout, uint64_t row) {
  const float scale = dropout.scale(), one = 1.0f / (float)d;
  const int32_t n = (int32_t)d;
  for (int32_t i = 0; i < n; ++i) g_weight[i] = g_bias[i] = 0.0f;
  for (int64_t at = 0; at < rows; ++at, x += d, g += d, g_x += d) {
    const float mean = norm.mean[at], rstd = norm.rstd[at];
    const Key key(dropout, row + at);
    float sum = 0.0f, along = 0.0f;
#pragma omp simd reduction(+ : sum, along)
    for (int32_t i = 0; i < n; ++i) {
      const float of = key.keeps(i) ? g[i] * scale : 0.0f, normal = (x[i] - mean) * rstd;
      g_x[i] = of * norm.weight[i];
      sum += g_x[i];
      along += g_x[i] * normal;
      g_weight[i] += of * normal;
      g_bias[i] += of;
    }
    sum *= one;
    along *= one;
#pragma omp simd
    for (int32_t i = 0; i < n; ++i) g_x[i] = rstd * (g_x[i] - sum - (x[i] - mean) * rstd * along);
  }
}

void detect(const float* x, const float* bias, const float* weight, float* logits, int64_t rows, int64_t d) {
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
    logits[at] = sum;
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
  const int32_t n = (int32_t)d;
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (int32_t i = 0; i < n; ++i) sum += x[i] * x[i];
  return sum;
}

void add(const float* x, float* out, int64_t d) {
  const int32_t n = (int32_t)d;
#pragma omp simd
  for (int32_t i = 0; i < n; ++i) out[i] += x[i];
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
const Kernels KERNELS = {softmax, softmax_backward, add_norm, add_norm_backward, gelu, gelu_backward,
                         log_likelihood, log_likelihood_backward, sample,
                         embed, embed_backward, detect, detect_backward, squares, add, sum};
