// Transformer layers of BERT, dropout included, as one node of the autograd graph.
//
// Written with libtorch's operations a layer is some twenty-five of them, most of which read and write memory
// for little arithmetic; at small widths they and what lies between them are most of a step. Here the matrix
// products are BLAS calls, all that happens between two of them is one pass over the rows, and padding is
// left out of both unless it is asked for. Shapes: B batch, L length, N rows that are computed, D hidden
// size, F feed-forward size, H heads, A = D / H.

#include "caught.h"
#include "derivative.h"
#include "kernels.h"
#include "memory.h"
#include "parallel.h"
#include "parameters.h"
#include "product.h"
#include "random.h"
#include "rows.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <array>
#include <cmath>

// The parameters of a layer in the order of a checkpoint. Mirrors ffi::layers::PARAMETERS.
enum Parameter { WQ, BQ, WK, BK, WV, BV, WO, BO, G1, C1, WI, BI, WF, BF, G2, C2, PARAMETERS };

// Mirrors ffi::layers::Settings.
struct ElectraTorchLayers {
  int64_t heads;
  double eps;
  double hidden_dropout;
  double attention_dropout;
  double rotary_theta;  // 0 where positions are not rotary
  bool rotary_interleaved;
};

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRows = 64;  // of a block between two products
constexpr int64_t kSmall = 96;  // the longest example whose attention is not left to BLAS
constexpr const char *kStack = "stack", *kShape = "shape";

// The rows that a layer is computed at: all rows of the batch, or of the last layer those that are asked for.
// Keys and values are of all rows in any case.
struct Plan {
  const Rows* rows;
  const std::vector<int64_t>* row;  // of each among all rows; null for all of them
  std::vector<int64_t> places;      // where the probabilities of each example begin, and behind the last

  int64_t count() const { return rows->count(); }
};

// What a layer computes at R rows of a plan, and at all N.
struct Arrays {
  Tensor memory;                  // of all of them
  float* taken;                   // [R, D] the input there, where it is not the whole
  float *q, *kv;                  // [R, D], [N, 2 D]
  float* probabilities;           // [H, r, P] of each example, a sign set where dropped
  float* attended;                // [R, D]
  float *sum1, *stats1;           // [R, D] before the first LayerNorm, its means and deviations [2, R]
  float* before;                  // [R, F] before the GELU and its bias
  float *sum2, *stats2;           // as of the first
};

// What its backward pass needs. What a LayerNorm gives is not kept but computed again, as it costs a pass.
struct SavedLayer : Arrays {
  const Plan* plan;
  Tensor input;                      // [N, D]; only of the first layer after the forward pass
  Dropout attention, first, second;  // first and second: of the two sub-layers

  int64_t r() const { return plan->count(); }
  const float* residual(const float* input) const { return plan->row == nullptr ? input : taken; }
};

// What a forward pass needs for a while.
struct Workspace {
  float *middle, *inner;  // [·, D] after the first LayerNorm, [·, F] after the GELU
};

// What a backward pass needs and leaves to the next layer's, each for as many rows as any layer has.
struct BackwardWorkspace {
  float *first, *second, *third;  // [·, D]
  float *inner, *g_inner;         // [·, F]
  float *g_q, *g_kv;              // [·, D], [·, 2 D]
  float* sums;                    // of each block
};

struct Head;

// Layers on a batch.
struct Stack : torch::CustomClassHolder {
  BatchRows rows;
  SelectedRows selected;
  Plan whole{&rows, nullptr, {}}, last{&selected, &selected.row, {}};
  Parameters parameters;  // of each layer in turn, and the kernels
  int64_t d, f, heads;
  float eps;
  std::vector<SavedLayer> saved;  // of each layer, until its backward pass
  int64_t length;                // L
  Tensor angles;                 // [L, A] of rotary positions: cosines, then sines; undefined where there are none
  bool interleaved;

  using List = std::array<const float*, PARAMETERS>;

