// What is computed between matrix products: each a single pass over rows, compiled once for every level of
// vector instructions. Everything is float32 and row after row in memory.

#pragma once

#include <cstdint>

// What is dropped of a tensor is a function of the seed, the row and the column, not of threads or of other
// tensors.
struct Dropout {
  float rate;              // in [0, 1); at 0 nothing is dropped
  uint64_t seed;           // of this tensor, in this step
  uint64_t first_row = 0;  // the number of the tensor's first row among those of the step

  float scale() const { return 1.0f / (1.0f - rate); }
};

// LayerNorm(residual + dropout(x + bias)) and what its gradient is computed from.
struct Norm {
  const float* weight;
  const float* bias;
  float eps;
  float* mean;  // of each row
  float* rstd;  // 1 / √(variance + eps) of each row
};

// A head on an example: queries, keys and values of `size` numbers, a multiple of sixteen, in rows.
struct Attention {
  const float *q, *k, *v;
  int64_t q_row, row;  // from one row to the next, of q and of the others
  int64_t queries;
  int64_t length;   // of the example: keys and values
  int64_t columns;  // the length made up to whole vectors of sixteen
  int64_t size;
  float scale;  // of the scores
  Dropout dropout;
  uint64_t number;  // of the first row of probabilities in all of them
};

// Three tables of rows, and which of them make up the rows of a batch.
struct Tables {
  const float* word;
  const float* token_type;
  const float* position;
  const int64_t* ids;
  const int64_t* types;
  int64_t length;  // of an example
};

// The constants of a step of AdamW.
struct AdamWStep {
  float grad_scale;
  float beta1, rest1;  // and 1 - β₁
  float beta2, rest2;
  float decay;  // 1 - lr λ
  float size;   // lr / (1 - β₁ᵗ)
  float root;   // 1 / √(1 - β₂ᵗ)
  float eps;
};

struct Kernels {
  // p ← softmax(p) in each row over the first `open` columns, whatever p holds in the others, of which there
  // are less than sixteen, and which become 0; `columns` is a multiple of sixteen; and dropped ← dropout(p),
  // which may be p itself where nothing is dropped. What is dropped has its sign set in p. `row` is the
  // number of the first row in its tensor.
  void (*softmax)(float* p, float* dropped, int64_t rows, int64_t open, int64_t columns, Dropout dropout, uint64_t row);
  // Of p as softmax left it: dropped anew, and g, the gradient of dropped, becomes that of the scores.
  void (*softmax_backward)(const float* p, float* dropped, float* g, int64_t rows, int64_t open, int64_t columns,
                           Dropout dropout);
  // out ← dropout(softmax(scale q kᵀ)) v, where p and dropped are as softmax leaves them; `scratch` holds
  // size × columns. Null where there is none for the machine.
  void (*attend)(const Attention& head, float* p, float* dropped, float* out, int64_t out_row, float* scratch);
  // Of p as attend left it and g_out, the gradient of out: those of q, k and v, in rows as far apart as
  // theirs; dropped and g hold queries × columns.
  void (*attend_backward)(const Attention& head, const float* p, float* dropped, float* g, const float* g_out, int64_t g_out_row,
                          float* g_q, float* g_k, float* g_v, float* scratch);
  // Each pair of numbers of each head in a row is turned by its angle, of which `angles` holds size / 2 cosines and then
  // as many sines; by the negative angle where `back`. A pair stands side by side where `interleaved`, else one of it in
  // each half of its head.
  void (*turn)(float* x, const float* angles, int64_t heads, int64_t size, bool interleaved, bool back);
  // x ← residual + dropout(x + bias), out ← LayerNorm(x).
  void (*add_norm)(float* x, const float* bias, const float* residual, float* out, Norm norm, int64_t rows, int64_t d,
                   Dropout dropout, uint64_t row);
  // Of x as add_norm left it and g, the gradient of out: that of the residual and that of the branch before
  // dropout, which may be one where nothing is dropped; and those of weight, bias and the branch's bias,
  // summed over the rows.
  void (*add_norm_backward)(const float* x, const float* g, float* g_residual, float* g_branch, float* g_weight,
                            float* g_bias, float* g_branch_bias, Norm norm, int64_t rows, int64_t d, Dropout dropout,
                            uint64_t row);
  // out ← GELU(x + bias), exactly: x Φ(x).
  void (*gelu)(const float* x, const float* bias, float* out, int64_t rows, int64_t d);
  // out as gelu gave it; g, the gradient of out, becomes that of x; and that of bias, summed over the rows.
  void (*gelu_backward)(const float* x, const float* bias, float* out, float* g, float* g_bias, int64_t rows, int64_t d);
  // logits ← logits + bias; of each row the logarithm of the sum of exponentials, and log softmax at the
  // target.
  void (*log_likelihood)(float* logits, const float* bias, const int64_t* targets, float* log_sums, float* log_p,
                         int64_t rows, int64_t vocab_size);
  // g_logits, which may be the logits themselves, of g, the gradient of log_p; and that of the bias, summed
  // over the rows.
  void (*log_likelihood_backward)(const float* logits, const int64_t* targets, const float* log_sums, const float* g,
                                  float* g_logits, float* g_bias, int64_t rows, int64_t vocab_size);
  // The first token at which the sum of softmax(logits) exceeds `uniform`, from 0 to below 1. `scratch` holds
  // vocab_size.
  int64_t (*sample)(const float* logits, float uniform, float* scratch, int64_t vocab_size);
  // x ← word[ids] + token_type[types] + position[the row's place in its example], out ←
  // dropout(LayerNorm(x)).
  void (*embed)(Tables tables, float* x, float* out, Norm norm, int64_t rows, int64_t d, Dropout dropout, uint64_t row);
  // out ← LayerNorm(x).
  void (*norm)(const float* x, float* out, Norm norm, int64_t rows, int64_t d);
  // Of x and g, the gradient of dropout(LayerNorm(x)): that of x; and those of weight and bias, summed over
  // the rows.
  void (*norm_backward)(const float* x, const float* g, float* g_x, float* g_weight, float* g_bias, Norm norm, int64_t rows,
                         int64_t d, Dropout dropout, uint64_t row);
  // logits ← Σ GELU(x + bias) · weight + shift in each row.
  void (*detect)(const float* x, const float* bias, const float* weight, float shift, float* logits, int64_t rows, int64_t d);
  // g_x of g, the gradient of the logits; and those of bias and weight, summed over the rows.
  void (*detect_backward)(const float* x, const float* bias, const float* weight, const float* g, float* g_x, float* g_bias,
                          float* g_weight, int64_t rows, int64_t d);
  // A step of AdamW: p, m and v from g, which is divided by `grad_scale`.
  void (*adamw)(float* p, float* g, float* m, float* v, int64_t d, AdamWStep step);
  // The sum of the squares.
  float (*squares)(const float* x, int64_t d);
  // out ← out + x
  void (*add)(const float* x, float* out, int64_t d);
  // The sum of the rows.
  void (*sum)(const float* x, float* out, int64_t rows, int64_t d);
};

// Levels of vector instructions that the kernels are compiled for. Mirrors the crate's KernelLevel.
enum Level : int32_t { FORMULA, BASELINE, AVX2, AVX512 };

// Whether this machine has the instructions of a level.
bool is_available(Level level);

// The kernels of a level that is available; the formula has none.
const Kernels& kernels_of(Level level);
