// Transformer layers of ModernBERT, dropout included, as one node of the autograd graph: what layers.cpp is for BERT's.
//
// A LayerNorm stands before each part of a layer, and one behind the last layer. So each part ends as BERT's does, by a sum and
// its LayerNorm, which is the next part's input; the sum goes on beside it. The part that LayerNorm of the input is of has none.
// Shapes: B batch, L length, N rows that are computed, R rows of a layer, D hidden size, F feed-forward size, H heads, A = D / H.

#include "caught.h"
#include "derivative.h"
#include "kernels.h"
#include "key.h"
#include "memory.h"
#include "parallel.h"
#include "parameters.h"
#include "pieces.h"
#include "product.h"
#include "random.h"
#include "rows.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

// The parameters of a layer; NEXT is the LayerNorm that follows it, the next layer's or the last of all. Mirrors
// ffi::modernbert::PARAMETERS.
enum Parameter { WQKV, WO, NORM, WI, WF, NEXT, PARAMETERS };

// Mirrors ffi::modernbert::Settings.
struct ElectraTorchModernBert {
  int64_t heads;
  double eps;
  double attention_dropout;
  double mlp_dropout;
};

// Mirrors ffi::modernbert::LayerSettings.
struct ElectraTorchModernBertLayer {
  double theta;
  int64_t window;  // -1 for none
};

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRows = 64;   // of a block between two products
constexpr int64_t kSmall = 96;  // the longest example whose attention is not left to BLAS

// The rows that a layer is computed at: all rows of the batch, or of the last layer those that are asked for.
struct Plan {
  const Rows* rows;
  const std::vector<int64_t>* row;  // of each among all rows; null for all of them

  int64_t count() const { return rows->count(); }
  int64_t operator()(int64_t index) const { return row == nullptr ? index : (*row)[index]; }
};

// What a layer computes and its backward pass needs. What a LayerNorm gives is not kept but computed again.
struct Layer {
  const Plan* plan;
  const Pieces* pieces;
  const float* angles;  // [L, A]: cosines, then sines
  Dropout attention, first, inner;

  Tensor memory;             // of all that follow
  float *stream, *taken;     // [R, D] the sum so far and its LayerNorm at the plan's rows, where they are not all
  float *q, *kv;             // [R, D], [N, 2 D]
  float* probabilities;      // of each piece and head, a sign set where dropped
  float* attended;           // [R, D]
  float *sum1, *stats1;      // [R, D] before the second LayerNorm, its means and deviations [2, R]
  float *input, *gate;       // [R, F]
  float *sum2, *stats2;      // [R, D] before the LayerNorm that follows

  int64_t r() const { return plan->count(); }
};

struct Stack : torch::CustomClassHolder {
  BatchRows rows;
  SelectedRows selected;
  Plan whole{&rows, nullptr}, last{&selected, &selected.row};
  Parameters parameters;  // of each layer in turn
  int64_t d, f, heads, length;
  float eps;
  Tensor x;                   // [N, D]
  std::vector<Layer> layers;
  std::vector<std::unique_ptr<Pieces>> pieces;
  std::vector<std::pair<double, Tensor>> angles;
  std::vector<float> zeros;  // for a bias that there is not

  using List = std::array<const float*, PARAMETERS>;

  Stack(const Stack&) = delete;
  Stack(BatchRows batch_rows, std::vector<Tensor> list, Level level)
      : rows(std::move(batch_rows)), parameters(std::move(list), level) {}

  const Products& products = parameters.products;

  int64_t n() const { return rows.count(); }
  int64_t most() const { return std::max(rows.count(), selected.count()); }
  int64_t a() const { return d / heads; }
  int64_t place(int64_t row) const { return rows.place[row] % length; }
  List list(size_t layer) const;
  const Pieces* pieces_for(const Plan& plan, int64_t window);
  const float* angles_for(double theta);
  // The LayerNorm of parameters without a bias, over `count` rows from `row` on.
  Norm norm_of(const float* weight, float* stats, int64_t row, int64_t count) const {
    return {weight, zeros.data(), eps, stats + row, stats + count + row};
  }