  Stack(const Stack&) = delete;
  Stack(BatchRows batch_rows, std::vector<Tensor> list, Level level)
      : rows(std::move(batch_rows)), parameters(std::move(list), level) {}

  const Products& products = parameters.products;

  int64_t n() const { return rows.count(); }
  int64_t most() const { return std::max(rows.count(), selected.count()); }
  int64_t a() const { return d / heads; }
  // A length made up to whole vectors, as what is left over of a row takes as long as several of them.
  static int64_t padded(int64_t length) { return (length + 15) / 16 * 16; }
  int64_t most_square() const { return std::max(rows.longest(), selected.longest()) * padded(rows.most_tokens()); }
  void place(Plan& plan) const;

  List list(size_t layer) const;
  template <typename Body>
  void for_each_head(const Plan& plan, const Body& body) const;
  Arrays arrays(const Plan& plan, bool keeps) const;
  Tensor forward(const List& p, SavedLayer& layer, const Workspace& workspace, bool keeps) const;
  Right linear(int64_t count, const float* weight, const float* bias, float* out, int64_t stride) const;
  void turn(float* x, int64_t stride, const Plan& plan, bool back) const;
  Attention attention(const SavedLayer& layer, const Head& head) const;
  bool is_small(const Head& head) const;
  void attend(SavedLayer& layer, bool keeps) const;
  void add_norm(const SavedLayer& layer, float* x, const float* bias, const float* residual, const float* weight,
                const float* shift, float* stats, float* out, Dropout dropout) const;

  BackwardWorkspace backward_workspace(Arena& arena) const;
  float* backward(size_t which, const float* g_output, BackwardWorkspace& workspace, Tensor* gradients) const;
  void norm(const float* x, const float* weight, const float* shift, float* stats, float* out, int64_t count) const;
  const float* input_of(size_t which, float* room) const;
  void attend_backward(const SavedLayer& layer, const float* g_attended, float* g_q, float* g_kv) const;
  void add_norm_backward(const SavedLayer& layer, const float* x, const float* g, float* g_residual, float* g_branch,
                         const float* weight, float* stats, Dropout dropout, float* sums, float* total) const;
  void sum_rows(const float* x, int64_t count, int64_t size, float* sums, float* total) const;
};

// Zeros in `rows` rows of `size` numbers, `stride` apart.
void clear(float* x, int64_t rows, int64_t size, int64_t stride) {
  for (int64_t row = 0; row < rows; ++row) std::fill_n(x + row * stride, size, 0.0f);
}

// A head of an example: where its rows and its queries begin, and where it begins in a row.
struct Head {
  int64_t first, rows, query, column, length, queries, columns;
  int64_t place, number;  // of its probabilities, and of their first row in all of them
};

void Stack::place(Plan& plan) const {
  plan.places = {0};
  for (int64_t example = 0; example < rows.examples(); ++example) {
    const int64_t square = plan.rows->length_of(example) * padded(rows.tokens[example]);
    plan.places.push_back(plan.places.back() + heads * square);
  }
}

Stack::List Stack::list(size_t layer) const {
  List pointers;
  for (size_t which = 0; which < PARAMETERS; ++which) {
    pointers[which] = parameters.all()[layer * PARAMETERS + which].const_data_ptr<float>();
  }
  return pointers;
}

// body(head, scratch for two squares and a transpose)
template <typename Body>
void Stack::for_each_head(const Plan& plan, const Body& body) const {
  const int64_t square = most_square(), longest = padded(rows.most_tokens());
  parallel(rows.examples() * heads, [&](int64_t begin, int64_t end) {
    float* scratch;
    const Tensor memory = allocate([&](Arena& arena) { scratch = arena(2 * square + a() * longest); });
    for (int64_t index = begin; index < end; ++index) {
      const int64_t example = index / heads, head = index % heads, length = rows.tokens[example], columns = padded(length);
      const int64_t query = plan.rows->first[example], queries = plan.rows->length_of(example);
      const Head slice{rows.first[example], rows.length_of(example), query, head * a(), length, queries, columns,
                    plan.places[example] + head * queries * columns, query * heads + head * queries};
      body(slice, scratch);
    }
  });
}

