// A Transformer layer of BERT, dropout included, as one node of the autograd graph.
//
// Written with libtorch's operations a layer is some twenty-five of them, most of which read and write memory for little
// arithmetic; at small widths they and what lies between them are most of a step. Here the matrix products are BLAS calls,
// and all that happens between two of them is one pass over the rows.
// Shapes: B batch, L length, N = B·L, D hidden size, F feed-forward size, H heads, A = D / H.

#include "caught.h"
#include "kernels.h"
#include "memory.h"
#include "parallel.h"
#include "product.h"
#include "random.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

// The parameters in the order of a checkpoint. Mirrors ffi::layer::PARAMETERS.
enum Parameter { WQ, BQ, WK, BK, WV, BV, WO, BO, G1, C1, WI, BI, WF, BF, G2, C2, PARAMETERS };

// Mirrors ffi::layer::Settings.
struct ElectraTorchLayer {
  int64_t heads;
  double eps;
  double hidden_dropout;
  double attention_dropout;
};

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRows = 64;  // of a block between two products
constexpr const char* kPass = "pass";

using List = std::array<Tensor, PARAMETERS>;

// The layer on a batch: sizes, dropout, and what a forward pass leaves for the backward pass.
struct Pass : torch::CustomClassHolder {
  int64_t batch, length, d, f, heads;
  float eps;
  Dropout attention, first, second;  // first and second: of the two sub-layers

  Tensor input;                // [N, D]
  Tensor open;                 // [B, P] int32: 1 at keys that may be attended to
  Tensor qkv;                  // [N, 3 D]
  Tensor probabilities;        // [B, H, L, P], a sign set where dropped; undefined where nobody asks for gradients
  Tensor attended;             // [N, D]
  Tensor sum1, middle, stats1; // [N, D] before and after the first LayerNorm, its means and deviations [2, N]
  Tensor before;               // [N, F] before the GELU and its bias
  Tensor sum2, stats2;         // as of the first

  int64_t n() const { return batch * length; }
  // P: L made up to whole vectors, as what is left over of a row takes as long as several of them.
  int64_t padded() const { return (length + 15) / 16 * 16; }
  int64_t a() const { return d / heads; }
  // Of a head: where it begins in a row of [N, D].
  int64_t at(int64_t head) const { return (head / heads) * length * d + (head % heads) * a(); }
  // Q, K or V (0, 1, 2) of a head.
  Matrix part(const Tensor& of, int64_t head, int64_t which) const {
    return {of.const_data_ptr<float>() + (head / heads) * length * 3 * d + which * d + (head % heads) * a(), 3 * d};
  }
  Norm norm(const Tensor& weight, const Tensor& bias, const Tensor& stats, int64_t row) const {
    float* means = data(stats) + row;
    return {weight.const_data_ptr<float>(), bias.const_data_ptr<float>(), eps, means, means + n()};
  }

  Tensor forward(const List& p, bool keeps);
  void attend(bool keeps);
  void add_norm(const Tensor& x, const Tensor& bias, const Tensor& residual, const Tensor& weight, const Tensor& shift,
                const Tensor& stats, const Tensor& out, Dropout dropout) const;

  Tensor backward(const List& p, const Tensor& g_output, List& of) const;
  Tensor attend_backward(const Tensor& g_attended) const;
  std::array<Tensor, 2> add_norm_backward(const Tensor& x, const Tensor& g, const Tensor& weight, const Tensor& stats,
                                          Dropout dropout, Tensor& g_weight, Tensor& g_shift, Tensor& g_bias) const;
};

// x ← residual + dropout(x + bias), out ← LayerNorm(x)
void Pass::add_norm(const Tensor& x, const Tensor& bias, const Tensor& residual, const Tensor& weight, const Tensor& shift,
                    const Tensor& stats, const Tensor& out, Dropout dropout) const {
  parallel_blocks(n(), kRows, [&](int64_t, int64_t row, int64_t rows) {
    kernels().add_norm(data(x) + row * d, data(bias), data(residual) + row * d, data(out) + row * d,
                       norm(weight, shift, stats, row), rows, d, dropout, row);
  });
}