  void allocate_layer(Layer& layer, bool keeps) const;
  void turn(float* x, int64_t stride, const Layer& layer, const Plan& plan, bool back) const;
  template <typename Body>
  void for_each_head(const Layer& layer, const Body& body) const;
  Attention attention(const Layer& layer, const Piece& piece, int64_t head) const;
  bool is_small(const Piece& piece) const;
  void mask(const Layer& layer, const Piece& piece, float* scores) const;
  void attend(Layer& layer, bool keeps) const;
  void attend_backward(const Layer& layer, const float* g_attended, float* g_q, float* g_kv) const;
  void norm(const float* x, const float* weight, float* stats, float* out, int64_t count) const;
  void add_norm(float* x, const float* residual, const float* weight, float* stats, float* out, int64_t count, Dropout dropout) const;
  void norm_backward(const float* x, const float* g, const float* weight, float* stats, float* g_x, int64_t count, float* sums,
                     float* total) const;
  void drop(float* x, int64_t count, int64_t size, Dropout dropout) const;
  void forward(size_t which, const float* stream, const float* normed, float* middle, float* inner, float* output, bool keeps);
  void add(const float* from, float* to, int64_t count) const;
};

Stack::List Stack::list(size_t layer) const {
  List pointers;
  for (size_t which = 0; which < PARAMETERS; ++which) {
    pointers[which] = parameters.all()[layer * PARAMETERS + which].const_data_ptr<float>();
  }
  return pointers;
}

const Pieces* Stack::pieces_for(const Plan& plan, int64_t window) {
  for (const Layer& layer : layers) {
    if (layer.pieces != nullptr && layer.plan == &plan && layer.pieces->window == window) return layer.pieces;
  }
  const auto place_of = [&](int64_t row) { return place(row); };
  pieces.push_back(std::make_unique<Pieces>(pieces_of(rows, *plan.rows, window, place_of, plan)));
  return pieces.back().get();
}

// [L, A]: the cosines of a position's angles p θ^(−2i/A), then the sines.
const float* Stack::angles_for(double theta) {
  for (const auto& [known, table] : angles) {
    if (known == theta) return table.const_data_ptr<float>();
  }
  const int64_t size = a(), half = size / 2;
  const Tensor table = empty({length, size});
  for (int64_t position = 0; position < length; ++position) {
    for (int64_t i = 0; i < half; ++i) {
      const double angle = position * std::pow(theta, -2.0 * i / size);
      data(table)[position * size + i] = static_cast<float>(std::cos(angle));
      data(table)[position * size + half + i] = static_cast<float>(std::sin(angle));
    }
  }
  angles.emplace_back(theta, table);
  return table.const_data_ptr<float>();
}

void Stack::allocate_layer(Layer& layer, bool keeps) const {
  const int64_t r = layer.r(), taken = layer.plan->row == nullptr ? 0 : r * d;
  layer.memory = allocate([&](Arena& arena) {
    layer.stream = arena(taken), layer.taken = arena(taken);
    layer.q = arena(r * d), layer.kv = arena(n() * 2 * d);
    layer.probabilities = arena(keeps ? heads * layer.pieces->probabilities : 0);
    layer.attended = arena(r * d);
    layer.sum1 = arena(r * d), layer.stats1 = arena(2 * r);
    layer.input = arena(r * f), layer.gate = arena(r * f);
    layer.sum2 = arena(r * d), layer.stats2 = arena(2 * r);
  });
}

void Stack::turn(float* x, int64_t stride, const Layer& layer, const Plan& plan, bool back) const {
  parallel_blocks(plan.count(), kRows, [&](int64_t, int64_t row, int64_t count) {
    for (int64_t index = row; index < row + count; ++index) {
      parameters.kernels.turn(x + index * stride, layer.angles + place(plan(index)) * a(), heads, a(), false, back);
    }
  });
}

// body(example, head, scratch for two pieces and a transpose)
template <typename Body>
void Stack::for_each_head(const Layer& layer, const Body& body) const {
  const Pieces& pieces = *layer.pieces;
  parallel(rows.examples() * heads, [&](int64_t begin, int64_t end) {
    float* scratch;
    const Tensor memory = allocate([&](Arena& arena) { scratch = arena(2 * pieces.most + a() * pieces.most_columns); });
    for (int64_t index = begin; index < end; ++index) body(index / heads, index % heads, scratch);
  });
}