Attention Stack::attention(const SavedLayer& layer, const Head& head) const {
  const float* k = layer.kv + head.first * 2 * d + head.column;
  const float scale = 1.0f / std::sqrt(static_cast<float>(a()));
  return {layer.q + head.query * d + head.column, k, k + d, d, 2 * d, head.queries, head.length, head.columns, a(), scale,
          layer.attention, static_cast<uint64_t>(head.number)};
}

// Whether the kernels are for this size of heads, and faster than BLAS.
bool Stack::is_small(const Head& head) const {
  return !products.are_bf16() && parameters.kernels.attend != nullptr && a() % 16 == 0 && head.length <= kSmall;
}

// x ← residual + dropout(x + bias), out ← LayerNorm(x)
void Stack::add_norm(const SavedLayer& layer, float* x, const float* bias, const float* residual, const float* weight,
                     const float* shift, float* stats, float* out, Dropout dropout) const {
  const int64_t r = layer.r();
  parallel_blocks(r, kRows, [&](int64_t, int64_t row, int64_t count) {
    const int64_t from = row * d;
    const Norm norm{weight, shift, eps, stats + row, stats + r + row};
    parameters.kernels.add_norm(x + from, bias, residual + from, out + from, norm, count, d, dropout, row);
  });
}

void Stack::attend(SavedLayer& layer, bool keeps) const {
  const int64_t square = most_square();
  for_each_head(*layer.plan, [&](const Head& head, float* scratch) {
    const Attention inputs = attention(layer, head);
    float* p = keeps ? layer.probabilities + head.place : scratch + square;
    float *dropped = layer.attention.rate > 0 ? scratch : p, *out = layer.attended + head.query * d + head.column;
    if (inputs.length == 0) return clear(out, inputs.queries, inputs.size, d);
    if (is_small(head)) {
      parameters.kernels.attend(inputs, p, dropped, out, d, scratch + 2 * square);
      return;
    }
    products(inputs.queries, inputs.size, inputs.scale, {inputs.q, inputs.q_row},
             {{inputs.length, Matrix{inputs.k, inputs.row}.t(), false, p, inputs.columns, true}});
    parameters.kernels.softmax(p, dropped, inputs.queries, inputs.length, inputs.columns, inputs.dropout, inputs.number);
    products(inputs.queries, inputs.size, inputs.length, 1, {dropped, inputs.columns}, {inputs.v, inputs.row}, false, out, d);
  });
}

Arrays Stack::arrays(const Plan& plan, bool keeps) const {
  const int64_t r = plan.count();
  Arrays made;
  made.memory = allocate([&](Arena& arena) {
    made.taken = arena(plan.row == nullptr ? 0 : r * d);
    made.q = arena(r * d), made.kv = arena(n() * 2 * d);
    made.probabilities = arena(keeps ? plan.places.back() : 0);
    made.attended = arena(r * d);
    made.sum1 = arena(r * d), made.stats1 = arena(2 * r);
    made.before = arena(r * f);
    made.sum2 = arena(r * d), made.stats2 = arena(2 * r);
  });
  return made;
}

// What adds input weightᵀ to the bias, in out [count, D], its rows `stride` apart.
Right Stack::linear(int64_t count, const float* weight, const float* bias, float* out, int64_t stride) const {
  parallel_blocks(count, kRows, [&](int64_t, int64_t row, int64_t rows) {
    for (int64_t index = row; index < row + rows; ++index) std::copy_n(bias, d, out + index * stride);
  });
  return {d, Matrix{weight, d}.t(), true, out, stride};
}

