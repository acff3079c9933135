// The head that says of each token whether it was replaced, as one node of the autograd graph: dense, GELU, dense to 1.
//
// Shapes: N rows, D hidden size.

#include "caught.h"
#include "kernels.h"
#include "memory.h"
#include "parallel.h"
#include "product.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRows = 64;  // of a block

struct Detect : torch::autograd::Function<Detect> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const Tensor& prediction) {
    at::AutoDispatchBelowADInplaceOrView below;
    const int64_t n = x.size(0), d = x.size(1);
    const Tensor inner = empty({n, d}), logits = empty({n});
    product(n, d, d, 1, matrix(x), matrix(weight).t(), 0, data(inner), d);
    parallel_blocks(n, kRows, [&](int64_t, int64_t row, int64_t rows) {
      kernels().detect(data(inner) + row * d, data(bias), data(prediction), data(logits) + row, rows, d);
    });
    context->save_for_backward({x, weight, bias, prediction, inner});
    return logits;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    at::AutoDispatchBelowADInplaceOrView below;
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &prediction = saved[3], &inner = saved[4];
    const int64_t n = x.size(0), d = x.size(1);
    const Tensor g = gradients[0].contiguous(), g_inner = empty({n, d}), sums = empty({blocks(n, kRows), 2, d});
    parallel_blocks(n, kRows, [&](int64_t block, int64_t row, int64_t rows) {
      float* sum = data(sums) + block * 2 * d;
      kernels().detect_backward(data(inner) + row * d, data(bias), data(prediction), data(g) + row, data(g_inner) + row * d,
                                sum, sum + d, rows, d);
    });
    const Tensor total = empty({2, d}), g_weight = empty({d, d}), g_x = empty({n, d});
    kernels().sum(data(sums), data(total), sums.size(0), 2 * d);
    product(d, d, n, 1, matrix(g_inner).t(), matrix(x), 0, data(g_weight), d);
    product(n, d, d, 1, matrix(g_inner), matrix(weight), 0, data(g_x), d);
    return {g_x, g_weight, total[0], total[1].view({1, d})};
  }
};

}  // namespace

extern "C" {

// x is [N, D], weight [D, D], bias [D], prediction [1, D] → [N], the bias of the second map aside. Null where this has no
// kernels.
char* electra_torch_detect(const Tensor* x, const Tensor* weight, const Tensor* bias, const Tensor* prediction,
                           Tensor** logits) {
  return caught([&] {
    *logits = nullptr;
    if (!has_kernels({*x, *weight, *bias, *prediction})) return;
    TORCH_CHECK(x->dim() == 2, "the rows are ", x->sizes(), ": expected [N, D]");
    const int64_t d = x->size(1);
    const auto expect = [](const char* name, const Tensor& tensor, at::IntArrayRef shape) {
      TORCH_CHECK(tensor.sizes() == shape, name, " is ", tensor.sizes(), ": expected ", shape);
    };
    expect("the weight", *weight, {d, d});
    expect("the bias", *bias, {d});
    expect("the weight of the prediction", *prediction, {1, d});
    *logits = new Tensor(Detect::apply(x->contiguous(), weight->contiguous(), bias->contiguous(), prediction->contiguous()));
  });
}

}  // extern "C"