Attention Stack::attention(const Layer& layer, const Piece& piece, int64_t head) const {
  const float* k = layer.kv + piece.key * 2 * d + head * a();
  const float scale = 1.0f / std::sqrt(static_cast<float>(a()));
  // Rows of probabilities are numbered by query, then by head.
  return {layer.q + piece.query * d + head * a(), k, k + d, d, 2 * d, piece.queries, piece.keys, piece.columns, a(), scale,
          layer.attention, static_cast<uint64_t>(piece.query * heads + head * piece.queries)};
}

// Whether the kernels are for this size of heads, and faster than BLAS.
bool Stack::is_small(const Piece& piece) const {
  return !piece.masked && !products.are_bf16() && parameters.kernels.attend != nullptr && a() % 16 == 0 && piece.keys <= kSmall;
}

// Scores of keys beyond the window become −∞; those of padding that no token is near to stay as they are.
void Stack::mask(const Layer& layer, const Piece& piece, float* scores) const {
  const int64_t window = layer.pieces->window;
  for (int64_t index = 0; index < piece.queries; ++index, scores += piece.columns) {
    const int64_t at = place((*layer.plan)(piece.query + index));
    int64_t first = 0, last = piece.keys;
    while (first < last && place(piece.key + first) < at - window) ++first;
    while (last > first && place(piece.key + last - 1) > at + window) --last;
    if (first == last) continue;
    std::fill_n(scores, first, -INFINITY);
    std::fill(scores + last, scores + piece.keys, -INFINITY);
  }
}

// Zeros in `rows` rows of `size` numbers, `stride` apart.
void clear(float* x, int64_t rows, int64_t size, int64_t stride) {
  for (int64_t row = 0; row < rows; ++row) std::fill_n(x + row * stride, size, 0.0f);
}

void Stack::attend(Layer& layer, bool keeps) const {
  const Pieces& pieces = *layer.pieces;
  for_each_head(layer, [&](int64_t example, int64_t head, float* scratch) {
    for (size_t which = pieces.first[example]; which < pieces.first[example + 1]; ++which) {
      const Piece& piece = pieces.all[which];
      const Attention inputs = attention(layer, piece, head);
      float* p = keeps ? layer.probabilities + heads * piece.place + head * piece.queries * piece.columns : scratch + pieces.most;
      float *dropped = layer.attention.rate > 0 ? scratch : p, *out = layer.attended + piece.query * d + head * a();
      if (piece.keys == 0) {
        clear(out, piece.queries, a(), d);
        continue;
      }
      if (is_small(piece)) {
        parameters.kernels.attend(inputs, p, dropped, out, d, scratch + 2 * pieces.most);
        continue;
      }
      products(piece.queries, a(), inputs.scale, {inputs.q, d},
               {{piece.keys, Matrix{inputs.k, inputs.row}.t(), false, p, piece.columns, true}});
      if (piece.masked) mask(layer, piece, p);
      parameters.kernels.softmax(p, dropped, piece.queries, piece.keys, piece.columns, inputs.dropout, inputs.number);
      products(piece.queries, a(), piece.keys, 1, {dropped, piece.columns}, {inputs.v, inputs.row}, false, out, d);
    }
  });
}