// Queries or keys, or their gradients, of the rows of a plan, turned by their positions if those are rotary.
void Stack::turn(float* x, int64_t stride, const Plan& plan, bool back) const {
  if (!angles.defined()) return;
  parallel_blocks(plan.count(), kRows, [&](int64_t, int64_t row, int64_t count) {
    for (int64_t index = row; index < row + count; ++index) {
      const int64_t place = rows.place[plan.row == nullptr ? index : (*plan.row)[index]];
      const float* of_position = angles.const_data_ptr<float>() + place % length * a();
      parameters.kernels.turn(x + index * stride, of_position, heads, a(), interleaved, back);
    }
  });
}

Tensor Stack::forward(const List& p, SavedLayer& layer, const Workspace& workspace, bool keeps) const {
  const int64_t r = layer.r();
  const Tensor output = empty({r, d});
  for (int64_t row = 0; layer.plan->row != nullptr && row < r; ++row) {
    std::copy_n(data(layer.input) + (*layer.plan->row)[row] * d, d, layer.taken + row * d);
  }
  const float* residual = layer.residual(data(layer.input));
  const Right q = linear(r, p[WQ], p[BQ], layer.q, d), k = linear(n(), p[WK], p[BK], layer.kv, 2 * d),
              v = linear(n(), p[WV], p[BV], layer.kv + d, 2 * d);
  if (layer.plan->row == nullptr) {
    products(n(), d, 1, matrix(layer.input), {q, k, v});
  } else {
    products(r, d, 1, {residual, d}, {q});
    products(n(), d, 1, matrix(layer.input), {k, v});
  }
  turn(layer.q, d, *layer.plan, false);
  turn(layer.kv, 2 * d, whole, false);
  attend(layer, keeps);
  products(r, d, d, 1, {layer.attended, d}, Matrix{p[WO], d}.t(), false, layer.sum1, d);
  add_norm(layer, layer.sum1, p[BO], residual, p[G1], p[C1], layer.stats1, workspace.middle, layer.first);
  products(r, f, d, 1, {workspace.middle, d}, Matrix{p[WI], d}.t(), false, layer.before, f);
  parallel_blocks(r, kRows, [&](int64_t, int64_t row, int64_t count) {
    parameters.kernels.gelu(layer.before + row * f, p[BI], workspace.inner + row * f, count, f);
  });
  products(r, d, f, 1, {workspace.inner, f}, Matrix{p[WF], f}.t(), false, layer.sum2, d);
  add_norm(layer, layer.sum2, p[BF], workspace.middle, p[G2], p[C2], layer.stats2, data(output), layer.second);
  return output;
}

// The gradients of the residual and of the branch, [R, D], and of weight, bias and the branch's bias, [3, D].
void Stack::add_norm_backward(const SavedLayer& layer, const float* x, const float* g, float* g_residual, float* g_branch,
                              const float* weight, float* stats, Dropout dropout, float* sums, float* total) const {
  const int64_t r = layer.r();
  parallel_blocks(r, kRows, [&](int64_t block, int64_t row, int64_t count) {
    float* sum = sums + block * 3 * d;
    const int64_t from = row * d;
    const Norm norm{weight, weight, eps, stats + row, stats + r + row};
    parameters.kernels.add_norm_backward(x + from, g + from, g_residual + from, g_branch + from, sum, sum + d, sum + 2 * d, norm,
                                count, d, dropout, row);
  });
  parameters.kernels.sum(sums, total, blocks(r, kRows), 3 * d);
}