void Pass::attend(bool keeps) {
  const int64_t columns = padded(), square = length * columns;
  probabilities = keeps ? empty({batch, heads, length, columns}) : Tensor();
  const float scale = 1.0f / std::sqrt(static_cast<float>(a()));
  parallel(batch * heads, [&](int64_t begin, int64_t end) {
    const std::unique_ptr<float[]> scratch(new float[2 * square]);
    for (int64_t head = begin; head < end; ++head) {
      float* p = keeps ? data(probabilities) + head * square : scratch.get() + square;
      float* kept = attention.rate > 0 ? scratch.get() : p;
      product(length, length, a(), scale, part(qkv, head, 0), part(qkv, head, 1).t(), 0, p, columns);
      kernels().softmax(p, kept, open.const_data_ptr<int32_t>() + (head / heads) * columns, length, columns, attention,
                        head * length);
      product(length, a(), length, 1, {kept, columns}, part(qkv, head, 2), 0, data(attended) + at(head), d);
    }
  });
}

Tensor Pass::forward(const List& p, bool keeps) {
  qkv = empty({n(), 3 * d});
  attended = empty({n(), d});
  sum1 = empty({n(), d}), middle = empty({n(), d}), stats1 = empty({2, n()});
  before = empty({n(), f});
  sum2 = empty({n(), d}), stats2 = empty({2, n()});
  const Tensor inner = empty({n(), f}), output = empty({n(), d});

  for (int64_t which = 0; which < 3; ++which) {
    float* of = data(qkv) + which * d;
    const float* bias = data(p[BQ + 2 * which]);
    parallel_blocks(n(), kRows, [&](int64_t, int64_t row, int64_t rows) {
      for (int64_t at = row; at < row + rows; ++at) std::copy(bias, bias + d, of + at * 3 * d);
    });
    product(n(), d, d, 1, matrix(input), matrix(p[WQ + 2 * which]).t(), 1, of, 3 * d);
  }
  attend(keeps);
  product(n(), d, d, 1, matrix(attended), matrix(p[WO]).t(), 0, data(sum1), d);
  add_norm(sum1, p[BO], input, p[G1], p[C1], stats1, middle, first);
  product(n(), f, d, 1, matrix(middle), matrix(p[WI]).t(), 0, data(before), f);
  parallel_blocks(n(), kRows, [&](int64_t, int64_t row, int64_t rows) {
    kernels().gelu(data(before) + row * f, data(p[BI]), data(inner) + row * f, rows, f);
  });
  product(n(), d, f, 1, matrix(inner), matrix(p[WF]).t(), 0, data(sum2), d);
  add_norm(sum2, p[BF], middle, p[G2], p[C2], stats2, output, second);
  return output;
}

// The gradients of the residual and of the branch, [N, D].
std::array<Tensor, 2> Pass::add_norm_backward(const Tensor& x, const Tensor& g, const Tensor& weight, const Tensor& stats,
                                              Dropout dropout, Tensor& g_weight, Tensor& g_shift, Tensor& g_bias) const {
  const Tensor g_residual = empty({n(), d}), g_branch = dropout.rate > 0 ? empty({n(), d}) : g_residual;
  const Tensor sums = empty({blocks(n(), kRows), 3, d});
  parallel_blocks(n(), kRows, [&](int64_t block, int64_t row, int64_t rows) {
    float* sum = data(sums) + block * 3 * d;
    const int64_t from = row * d;
    kernels().add_norm_backward(data(x) + from, data(g) + from, data(g_residual) + from, data(g_branch) + from, sum, sum + d,
                                sum + 2 * d, norm(weight, weight, stats, row), rows, d, dropout, row);
  });
  const Tensor total = empty({3, d});
  kernels().sum(data(sums), data(total), sums.size(0), 3 * d);
  g_weight = total[0], g_shift = total[1], g_bias = total[2];
  return {g_residual, g_branch};
}