// The gradients of Q, [R, D], and of K and V, [N, 2 D].
void Stack::attend_backward(const Layer& layer, const float* g_attended, float* g_q, float* g_kv) const {
  const Pieces& pieces = *layer.pieces;
  for_each_head(layer, [&](int64_t example, int64_t head, float* scratch) {
    const size_t begin = pieces.first[example], end = pieces.first[example + 1];
    const bool alone = end - begin == 1 && pieces.all[begin].key == rows.first[example];
    float *dropped = scratch, *g = scratch + pieces.most;
    // Nobody attends to what lies behind the keys; of several pieces, each adds its own.
    const int64_t first = rows.first[example], start = alone ? pieces.all[begin].keys : 0;
    float* g_keys = g_kv + first * 2 * d + head * a();
    for (float* part : {g_keys, g_keys + d}) clear(part + start * 2 * d, rows.length_of(example) - start, a(), 2 * d);
    for (size_t which = begin; which < end; ++which) {
      const Piece& piece = pieces.all[which];
      const Attention inputs = attention(layer, piece, head);
      const float* p = layer.probabilities + heads * piece.place + head * piece.queries * piece.columns;
      const float* g_out = g_attended + piece.query * d + head * a();
      float *out_q = g_q + piece.query * d + head * a(), *out_k = g_kv + piece.key * 2 * d + head * a(), *out_v = out_k + d;
      if (piece.keys == 0) {
        clear(out_q, piece.queries, a(), d);
        continue;
      }
      if (alone && is_small(piece)) {
        parameters.kernels.attend_backward(inputs, p, dropped, g, g_out, d, out_q, out_k, out_v, scratch + 2 * pieces.most);
        continue;
      }
      products(piece.queries, a(), 1, {g_out, d}, {{piece.keys, Matrix{inputs.v, inputs.row}.t(), false, g, piece.columns, true}});
      parameters.kernels.softmax_backward(p, dropped, g, piece.queries, piece.keys, piece.columns, inputs.dropout);
      products(piece.keys, a(), piece.queries, 1, Matrix{dropped, piece.columns}.t(), {g_out, d}, !alone, out_v, 2 * d);
      products(piece.queries, a(), piece.keys, inputs.scale, {g, piece.columns}, {inputs.k, inputs.row}, false, out_q, d);
      products(piece.keys, a(), piece.queries, inputs.scale, Matrix{g, piece.columns}.t(), {inputs.q, d}, !alone, out_k, 2 * d);
    }
  });
}

// out ← LayerNorm(x)
void Stack::norm(const float* x, const float* weight, float* stats, float* out, int64_t count) const {
  parallel_blocks(count, kRows, [&](int64_t, int64_t row, int64_t rows) {
    parameters.kernels.norm(x + row * d, out + row * d, norm_of(weight, stats, row, count), rows, d);
  });
}

// x ← residual + dropout(x), out ← LayerNorm(x)
void Stack::add_norm(float* x, const float* residual, const float* weight, float* stats, float* out, int64_t count,
                     Dropout dropout) const {
  parallel_blocks(count, kRows, [&](int64_t, int64_t row, int64_t rows) {
    const int64_t from = row * d;
    parameters.kernels.add_norm(x + from, zeros.data(), residual + from, out + from, norm_of(weight, stats, row, count), rows, d,
                                dropout, row);
  });
}

// The gradients of x, [count, D], and of the weight, [D], behind which lies what a bias would have.
void Stack::norm_backward(const float* x, const float* g, const float* weight, float* stats, float* g_x, int64_t count,
                          float* sums, float* total) const {
  parallel_blocks(count, kRows, [&](int64_t block, int64_t row, int64_t rows) {
    const int64_t from = row * d;
    float* sum = sums + block * 2 * d;
    parameters.kernels.norm_backward(x + from, g + from, g_x + from, sum, sum + d, norm_of(weight, stats, row, count), rows, d,
                                     {0, 0}, row);
  });
  parameters.kernels.sum(sums, total, blocks(count, kRows), 2 * d);
}

// x ← dropout(x) in rows of `size`, or the gradient of that.
void Stack::drop(float* x, int64_t count, int64_t size, Dropout dropout) const {
  if (dropout.rate == 0) return;
  parallel_blocks(count, kRows, [&](int64_t, int64_t row, int64_t rows) {
    for (int64_t index = row; index < row + rows; ++index) {
      const Key key(dropout, index);
      for (int64_t i = 0; i < size; ++i) {
        float& number = x[index * size + i];
        number = key.keeps(static_cast<uint32_t>(i)) ? number * dropout.scale() : 0.0f;
      }
    }
  });
}

// to ← to + from
void Stack::add(const float* from, float* to, int64_t count) const {
  parallel_blocks(count, kRows, [&](int64_t, int64_t row, int64_t rows) {
    parameters.kernels.add(from + row * d, to + row * d, rows * d);
  });
}