// The gradients of Q, [R, D], and of K and V, [N, 2 D].
void Stack::attend_backward(const SavedLayer& layer, const float* g_attended, float* g_q, float* g_kv) const {
  const int64_t square = most_square();
  for_each_head(*layer.plan, [&](const Head& head, float* scratch) {
    const Attention inputs = attention(layer, head);
    const float *p = layer.probabilities + head.place, *g_out = g_attended + head.query * d + head.column;
    float *dropped = scratch, *g = scratch + square;
    float *out_q = g_q + (inputs.q - layer.q), *out_k = g_kv + (inputs.k - layer.kv), *out_v = out_k + d;
    if (inputs.length == 0) clear(out_q, inputs.queries, inputs.size, inputs.q_row);
    // Nobody attends to padding.
    for (float* part : {out_k, out_v}) {
      clear(part + inputs.length * inputs.row, head.rows - inputs.length, inputs.size, inputs.row);
    }
    if (inputs.length == 0) return;
    if (is_small(head)) {
      parameters.kernels.attend_backward(inputs, p, dropped, g, g_out, d, out_q, out_k, out_v, scratch + 2 * square);
      return;
    }
    products(inputs.queries, inputs.size, 1, {g_out, d}, {{inputs.length, Matrix{inputs.v, inputs.row}.t(), false, g, inputs.columns, true}});
    parameters.kernels.softmax_backward(p, dropped, g, inputs.queries, inputs.length, inputs.columns, inputs.dropout);
    products(inputs.length, inputs.size, inputs.queries, 1, Matrix{dropped, inputs.columns}.t(), {g_out, d}, false, out_v, inputs.row);
    products(inputs.queries, inputs.size, inputs.length, inputs.scale, {g, inputs.columns}, {inputs.k, inputs.row}, false, out_q,
            inputs.q_row);
    products(inputs.length, inputs.size, inputs.queries, inputs.scale, Matrix{g, inputs.columns}.t(),
            {inputs.q, inputs.q_row}, false, out_k, inputs.row);
  });
}

BackwardWorkspace Stack::backward_workspace(Arena& arena) const {
  const int64_t most_rows = most();
  BackwardWorkspace workspace;
  workspace.first = arena(most_rows * d), workspace.second = arena(most_rows * d), workspace.third = arena(most_rows * d);
  workspace.inner = arena(most_rows * f), workspace.g_inner = arena(most_rows * f);
  workspace.g_q = arena(most_rows * d), workspace.g_kv = arena(n() * 2 * d);
  workspace.sums = arena(blocks(most_rows, kRows) * std::max(3 * d, f));
  return workspace;
}

// total [size] ← the sum of the rows of x
void Stack::sum_rows(const float* x, int64_t count, int64_t size, float* sums, float* total) const {
  parallel_blocks(count, kRows, [&](int64_t block, int64_t row, int64_t rows) {
    parameters.kernels.sum(x + row * size, sums + block * size, rows, size);
  });
  parameters.kernels.sum(sums, total, blocks(count, kRows), size);
}

// out ← LayerNorm(x), as it was
void Stack::norm(const float* x, const float* weight, const float* shift, float* stats, float* out, int64_t count) const {
  parallel_blocks(count, kRows, [&](int64_t, int64_t row, int64_t rows) {
    parameters.kernels.norm(x + row * d, out + row * d, {weight, shift, eps, stats + row, stats + count + row}, rows, d);
  });
}

// The input of a layer, [N, D], which is the output of the one below.
const float* Stack::input_of(size_t which, float* room) const {
  if (which == 0) return data(saved[0].input);
  const SavedLayer& below = saved[which - 1];
  const List p = list(which - 1);
  norm(below.sum2, p[G2], p[C2], below.stats2, room, n());
  return room;
}

