// What a softmax over the vocabulary is computed from: dense, GELU and LayerNorm, as one node of the autograd
// graph.
//
// Shapes: R rows, D hidden size, E embedding size.

#include "caught.h"
#include "derivative.h"
#include "kernels.h"
#include "memory.h"
#include "parallel.h"
#include "parameters.h"
#include "product.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <vector>

// Mirrors ffi::transform::PARAMETERS.
enum Parameter { DENSE, DENSE_BIAS, WEIGHT, BIAS, PARAMETERS };

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRows = 64;  // of a block

struct Transform : torch::autograd::Function<Transform> {
  static Tensor forward(AutogradContext* context, const Tensor& x, double eps,
                        const c10::intrusive_ptr<Parameters>& parameters, at::TensorList) {
    at::AutoDispatchBelowADInplaceOrView below;
    const variable_list& p = parameters->all();
    const int64_t d = x.size(-1), e = p[DENSE].size(0), r = x.numel() / d;
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = e;
    const Tensor before = empty({r, e}), inner = empty({r, e}), out = empty(at::IntArrayRef(shape)), stats = empty({2, r});
    parameters->products(r, e, d, 1, matrix(x), matrix(p[DENSE]).t(), false, data(before), e);
    parallel_blocks(r, kRows, [&](int64_t, int64_t row, int64_t count) {
      const Norm norm{data(p[WEIGHT]), data(p[BIAS]), static_cast<float>(eps), data(stats) + row, data(stats) + r + row};
      parameters->kernels.gelu(data(before) + row * e, data(p[DENSE_BIAS]), data(inner) + row * e, count, e);
      parameters->kernels.norm(data(inner) + row * e, data(out) + row * e, norm, count, e);
    });
    context->save_for_backward({x, before, inner, stats});
    save(context, parameters);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    expect_first_derivative("an operation of the CPU's kernels");
    at::AutoDispatchBelowADInplaceOrView below;
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &before = saved[1], &inner = saved[2], &stats = saved[3];
    const auto parameters = saved_parameters(context);
    const variable_list& p = parameters->all();
    const Tensor &dense = p[DENSE], &bias = p[DENSE_BIAS], &weight = p[WEIGHT];
    const int64_t r = before.size(0), e = before.size(1), d = dense.size(1);
    const Tensor g = gradients[0].contiguous(), g_before = empty({r, e}), again = empty({r, e});
    const Tensor sums = empty({blocks(r, kRows), 3, e}), total = empty({3, e}), g_dense = empty({e, d}), g_x = empty(x.sizes());
    parallel_blocks(r, kRows, [&](int64_t block, int64_t row, int64_t count) {
      const Norm norm{data(weight), data(weight), 0, data(stats) + row, data(stats) + r + row};
      float *sum = data(sums) + block * 3 * e, *gradient = data(g_before) + row * e;
      parameters->kernels.norm_backward(data(inner) + row * e, data(g) + row * e, gradient, sum, sum + e, norm, count, e,
                                        {0, 0}, 0);
      parameters->kernels.gelu_backward(data(before) + row * e, data(bias), data(again) + row * e, gradient, sum + 2 * e,
                                        count, e);
    });
    parameters->kernels.sum(data(sums), data(total), sums.size(0), 3 * e);
    parameters->products(e, d, r, 1, matrix(g_before).t(), matrix(x), false, data(g_dense), d);
    parameters->products(r, d, e, 1, matrix(g_before), matrix(dense), false, data(g_x), d);
    const auto vector = [&](int64_t which) { return tensor_at(total, data(total) + which * e, {e}); };
    return settled(g_x, 3, *parameters, {g_dense, vector(2), vector(0), vector(1)});
  }
};

}  // namespace

extern "C" {

// x is […, D] → […, E]. Null where this has no kernels.
char* electra_torch_transform(Level level, const Tensor* x, double eps, const Tensor* const* parameters, Tensor** output) {
  return caught([&] {
    *output = nullptr;
    std::array<Tensor, PARAMETERS> p;
    std::transform(parameters, parameters + PARAMETERS, p.begin(), [](const Tensor* tensor) { return tensor->contiguous(); });
    const Tensor input = widened(*x);
    if (!has_kernels(input) || !has_kernels(p)) return;
    TORCH_CHECK(input.dim() > 0 && input.size(-1) > 0, "the rows are ", input.sizes(), ": expected […, D]");
    TORCH_CHECK(p[DENSE].dim() == 2 && p[DENSE].size(1) == input.size(-1), "the weight is ", p[DENSE].sizes(),
                ": expected [E, ", input.size(-1), "]");
    for (const auto which : {DENSE_BIAS, WEIGHT, BIAS}) {
      TORCH_CHECK(p[which].sizes() == at::IntArrayRef({p[DENSE].size(0)}), "a vector is ", p[which].sizes(), ": expected [",
                  p[DENSE].size(0), "]");
    }
    const auto all = c10::make_intrusive<Parameters>(variable_list(p.begin(), p.end()), level);
    *output = new Tensor(Transform::apply(input.contiguous(), eps, all, all->inputs()));
  });
}

}  // extern "C"