// Of the sum so far and its LayerNorm, [N, D] each, the next sum, which the layer keeps, and `output`, its LayerNorm. `middle`
// and `inner` are for a while.
void Stack::forward(size_t which, const float* stream, const float* normed, float* middle, float* inner, float* output, bool keeps) {
  const List p = list(which);
  Layer& layer = layers[which];
  const int64_t r = layer.r();
  const bool is_whole = layer.plan->row == nullptr;
  for (int64_t row = 0; !is_whole && row < r; ++row) {
    std::copy_n(stream + (*layer.plan)(row) * d, d, layer.stream + row * d);
    std::copy_n(normed + (*layer.plan)(row) * d, d, layer.taken + row * d);
  }
  const Right q{d, Matrix{p[WQKV], d}.t(), false, layer.q, d};
  const Right kv{2 * d, Matrix{p[WQKV] + d * d, d}.t(), false, layer.kv, 2 * d};
  if (is_whole) {
    products(n(), d, 1, {normed, d}, {q, kv});
  } else {
    products(r, d, 1, {layer.taken, d}, {q});
    products(n(), d, 1, {normed, d}, {kv});
  }
  turn(layer.q, d, layer, *layer.plan, false);
  turn(layer.kv, 2 * d, layer, whole, false);
  attend(layer, keeps);
  products(r, d, d, 1, {layer.attended, d}, Matrix{p[WO], d}.t(), false, layer.sum1, d);
  add_norm(layer.sum1, is_whole ? stream : layer.stream, p[NORM], layer.stats1, middle, r, layer.first);
  products(r, d, 1, {middle, d},
           {{f, Matrix{p[WI], d}.t(), false, layer.input, f}, {f, Matrix{p[WI] + f * d, d}.t(), false, layer.gate, f}});
  parallel_blocks(r, kRows, [&](int64_t, int64_t row, int64_t count) {
    float* out = inner + row * f;
    const float* gate = layer.gate + row * f;
    parameters.kernels.gelu(layer.input + row * f, zeros.data(), out, count, f);
    for (int64_t i = 0; i < count * f; ++i) out[i] *= gate[i];
  });
  drop(inner, r, f, layer.inner);
  products(r, d, f, 1, {inner, f}, Matrix{p[WF], f}.t(), false, layer.sum2, d);
  add_norm(layer.sum2, layer.sum1, p[NEXT], layer.stats2, output, r, {0, 0});
}

// What the backward pass of a layer needs, and leaves to the one below.
struct Backward {
  float *g_normed, *g_stream;                  // [·, D] of the layer's LayerNorm and sum, and then of its input's
  float *g_sum2, *g_sum1, *g_middle, *middle;  // [·, D]
  float *inner, *g_inner, *g_input;            // [·, F]
  float *g_q, *g_kv;                           // [·, D], [·, 2 D]
  float* sums;                                 // of each block
};

Backward workspace(const Stack& stack, Arena& arena) {
  const int64_t most = stack.most(), d = stack.d, f = stack.f;
  Backward w;
  for (float** array : {&w.g_normed, &w.g_stream, &w.g_sum2, &w.g_sum1, &w.g_middle, &w.middle, &w.g_q}) *array = arena(most * d);
  for (float** array : {&w.inner, &w.g_inner, &w.g_input}) *array = arena(most * f);
  w.g_kv = arena(stack.n() * 2 * d);
  w.sums = arena(blocks(most, kRows) * std::max(2 * d, f));
  return w;
}