// Of the gradient of a layer's output that of its input, which lies in the workspace; those of the parameters
// go to `gradients`.
float* Stack::backward(size_t which, const float* g_output, BackwardWorkspace& workspace, Tensor* gradients) const {
  const List p = list(which);
  const SavedLayer& layer = saved[which];
  const int64_t r = layer.r();
  float *w_qkv, *b_qkv, *w_o, *norm1, *w_i, *b_i, *w_f, *norm2;
  const Tensor memory = allocate([&](Arena& arena) {
    w_qkv = arena(3 * d * d), b_qkv = arena(3 * d), w_o = arena(d * d), norm1 = arena(3 * d);
    w_i = arena(f * d), b_i = arena(f), w_f = arena(d * f), norm2 = arena(3 * d);
  });

  // Without dropout a branch has the gradient of its sum.
  float* g_middle = g_output == workspace.first ? workspace.third : workspace.first;
  float* g_second = layer.second.rate > 0 ? workspace.second : g_middle;
  add_norm_backward(layer, layer.sum2, g_output, g_middle, g_second, p[G2], layer.stats2, layer.second, workspace.sums, norm2);
  products(r, f, d, 1, {g_second, d}, {p[WF], f}, false, workspace.g_inner, f);
  parallel_blocks(r, kRows, [&](int64_t block, int64_t row, int64_t count) {
    parameters.kernels.gelu_backward(layer.before + row * f, p[BI], workspace.inner + row * f, workspace.g_inner + row * f,
                                     workspace.sums + block * f, count, f);
  });
  parameters.kernels.sum(workspace.sums, b_i, blocks(r, kRows), f);
  products(d, f, r, 1, Matrix{g_second, d}.t(), {workspace.inner, f}, false, w_f, f);
  float* middle = workspace.second;  // whose gradient nobody needs any more
  norm(layer.sum1, p[G1], p[C1], layer.stats1, middle, r);
  products(f, d, r, 1, Matrix{workspace.g_inner, f}.t(), {middle, d}, false, w_i, d);
  products(r, d, f, 1, {workspace.g_inner, f}, {p[WI], d}, true, g_middle, d);

  float* g_taken = g_middle == workspace.first ? workspace.third : workspace.first;
  float* g_first = layer.first.rate > 0 ? workspace.second : g_taken;
  add_norm_backward(layer, layer.sum1, g_middle, g_taken, g_first, p[G1], layer.stats1, layer.first, workspace.sums, norm1);
  products(d, d, r, 1, Matrix{g_first, d}.t(), {layer.attended, d}, false, w_o, d);
  float* spare = g_middle;  // which nobody needs any more
  products(r, d, d, 1, {g_first, d}, {p[WO], d}, false, spare, d);
  attend_backward(layer, spare, workspace.g_q, workspace.g_kv);
  turn(workspace.g_q, d, *layer.plan, true);
  turn(workspace.g_kv, 2 * d, whole, true);

  sum_rows(workspace.g_q, r, d, workspace.sums, b_qkv);
  sum_rows(workspace.g_kv, n(), 2 * d, workspace.sums, b_qkv + d);
  const float* input = input_of(which, workspace.second);
  products(d, d, r, 1, Matrix{workspace.g_q, d}.t(), {layer.residual(input), d}, false, w_qkv, d);
  products(2 * d, d, n(), 1, Matrix{workspace.g_kv, 2 * d}.t(), {input, d}, false, w_qkv + d * d, d);
  products(r, d, d, 1, {workspace.g_q, d}, {p[WQ], d}, true, g_taken, d);
  float* g_input = layer.plan->row == nullptr ? g_taken : spare;
  products(n(), d, d, 1, {workspace.g_kv, 2 * d}, {p[WK], d}, g_input == g_taken, g_input, d);
  products(n(), d, d, 1, {workspace.g_kv + d, 2 * d}, {p[WV], d}, true, g_input, d);
  for (int64_t row = 0; g_input != g_taken && row < r; ++row) {
    parameters.kernels.add(g_taken + row * d, g_input + (*layer.plan->row)[row] * d, d);
  }

  const auto weight = [&](Parameter parameter, const float* array, int64_t outputs, int64_t inputs) {
    gradients[parameter] = tensor_at(memory, array, {outputs, inputs});
  };
  const auto vector = [&](Parameter parameter, const float* array, int64_t size) {
    gradients[parameter] = tensor_at(memory, array, {size});
  };
  weight(WQ, w_qkv, d, d), weight(WK, w_qkv + d * d, d, d), weight(WV, w_qkv + 2 * d * d, d, d);
  vector(BQ, b_qkv, d), vector(BK, b_qkv + d, d), vector(BV, b_qkv + 2 * d, d);
  weight(WO, w_o, d, d), vector(G1, norm1, d), vector(C1, norm1 + d, d), vector(BO, norm1 + 2 * d, d);
  weight(WI, w_i, f, d), vector(BI, b_i, f);
  weight(WF, w_f, d, f), vector(G2, norm2, d), vector(C2, norm2 + d, d), vector(BF, norm2 + 2 * d, d);
  return g_input;
}