// The gradient of Q, K and V, [N, 3 D].
Tensor Pass::attend_backward(const Tensor& g_attended) const {
  const Tensor g_qkv = empty({n(), 3 * d});
  const int64_t columns = padded(), square = length * columns;
  const float scale = 1.0f / std::sqrt(static_cast<float>(a()));
  parallel(batch * heads, [&](int64_t begin, int64_t end) {
    const std::unique_ptr<float[]> scratch(new float[2 * square]());  // zeros, which g keeps beyond L
    float *kept = scratch.get(), *g = kept + square;
    for (int64_t head = begin; head < end; ++head) {
      const Matrix g_out{data(g_attended) + at(head), d};
      const auto of = [&](int64_t which) { return const_cast<float*>(part(g_qkv, head, which).data); };
      product(length, length, a(), 1, g_out, part(qkv, head, 2).t(), 0, g, columns);
      kernels().softmax_backward(data(probabilities) + head * square, kept, g, length, columns, attention);
      product(length, a(), length, 1, Matrix{kept, columns}.t(), g_out, 0, of(2), 3 * d);
      product(length, a(), length, scale, {g, columns}, part(qkv, head, 1), 0, of(0), 3 * d);
      product(length, a(), length, scale, Matrix{g, columns}.t(), part(qkv, head, 0), 0, of(1), 3 * d);
    }
  });
  return g_qkv;
}

// Of the gradient of the output that of the input; those of the parameters go to `of`.
Tensor Pass::backward(const List& p, const Tensor& g_output, List& of) const {
  const auto [g_sum2, g_second] = add_norm_backward(sum2, g_output, p[G2], stats2, second, of[G2], of[C2], of[BF]);
  const Tensor g_before = empty({n(), f}), inner = empty({n(), f}), sums = empty({blocks(n(), kRows), f});
  product(n(), f, d, 1, matrix(g_second), matrix(p[WF]), 0, data(g_before), f);
  parallel_blocks(n(), kRows, [&](int64_t block, int64_t row, int64_t rows) {
    kernels().gelu_backward(data(before) + row * f, data(p[BI]), data(inner) + row * f, data(g_before) + row * f,
                            data(sums) + block * f, rows, f);
  });
  of[BI] = empty({f});
  kernels().sum(data(sums), data(of[BI]), sums.size(0), f);
  of[WF] = empty({d, f}), of[WI] = empty({f, d});
  product(d, f, n(), 1, matrix(g_second).t(), matrix(inner), 0, data(of[WF]), f);
  product(f, d, n(), 1, matrix(g_before).t(), matrix(middle), 0, data(of[WI]), d);
  product(n(), d, f, 1, matrix(g_before), matrix(p[WI]), 1, data(g_sum2), d);  // now the gradient of the middle

  const auto [g_sum1, g_first] = add_norm_backward(sum1, g_sum2, p[G1], stats1, first, of[G1], of[C1], of[BO]);
  of[WO] = empty({d, d});
  product(d, d, n(), 1, matrix(g_first).t(), matrix(attended), 0, data(of[WO]), d);
  const Tensor g_attended = empty({n(), d});
  product(n(), d, d, 1, matrix(g_first), matrix(p[WO]), 0, data(g_attended), d);
  const Tensor g_qkv = attend_backward(g_attended);

  const Tensor biases = empty({blocks(n(), kRows), 3 * d}), bias = empty({3 * d});
  parallel_blocks(n(), kRows, [&](int64_t block, int64_t row, int64_t rows) {
    kernels().sum(data(g_qkv) + row * 3 * d, data(biases) + block * 3 * d, rows, 3 * d);
  });
  kernels().sum(data(biases), data(bias), biases.size(0), 3 * d);
  for (int64_t which = 0; which < 3; ++which) {
    const Matrix g{data(g_qkv) + which * d, 3 * d};
    of[WQ + 2 * which] = empty({d, d});
    of[BQ + 2 * which] = bias.narrow(0, which * d, d);
    product(d, d, n(), 1, g.t(), matrix(input), 0, data(of[WQ + 2 * which]), d);
    product(n(), d, d, 1, g, matrix(p[WQ + 2 * which]), 1, data(g_sum1), d);  // becomes the gradient of the input
  }
  return g_sum1;
}