// Of the gradients of a layer's sum and of its LayerNorm those of its input's; those of the parameters go to `gradients`.
void backward(const Stack& stack, size_t which, const float* g_output, bool has_stream, Backward& w, Tensor* gradients) {
  const Stack::List p = stack.list(which);
  const Layer& layer = stack.layers[which];
  const Products& products = stack.products;
  const Kernels& kernels = stack.parameters.kernels;
  const int64_t r = layer.r(), n = stack.n(), d = stack.d, f = stack.f;
  const bool is_whole = layer.plan->row == nullptr;
  float *w_qkv, *w_o, *norm, *w_i, *w_f, *next;
  const Tensor memory = allocate([&](Arena& arena) {
    w_qkv = arena(3 * d * d), w_o = arena(d * d), norm = arena(2 * d), w_i = arena(2 * f * d), w_f = arena(d * f), next = arena(2 * d);
  });

  stack.norm_backward(layer.sum2, g_output, p[NEXT], layer.stats2, w.g_sum2, r, w.sums, next);
  if (has_stream) stack.add(w.g_stream, w.g_sum2, r);
  products(r, f, d, 1, {w.g_sum2, d}, {p[WF], f}, false, w.g_inner, f);
  stack.drop(w.g_inner, r, f, layer.inner);
  parallel_blocks(r, kRows, [&](int64_t block, int64_t row, int64_t count) {
    const int64_t from = row * f;
    float *inner = w.inner + from, *g_inner = w.g_inner + from, *g_input = w.g_input + from;
    const float* gate = layer.gate + from;
    for (int64_t i = 0; i < count * f; ++i) g_input[i] = g_inner[i] * gate[i];
    kernels.gelu_backward(layer.input + from, stack.zeros.data(), inner, g_input, w.sums + block * f, count, f);
    // The gate's gradient takes the place of the product's.
    for (int64_t i = 0; i < count * f; ++i) g_inner[i] *= inner[i], inner[i] *= gate[i];
  });
  stack.drop(w.inner, r, f, layer.inner);
  products(d, f, r, 1, Matrix{w.g_sum2, d}.t(), {w.inner, f}, false, w_f, f);
  stack.norm(layer.sum1, p[NORM], layer.stats1, w.middle, r);
  products(f, d, r, 1, Matrix{w.g_input, f}.t(), {w.middle, d}, false, w_i, d);
  products(f, d, r, 1, Matrix{w.g_inner, f}.t(), {w.middle, d}, false, w_i + f * d, d);
  products(r, d, f, 1, {w.g_input, f}, {p[WI], d}, false, w.g_middle, d);
  products(r, d, f, 1, {w.g_inner, f}, {p[WI] + f * d, d}, true, w.g_middle, d);

  stack.norm_backward(layer.sum1, w.g_middle, p[NORM], layer.stats1, w.g_sum1, r, w.sums, norm);
  stack.add(w.g_sum2, w.g_sum1, r);
  const float* branch = w.g_sum1;
  if (layer.first.rate > 0) {
    std::copy_n(w.g_sum1, r * d, w.g_sum2);
    stack.drop(w.g_sum2, r, d, layer.first);
    branch = w.g_sum2;
  }
  products(d, d, r, 1, Matrix{branch, d}.t(), {layer.attended, d}, false, w_o, d);
  products(r, d, d, 1, {branch, d}, {p[WO], d}, false, w.g_middle, d);
  stack.attend_backward(layer, w.g_middle, w.g_q, w.g_kv);
  stack.turn(w.g_q, d, layer, *layer.plan, true);
  stack.turn(w.g_kv, 2 * d, layer, stack.whole, true);

  const float* normed = data(stack.x);
  if (which > 0) {
    const Layer& below = stack.layers[which - 1];
    stack.norm(below.sum2, stack.list(which - 1)[NEXT], below.stats2, w.middle, n);
    normed = w.middle;
  }
  products(d, d, r, 1, Matrix{w.g_q, d}.t(), {is_whole ? normed : layer.taken, d}, false, w_qkv, d);
  products(2 * d, d, n, 1, Matrix{w.g_kv, 2 * d}.t(), {normed, d}, false, w_qkv + d * d, d);
  products(n, d, 2 * d, 1, {w.g_kv, 2 * d}, {p[WQKV] + d * d, d}, false, w.g_normed, d);
  if (is_whole) {
    products(n, d, d, 1, {w.g_q, d}, {p[WQKV], d}, true, w.g_normed, d);
    std::swap(w.g_stream, w.g_sum1);
  } else {
    products(r, d, d, 1, {w.g_q, d}, {p[WQKV], d}, false, w.g_middle, d);
    std::fill_n(w.g_stream, n * d, 0.0f);
    for (int64_t row = 0; row < r; ++row) {
      const int64_t to = (*layer.plan)(row) * d;
      kernels.add(w.g_middle + row * d, w.g_normed + to, d);
      kernels.add(w.g_sum1 + row * d, w.g_stream + to, d);
    }
  }

  const auto give = [&](Parameter parameter, const float* array, at::IntArrayRef shape) {
    gradients[parameter] = tensor_at(memory, array, shape);
  };
  give(WQKV, w_qkv, {3 * d, d}), give(WO, w_o, {d, d}), give(NORM, norm, {d});
  give(WI, w_i, {2 * f, d}), give(WF, w_f, {d, f}), give(NEXT, next, {d});
}