// x [B, L, D] → `shape`, [B, L, D] or [B, S, D]
Tensor run(Stack& stack, const Tensor& x, at::IntArrayRef shape, bool keeps) {
  Workspace workspace;
  const Tensor memory = allocate(
      [&](Arena& arena) { workspace.middle = arena(stack.most() * stack.d), workspace.inner = arena(stack.most() * stack.f); });
  Tensor rows = stack.rows.taken(x);
  for (size_t index = 0; index < stack.saved.size(); ++index) {
    SavedLayer& layer = stack.saved[index];
    // Where nothing is kept, layers of one plan share their memory.
    const bool is_new = keeps || index == 0 || layer.plan != stack.saved[index - 1].plan;
    static_cast<Arrays&>(layer) = is_new ? stack.arrays(*layer.plan, keeps) : stack.saved[index - 1];
    layer.input = rows;
    rows = stack.forward(stack.list(index), layer, workspace, keeps);
    if (!keeps || index > 0) layer.input = Tensor();
  }
  return stack.saved.back().plan->rows->put_back(rows, shape[0] * shape[1]).view(shape);
}

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

    const Tensor output = stack->saved.back().plan->rows->taken(gradients[0]);
    BackwardWorkspace workspace;
    const Tensor memory = allocate([&](Arena& arena) { workspace = stack->backward_workspace(arena); });
    const float* g = output.const_data_ptr<float>();
    variable_list parameter_gradients(stack->saved.size() * PARAMETERS);
    for (size_t layer = stack->saved.size(); layer-- > 0;) {
      g = stack->backward(layer, g, workspace, &parameter_gradients[layer * PARAMETERS]);
      if (!again) static_cast<Arrays&>(stack->saved[layer]) = Arrays(), stack->saved[layer].input = Tensor();
    }
    const Tensor input = empty({stack->n(), stack->d});
    std::copy_n(g, input.numel(), data(input));
    return settled(stack->rows.put_back(input, shape[0] * shape[1]).view(shape), 3, stack->parameters,
                   std::move(parameter_gradients));
  }
};

// [L, A]: the cosines of a position's angles p θ^(−2i/A), then the sines.
Tensor rotary_angles(int64_t length, int64_t size, double theta) {
  const Tensor angles = empty({length, size});
  const int64_t half = size / 2;
  for (int64_t position = 0; position < length; ++position) {
    for (int64_t i = 0; i < half; ++i) {
      const double angle = position * std::pow(theta, -2.0 * i / size);
      data(angles)[position * size + i] = static_cast<float>(std::cos(angle));
      data(angles)[position * size + half + i] = static_cast<float>(std::sin(angle));
    }
  }
  return angles;
}

void expect(const char* name, const Tensor& tensor, at::IntArrayRef shape) {
  TORCH_CHECK(tensor.sizes() == shape, name, " of a layer is ", tensor.sizes(), ": expected ", shape);
}