struct Layer : torch::autograd::Function<Layer> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const c10::intrusive_ptr<Pass>& pass, at::TensorList p) {
    at::AutoDispatchBelowADInplaceOrView below;
    List list;
    std::copy(p.begin(), p.end(), list.begin());
    const Tensor output = pass->forward(list, true);
    context->save_for_backward(p.vec());
    context->saved_data[kPass] = at::IValue::make_capsule(pass);
    return output.view(x.sizes());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    at::AutoDispatchBelowADInplaceOrView below;
    const auto saved = context->get_saved_variables();
    List list, of;
    std::copy(saved.begin(), saved.end(), list.begin());
    const auto pass = c10::static_intrusive_pointer_cast<Pass>(context->saved_data[kPass].toCapsule());
    // The engine frees the saved variables after this, and knows nothing of the rest.
    if (!torch::autograd::get_current_graph_task_keep_graph()) context->saved_data.clear();
    const Tensor g_input = pass->backward(list, gradients[0].contiguous(), of);
    variable_list all{g_input.view(gradients[0].sizes()), Tensor()};
    all.insert(all.end(), of.begin(), of.end());
    return all;
  }
};

void expect(const char* name, const Tensor& tensor, at::IntArrayRef shape) {
  TORCH_CHECK(tensor.sizes() == shape, name, " of a layer is ", tensor.sizes(), ": expected ", shape);
}

// Memory is walked without further checks from here on.
void check_shapes(const Tensor& x, const Tensor& mask, int64_t heads, const List& p) {
  TORCH_CHECK(x.dim() == 3 && x.numel() > 0, "the input of a layer is ", x.sizes(), ": expected [B, L, D]");
  TORCH_CHECK(p[WI].dim() == 2, "intermediate.weight of a layer is ", p[WI].sizes(), ": expected [F, D]");
  const int64_t d = x.size(2), f = p[WI].size(0);
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

// x is [B, L, D]; mask bool [B, L], true at keys that may be attended to. Null where this has no kernels: another device or precision
// than float32 of the CPU, or a libtorch without BLAS.
char* electra_torch_layer(const Tensor* x, const Tensor* mask, const ElectraTorchLayer* settings,
                          const Tensor* const* parameters, Tensor** output) {
  return caught([&] {
    *output = nullptr;
    List list;
    std::transform(parameters, parameters + PARAMETERS, list.begin(), [](const Tensor* tensor) { return *tensor; });
    if (!has_kernels(*x) || !has_kernels(list)) return;
    check_shapes(*x, *mask, settings->heads, list);
    for (Tensor& tensor : list) tensor = tensor.contiguous();

    const auto pass = c10::make_intrusive<Pass>();
    pass->batch = x->size(0), pass->length = x->size(1), pass->d = x->size(2), pass->f = list[WI].size(0);
    pass->heads = settings->heads, pass->eps = static_cast<float>(settings->eps);
    pass->attention = dropout(settings->attention_dropout);
    pass->first = dropout(settings->hidden_dropout), pass->second = dropout(settings->hidden_dropout);
    pass->input = x->detach().reshape({pass->n(), pass->d}).contiguous();
    pass->open = at::zeros({pass->batch, pass->padded()}, at::kInt);
    pass->open.narrow(1, 0, pass->length).copy_(*mask);

    const auto learns = [](const Tensor& tensor) { return tensor.requires_grad(); };
    if (at::GradMode::is_enabled() && (learns(*x) || std::any_of(list.begin(), list.end(), learns))) {
      *output = new Tensor(Layer::apply(*x, pass, at::TensorList(list)));
    } else {
      at::NoGradGuard no_grad;
      *output = new Tensor(pass->forward(list, false).view(x->sizes()));
    }
  });
}

}  // extern "C"
