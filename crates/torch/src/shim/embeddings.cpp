// The sum of three embeddings, its LayerNorm and dropout as one node of the autograd graph.
//
// Shapes: B batch, L length, N = B·L, E embedding size, V vocabulary, P positions, T token types.

#include "caught.h"
#include "derivative.h"
#include "kernels.h"
#include "memory.h"
#include "parallel.h"
#include "parameters.h"
#include "random.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>

// Mirrors ffi::embeddings::PARAMETERS.
enum Parameter { WORD, TOKEN_TYPE, POSITION, WEIGHT, BIAS, PARAMETERS };

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRows = 64;  // of a block

struct Call : Parameters {
  Call(variable_list all, Level level, double eps, Dropout dropped)
      : Parameters(std::move(all), level), eps(static_cast<float>(eps)), dropped(dropped) {}

  float eps;
  Dropout dropped;
};

struct Embed : torch::autograd::Function<Embed> {
  static Tensor forward(AutogradContext* context, const Tensor& ids, const Tensor& types, const c10::intrusive_ptr<Call>& call,
                        at::TensorList) {
    at::AutoDispatchBelowADInplaceOrView below;
    const variable_list& p = call->all();
    const int64_t n = ids.numel(), length = ids.size(1), e = p[WORD].size(1);
    const Tensor x = empty({n, e}), out = empty({ids.size(0), length, e}), stats = empty({2, n});
    parallel_blocks(n, kRows, [&](int64_t, int64_t row, int64_t rows) {
      const Tables tables{data(p[WORD]), data(p[TOKEN_TYPE]), data(p[POSITION]), ids.const_data_ptr<int64_t>() + row,
                          types.const_data_ptr<int64_t>() + row, length};
      const Norm norm{data(p[WEIGHT]), data(p[BIAS]), call->eps, data(stats) + row, data(stats) + n + row};
      call->kernels.embed(tables, data(x) + row * e, data(out) + row * e, norm, rows, e, call->dropped, row);
    });
    context->save_for_backward({ids, types, x, stats});
    save(context, call);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    expect_first_derivative("an operation of the CPU's kernels");
    at::AutoDispatchBelowADInplaceOrView below;
    const auto saved = context->get_saved_variables();
    const auto call = saved_parameters<Call>(context);
    const variable_list& p = call->all();
    const Tensor &ids = saved[0], &types = saved[1], &x = saved[2], &stats = saved[3], &weight = p[WEIGHT];
    const int64_t n = x.size(0), e = x.size(1), length = ids.size(1);
    const Tensor g = gradients[0].contiguous(), g_x = empty({n, e}), sums = empty({blocks(n, kRows), 2, e});
    parallel_blocks(n, kRows, [&](int64_t block, int64_t row, int64_t rows) {
      const Norm norm{data(weight), data(weight), 0, data(stats) + row, data(stats) + n + row};
      float* sum = data(sums) + block * 2 * e;
      call->kernels.norm_backward(data(x) + row * e, data(g) + row * e, data(g_x) + row * e, sum, sum + e, norm, rows, e,
                                  call->dropped, row);
    });
    const Tensor norm = empty({2, e});
    call->kernels.sum(data(sums), data(norm), sums.size(0), 2 * e);
    const Tensor g_word = scattered(g_x, ids, p[WORD], call->kernels);
    const Tensor g_type = scattered(g_x, types, p[TOKEN_TYPE], call->kernels);
    const Tensor g_position = at::zeros_like(p[POSITION]);
    for (int64_t row = 0; row < n; ++row) {
      call->kernels.add(data(g_x) + row * e, data(g_position) + (row % length) * e, e);
    }
    return settled(Tensor(), 3, *call, {g_word, g_type, g_position, norm[0], norm[1]});
  }

  // Zeros like the table, and the rows of g added where they were looked up.
  static Tensor scattered(const Tensor& g, const Tensor& ids, const Tensor& table, const Kernels& kernels) {
    const Tensor sum = at::zeros_like(table);
    const int64_t e = table.size(1), n = ids.numel();
    const int64_t* id = ids.const_data_ptr<int64_t>();
    // Each part of the table is one thread's, so that the order of a sum is that of the rows.
    const int64_t parts = std::min<int64_t>(table.size(0), at::get_num_threads());
    parallel(parts, [&](int64_t begin, int64_t end) {
      const int64_t first = begin * table.size(0) / parts, last = end * table.size(0) / parts;
      for (int64_t row = 0; row < n; ++row) {
        if (id[row] >= first && id[row] < last) kernels.add(data(g) + row * e, data(sum) + id[row] * e, e);
      }
    });
    return sum;
  }
};

void expect(const char* name, const Tensor& tensor, at::IntArrayRef shape) {
  TORCH_CHECK(tensor.sizes() == shape, name, " is ", tensor.sizes(), ": expected ", shape);
}

void check_ids(const char* name, const Tensor& ids, int64_t rows) {
  const int64_t* id = ids.const_data_ptr<int64_t>();
  for (int64_t index = 0; index < ids.numel(); ++index) {
    TORCH_CHECK(id[index] >= 0 && id[index] < rows, name, " holds ", id[index], ": expected 0 to ", rows - 1);
  }
}

}  // namespace

extern "C" {

// ids and types are int64 [B, L]. Null where this has no kernels.
char* electra_torch_embed(Level level, const ElectraTorchDropoutKeys* keys, const Tensor* ids, const Tensor* types, double eps,
                          double rate, const Tensor* const* parameters, Tensor** output) {
  return caught([&] {
    *output = nullptr;
    std::array<Tensor, PARAMETERS> p;
    std::transform(parameters, parameters + PARAMETERS, p.begin(), [](const Tensor* tensor) { return tensor->contiguous(); });
    const auto plain = [](const Tensor& ids) { return ids.is_cpu() && ids.scalar_type() == at::kLong; };
    if (!has_kernels(p) || !plain(*ids) || !plain(*types)) return;
    TORCH_CHECK(ids->dim() == 2, "the ids are ", ids->sizes(), ": expected [B, L]");
    expect("the token types", *types, ids->sizes());
    for (const auto which : {WORD, TOKEN_TYPE, POSITION}) {
      TORCH_CHECK(p[which].dim() == 2, "a table is ", p[which].sizes(), ": expected two dimensions");
    }
    const int64_t e = p[WORD].size(1);
    expect("the table of token types", p[TOKEN_TYPE], {p[TOKEN_TYPE].size(0), e});
    expect("the table of positions", p[POSITION], {p[POSITION].size(0), e});
    expect("the weight", p[WEIGHT], {e});
    expect("the bias", p[BIAS], {e});
    TORCH_CHECK(ids->size(1) <= p[POSITION].size(0), ids->size(1), " tokens and ", p[POSITION].size(0), " positions");
    const Tensor id = ids->contiguous(), type = types->contiguous();
    check_ids("the ids", id, p[WORD].size(0));
    check_ids("the token types", type, p[TOKEN_TYPE].size(0));
    const Dropout dropped = dropout(rate, *keys, keys->examples * ids->size(1));
    const auto call = c10::make_intrusive<Call>(variable_list(p.begin(), p.end()), level, eps, dropped);
    *output = new Tensor(Embed::apply(id, type, call, call->inputs()));
  });
}

}  // extern "C"