// Memory is walked without further checks from here on.
void check_shapes(const Tensor& x, const Tensor& mask, int64_t heads, int64_t f, at::ArrayRef<Tensor> p) {
  TORCH_CHECK(x.dim() == 3 && x.numel() > 0, "the input of a layer is ", x.sizes(), ": expected [B, L, D]");
  TORCH_CHECK(p[WI].dim() == 2, "intermediate.weight of a layer is ", p[WI].sizes(), ": expected [F, D]");
  const int64_t d = x.size(2);
  TORCH_CHECK(heads > 0 && d % heads == 0, heads, " heads do not divide the hidden size ", d);
  TORCH_CHECK(mask.is_cpu() && mask.scalar_type() == at::kBool, "the attention mask is ", mask.toString(), ": expected bool");
  expect("the attention mask", mask, {x.size(0), x.size(1)});
  for (const auto which : {WQ, WK, WV, WO}) expect("a weight of the attention", p[which], {d, d});
  for (const auto which : {BQ, BK, BV, BO, G1, C1, BF, G2, C2}) expect("a vector", p[which], {d});
  expect("intermediate.weight", p[WI], {f, d});
  expect("intermediate.bias", p[BI], {f});
  expect("output.weight", p[WF], {d, f});
}

}  // namespace

extern "C" {

// x is [B, L, D]; mask bool [B, L], true at tokens; positions int64 [B, S], the ones that are asked for, or
// null for all, with or without padding; `parameters` those of each layer in turn. → [B, S, D] or [B, L, D].
// Null where this has no kernels: another device or precision than float32 of the CPU, or a libtorch without
// BLAS.
char* electra_torch_layers(Level level, const ElectraTorchDropoutKeys* keys, const Tensor* x, const Tensor* mask,
                           const Tensor* positions, bool with_padding, const ElectraTorchLayers* settings,
                           const Tensor* const* parameters, size_t layers, Tensor** output) {
  return caught([&] {
    *output = nullptr;
    TORCH_CHECK(layers > 0, "no layer");
    variable_list all;
    all.reserve(layers * PARAMETERS);
    for (size_t index = 0; index < layers * PARAMETERS; ++index) all.push_back(*parameters[index]);
    const Tensor input = widened(*x);
    if (!has_kernels(input) || !has_kernels(all)) return;
    for (size_t layer = 0; layer < layers; ++layer) {
      check_shapes(input, *mask, settings->heads, all[WI].size(0), at::ArrayRef<Tensor>(all).slice(layer * PARAMETERS, PARAMETERS));
    }
    for (Tensor& tensor : all) {
      if (!tensor.is_contiguous()) tensor = tensor.contiguous();
    }

    const auto stack = c10::make_intrusive<Stack>(rows_of(*mask, with_padding), std::move(all), level);
    stack->d = input.size(2), stack->f = stack->parameters.all()[WI].size(0);
    stack->heads = settings->heads, stack->eps = static_cast<float>(settings->eps);
    stack->length = input.size(1), stack->interleaved = settings->rotary_interleaved;
    if (settings->rotary_theta > 0) stack->angles = rotary_angles(stack->length, stack->a(), settings->rotary_theta);
    stack->place(stack->whole);
    stack->saved.resize(layers);
    for (SavedLayer& layer : stack->saved) layer.plan = &stack->whole;
    std::vector<int64_t> shape = input.sizes().vec();
    if (positions != nullptr) {
      TORCH_CHECK(positions->is_cpu() && positions->scalar_type() == at::kLong && positions->dim() == 2 &&
                      positions->size(0) == shape[0],
                  "the positions are ", positions->toString(), " ", positions->sizes(), ": expected int64 [", shape[0], ", S]");
      stack->selected = selected_rows(*positions, stack->rows, shape[1]);
      stack->place(stack->last);
      stack->saved.back().plan = &stack->last;
      shape[1] = positions->size(1);
    }
    for (SavedLayer& layer : stack->saved) {
      // The rows of the step's batch that come before this part's.
      const uint64_t before = layer.plan == &stack->last ? keys->examples * shape[1]
                              : with_padding             ? keys->examples * input.size(1)
                                                         : keys->tokens;
      layer.attention = dropout(settings->attention_dropout, *keys, before * stack->heads);
      layer.first = dropout(settings->hidden_dropout, *keys, before);
      layer.second = dropout(settings->hidden_dropout, *keys, before);
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