// x [B, L, D] → `shape`, [B, L, D] or [B, S, D]
Tensor run(Stack& stack, const Tensor& x, at::IntArrayRef shape, bool keeps) {
  float *middle, *inner;
  const Tensor memory = allocate([&](Arena& arena) { middle = arena(stack.most() * stack.d), inner = arena(stack.most() * stack.f); });
  stack.x = stack.rows.taken(x);
  const float* stream = data(stack.x);
  Tensor normed = stack.x;
  for (size_t which = 0; which < stack.layers.size(); ++which) {
    Layer& layer = stack.layers[which];
    stack.allocate_layer(layer, keeps);
    const Tensor output = empty({layer.r(), stack.d});
    stack.forward(which, stream, data(normed), middle, inner, data(output), keeps);
    if (!keeps && which > 0) stack.layers[which - 1].memory = Tensor();
    stream = layer.sum2, normed = output;
  }
  return stack.layers.back().plan->rows->put_back(normed, shape[0] * shape[1]).view(shape);
}

constexpr const char *kStack = "stack", *kShape = "shape";

struct Layers : torch::autograd::Function<Layers> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const c10::intrusive_ptr<Stack>& stack,
                        at::IntArrayRef shape, at::TensorList) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->saved_data[kStack] = at::IValue::make_capsule(stack);
    context->saved_data[kShape] = x.sizes();
    return run(*stack, x.detach(), shape, true);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    expect_first_derivative("an operation of the CPU's kernels");
    at::AutoDispatchBelowADInplaceOrView below;
    TORCH_CHECK(context->saved_data.count(kStack) != 0, "a second backward pass through layers whose first one kept nothing");
    const auto stack = c10::static_intrusive_pointer_cast<Stack>(context->saved_data[kStack].toCapsule());
    const auto shape = context->saved_data[kShape].toIntVector();
    const bool again = torch::autograd::get_current_graph_task_keep_graph();
    if (!again) context->saved_data.clear();

    const Tensor output = stack->layers.back().plan->rows->taken(gradients[0]);
    Backward w;
    const Tensor memory = allocate([&](Arena& arena) { w = workspace(*stack, arena); });
    variable_list parameter_gradients(stack->layers.size() * PARAMETERS);
    const float* g = output.const_data_ptr<float>();
    for (size_t layer = stack->layers.size(); layer-- > 0;) {
      const bool is_last = layer + 1 == stack->layers.size();
      ::backward(*stack, layer, g, !is_last, w, &parameter_gradients[layer * PARAMETERS]);
      g = w.g_normed;
      if (!again) stack->layers[layer].memory = Tensor();
    }
    // The first layer reads the input itself, beside the sum.
    stack->add(w.g_stream, w.g_normed, stack->n());
    const Tensor input = empty({stack->n(), stack->d});
    std::copy_n(w.g_normed, input.numel(), data(input));
    return settled(stack->rows.put_back(input, shape[0] * shape[1]).view(shape), 3, stack->parameters,
                   std::move(parameter_gradients));
  }
};

void expect(const char* name, const Tensor& tensor, at::IntArrayRef shape) {
  TORCH_CHECK(tensor.sizes() == shape, name, " of a layer is ", tensor.sizes(), ": expected ", shape);
}

// Memory is walked without further checks from here on.
void check_shapes(const Tensor& x, const Tensor& mask, int64_t heads, int64_t f, at::ArrayRef<Tensor> p) {
  TORCH_CHECK(x.dim() == 3 && x.numel() > 0, "the input of a layer is ", x.sizes(), ": expected [B, L, D]");
  const int64_t d = x.size(2);
  TORCH_CHECK(heads > 0 && d % (2 * heads) == 0, "the hidden size ", d, " is not ", heads, " heads of an even size");
  TORCH_CHECK(mask.is_cpu() && mask.scalar_type() == at::kBool, "the attention mask is ", mask.toString(), ": expected bool");
  expect("the attention mask", mask, {x.size(0), x.size(1)});
  expect("Wqkv", p[WQKV], {3 * d, d});
  expect("attn.Wo", p[WO], {d, d});
  expect("mlp_norm", p[NORM], {d});
  expect("mlp.Wi", p[WI], {2 * f, d});
  expect("mlp.Wo", p[WF], {d, f});
  expect("the LayerNorm behind", p[NEXT], {d});
}

}  // namespace

