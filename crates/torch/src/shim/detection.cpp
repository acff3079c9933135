// The head that says of each token whether it was replaced, as one node of the autograd graph: dense, GELU,
// dense to 1.
//
// Shapes: N rows, D hidden size.

#include "caught.h"
#include "derivative.h"
#include "kernels.h"
#include "memory.h"
#include "parallel.h"
#include "parameters.h"
#include "product.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRows = 64;  // of a block

struct Detect : torch::autograd::Function<Detect> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const c10::intrusive_ptr<Parameters>& parameters,
                        at::TensorList) {
    at::AutoDispatchBelowADInplaceOrView below;
    const variable_list& p = parameters->all();
    const Tensor &weight = p[0], &bias = p[1], &prediction = p[2], &shift = p[3];
    const int64_t d = x.size(-1), n = x.numel() / d;
    const Tensor inner = empty({n, d}), logits = empty(x.sizes().slice(0, x.dim() - 1));
    parameters->products(n, d, d, 1, matrix(x), matrix(weight).t(), false, data(inner), d);
    parallel_blocks(n, kRows, [&](int64_t, int64_t row, int64_t rows) {
      parameters->kernels.detect(data(inner) + row * d, data(bias), data(prediction), *data(shift), data(logits) + row, rows, d);
    });
    context->save_for_backward({x, inner});
    save(context, parameters);
    return logits;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    expect_first_derivative("an operation of the CPU's kernels");
    at::AutoDispatchBelowADInplaceOrView below;
    const auto saved = context->get_saved_variables();
    const auto parameters = saved_parameters(context);
    const variable_list& p = parameters->all();
    const Tensor &x = saved[0], &inner = saved[1], &weight = p[0], &bias = p[1], &prediction = p[2];
    const int64_t d = x.size(-1), n = x.numel() / d;
    const Tensor g = gradients[0].contiguous(), g_inner = empty({n, d}), sums = empty({blocks(n, kRows), 2, d});
    parallel_blocks(n, kRows, [&](int64_t block, int64_t row, int64_t rows) {
      float* sum = data(sums) + block * 2 * d;
      parameters->kernels.detect_backward(data(inner) + row * d, data(bias), data(prediction), data(g) + row,
                                          data(g_inner) + row * d, sum, sum + d, rows, d);
    });
    const Tensor total = empty({2 * d + 1}), g_weight = empty({d, d}), g_x = empty(x.sizes());
    parameters->kernels.sum(data(sums), data(total), sums.size(0), 2 * d);
    parameters->kernels.sum(data(g), data(total) + 2 * d, n, 1);
    parameters->products(d, d, n, 1, matrix(g_inner).t(), matrix(x), false, data(g_weight), d);
    parameters->products(n, d, d, 1, matrix(g_inner), matrix(weight), false, data(g_x), d);
    return settled(g_x, 2, *parameters,
                   {g_weight, tensor_at(total, data(total), {d}), tensor_at(total, data(total) + d, {1, d}),
                    tensor_at(total, data(total) + 2 * d, {1})});
  }
};

}  // namespace

extern "C" {

// x is […, D], weight [D, D], bias [D], prediction [1, D], shift [1] → […]. Null where this has no kernels.
char* electra_torch_detect(Level level, const Tensor* x, const Tensor* weight, const Tensor* bias, const Tensor* prediction,
                           const Tensor* shift, Tensor** logits) {
  return caught([&] {
    *logits = nullptr;
    const Tensor input = widened(*x);
    if (!has_kernels({input, *weight, *bias, *prediction, *shift})) return;
    TORCH_CHECK(input.dim() > 0 && input.size(-1) > 0, "the rows are ", input.sizes(), ": expected […, D]");
    const int64_t d = input.size(-1);
    const auto expect = [](const char* name, const Tensor& tensor, at::IntArrayRef shape) {
      TORCH_CHECK(tensor.sizes() == shape, name, " is ", tensor.sizes(), ": expected ", shape);
    };
    expect("the weight", *weight, {d, d});
    expect("the bias", *bias, {d});
    expect("the weight of the prediction", *prediction, {1, d});
    expect("the bias of the prediction", *shift, {1});
    const auto all = c10::make_intrusive<Parameters>(
        variable_list{weight->contiguous(), bias->contiguous(), prediction->contiguous(), *shift}, level);
    *logits = new Tensor(Detect::apply(input.contiguous(), all, all->inputs()));
  });
}

}  // extern "C"
