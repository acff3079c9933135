// A softmax over the vocabulary: the likelihood of a target in each row, and samples.
//
// Shapes: R rows, E embedding size, V vocabulary.

#include "caught.h"
#include "derivative.h"
#include "kernels.h"
#include "memory.h"
#include "parallel.h"
#include "product.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRows = 16;  // of a block: one has a sum of V numbers

struct LogLikelihood : torch::autograd::Function<LogLikelihood> {
  // → log p [R], and the logits [R, V] as what has no gradient
  static variable_list forward(AutogradContext* context, const Tensor& x, const Tensor& table, const Tensor& bias,
                               const Tensor& targets, bool keeps_logits, Level level) {
    at::AutoDispatchBelowADInplaceOrView below;
    const int64_t rows = x.size(0), e = x.size(1), v = table.size(0);
    const Tensor logits = empty({rows, v}), log_sums = empty({rows}), log_p = empty({rows});
    const Products products(level);
    products(rows, v, e, 1, matrix(x), matrix(table).t(), false, data(logits), v);
    parallel_blocks(rows, kRows, [&](int64_t, int64_t row, int64_t count) {
      kernels_of(level).log_likelihood(data(logits) + row * v, data(bias), targets.const_data_ptr<int64_t>() + row,
                                       data(log_sums) + row, data(log_p) + row, count, v);
    });
    context->save_for_backward({x, table, targets, logits, log_sums});
    context->saved_data["keeps"] = keeps_logits;
    context->saved_data["level"] = static_cast<int64_t>(level);
    context->saved_data["bf16"] = products.are_bf16();
    context->mark_non_differentiable({logits});
    return {log_p, logits};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    expect_first_derivative("an operation of the CPU's kernels");
    at::AutoDispatchBelowADInplaceOrView below;
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &table = saved[1], &targets = saved[2], &logits = saved[3], &log_sums = saved[4];
    const int64_t rows = x.size(0), e = x.size(1), v = table.size(0);
    const Level level = static_cast<Level>(context->saved_data["level"].toInt());
    const Kernels& kernels = kernels_of(level);
    const Products products(level, context->saved_data["bf16"].toBool());
    const bool keeps = context->saved_data["keeps"].toBool() || torch::autograd::get_current_graph_task_keep_graph();
    const Tensor g = gradients[0].contiguous(), g_logits = keeps ? empty({rows, v}) : logits;
    const Tensor sums = empty({blocks(rows, kRows), v}), g_bias = empty({v}), g_x = empty({rows, e}), g_table = empty({v, e});
    parallel_blocks(rows, kRows, [&](int64_t block, int64_t row, int64_t count) {
      kernels.log_likelihood_backward(data(logits) + row * v, targets.const_data_ptr<int64_t>() + row, data(log_sums) + row,
                                      data(g) + row, data(g_logits) + row * v, data(sums) + block * v, count, v);
    });
    kernels.sum(data(sums), data(g_bias), sums.size(0), v);
    products(rows, e, v, 1, matrix(g_logits), matrix(table), false, data(g_x), e);
    products(v, e, rows, 1, matrix(g_logits).t(), matrix(x), false, data(g_table), e);
    return {g_x, g_table, g_bias, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

extern "C" {

// x is [R, E], table [V, E], bias [V], targets int64 [R]. Without keeps_logits a backward pass overwrites the
// logits. Null where this has no kernels.
char* electra_torch_log_likelihood(Level level, const Tensor* x, const Tensor* table, const Tensor* bias,
                                   const Tensor* targets, bool keeps_logits, Tensor** log_p, Tensor** logits) {
  return caught([&] {
    *log_p = *logits = nullptr;
    const Tensor input = widened(*x);
    if (!has_kernels({input, *table, *bias})) return;
    TORCH_CHECK(input.dim() == 2 && table->dim() == 2 && input.size(1) == table->size(1), "rows ", input.sizes(), " and a table ",
                table->sizes(), ": expected [R, E] and [V, E]");
    const int64_t rows = input.size(0), v = table->size(0);
    TORCH_CHECK(bias->sizes() == at::IntArrayRef({v}), "the bias is ", bias->sizes(), ": expected [", v, "]");
    TORCH_CHECK(targets->is_cpu() && targets->scalar_type() == at::kLong && targets->sizes() == at::IntArrayRef({rows}),
                "the targets are ", targets->toString(), " ", targets->sizes(), ": expected int64 [", rows, "]");
    const Tensor ids = targets->contiguous();
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t id = ids.const_data_ptr<int64_t>()[row];
      TORCH_CHECK(id >= 0 && id < v, "target ", row, " is ", id, ": expected 0 to ", v - 1);
    }
    const variable_list both =
        LogLikelihood::apply(input.contiguous(), table->contiguous(), bias->contiguous(), ids, keeps_logits, level);
    *log_p = new Tensor(both[0]);
    *logits = new Tensor(both[1]);
  });
}

// logits are [R, V], uniforms [R] → int64 [R]. Null where this has no kernels.
char* electra_torch_sample(Level level, const Tensor* logits, const Tensor* uniforms, Tensor** sampled) {
  return caught([&] {
    *sampled = nullptr;
    if (!has_kernels({*logits, *uniforms})) return;
    TORCH_CHECK(logits->dim() == 2 && logits->size(1) > 0, "the logits are ", logits->sizes(), ": expected [R, V]");
    const int64_t rows = logits->size(0), v = logits->size(1);
    TORCH_CHECK(uniforms->sizes() == at::IntArrayRef({rows}), "the uniforms are ", uniforms->sizes(), ": expected [", rows, "]");
    at::NoGradGuard no_grad;
    const Tensor from = logits->contiguous(), numbers = uniforms->contiguous(), found = at::empty({rows}, at::kLong);
    parallel(rows, [&](int64_t begin, int64_t end) {
      const std::unique_ptr<float[]> scratch(new float[v]);
      for (int64_t row = begin; row < end; ++row) {
        found.mutable_data_ptr<int64_t>()[row] =
            kernels_of(level).sample(data(from) + row * v, data(numbers)[row], scratch.get(), v);
      }
    });
    *sampled = new Tensor(found);
  });
}

}  // extern "C"