extern "C" {

// x is [B, L, D]; mask bool [B, L], true at tokens; positions int64 [B, S], the ones that are asked for, or
// null for all, with or without padding; `parameters` and `of_layers` those of each layer in turn. → [B, S, D] or [B, L, D].
// Null where this has no kernels: another device or precision than float32 of the CPU, or a libtorch without
// BLAS.
char* electra_torch_modernbert(Level level, const ElectraTorchDropoutKeys* keys, const Tensor* x, const Tensor* mask,
                               const Tensor* positions, bool with_padding, const ElectraTorchModernBert* settings,
                               const ElectraTorchModernBertLayer* of_layers, const Tensor* const* parameters, size_t layers,
                               Tensor** output) {
  return caught([&] {
    *output = nullptr;
    TORCH_CHECK(layers > 0, "no layer");
    variable_list all;
    all.reserve(layers * PARAMETERS);
    for (size_t index = 0; index < layers * PARAMETERS; ++index) all.push_back(*parameters[index]);
    const Tensor input = widened(*x);
    if (!has_kernels(input) || !has_kernels(all)) return;
    const int64_t f = all[WF].dim() == 2 ? all[WF].size(1) : 0;
    for (size_t layer = 0; layer < layers; ++layer) {
      check_shapes(input, *mask, settings->heads, f, at::ArrayRef<Tensor>(all).slice(layer * PARAMETERS, PARAMETERS));
    }
    for (Tensor& tensor : all) {
      if (!tensor.is_contiguous()) tensor = tensor.contiguous();
    }

    const auto stack = c10::make_intrusive<Stack>(rows_of(*mask, with_padding), std::move(all), level);
    stack->d = input.size(2), stack->f = f, stack->length = input.size(1);
    stack->heads = settings->heads, stack->eps = static_cast<float>(settings->eps);
    stack->zeros.assign(std::max(stack->d, stack->f), 0.0f);
    std::vector<int64_t> shape = input.sizes().vec();
    if (positions != nullptr) {
      TORCH_CHECK(positions->is_cpu() && positions->scalar_type() == at::kLong && positions->dim() == 2 &&
                      positions->size(0) == shape[0],
                  "the positions are ", positions->toString(), " ", positions->sizes(), ": expected int64 [", shape[0], ", S]");
      stack->selected = selected_rows(*positions, stack->rows, shape[1]);
      shape[1] = positions->size(1);
    }
    stack->layers.resize(layers);
    for (size_t which = 0; which < layers; ++which) {
      Layer& layer = stack->layers[which];
      const bool is_selected = positions != nullptr && which + 1 == layers;
      layer.plan = is_selected ? &stack->last : &stack->whole;
      layer.pieces = stack->pieces_for(*layer.plan, of_layers[which].window);
      layer.angles = stack->angles_for(of_layers[which].theta);
      // The rows of the step's batch that come before this part's.
      const uint64_t before = is_selected    ? keys->examples * shape[1]
                              : with_padding ? keys->examples * input.size(1)
                                             : keys->tokens;
      layer.attention = dropout(settings->attention_dropout, *keys, before * stack->heads);
      layer.first = dropout(settings->attention_dropout, *keys, before);
      layer.inner = dropout(settings->mlp_dropout, *keys, before);
    }

    if (at::GradMode::is_enabled() && (input.requires_grad() || stack->parameters.learn())) {
      *output = new Tensor(Layers::apply(input, stack, at::IntArrayRef(shape), stack->parameters.inputs()));
    } else {
      at::NoGradGuard no_grad;
      *output = new Tensor(run(*stack, input, shape, false));
    }
  });
}

}  // extern "C"
