// A Transformer layer of BERT as one node of the autograd graph.
//
// At small widths a step is many short operations, and libtorch spends much of the time between them, on its dispatcher and
// on a node for each. Here forward and backward call the kernels of the CPU directly. Q, K and V are one matrix product.
// Shapes: B batch, L length, N = B·L, D hidden size, H heads, A = D / H.

#include "caught.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward_cpu_dispatch.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_cpu_dispatch.h>
#include <ATen/ops/add_cpu_dispatch.h>
#include <ATen/ops/addmm_cpu_dispatch.h>
#include <ATen/ops/cat_cpu_dispatch.h>
#include <ATen/ops/gelu_backward_cpu_dispatch.h>
#include <ATen/ops/gelu_cpu_dispatch.h>
#include <ATen/ops/mm_cpu_dispatch.h>
#include <ATen/ops/native_layer_norm_backward_cpu_dispatch.h>
#include <ATen/ops/native_layer_norm_cpu_dispatch.h>
#include <ATen/ops/sum_cpu_dispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>

// The parameters in the order of a checkpoint. Mirrors ffi::layer::PARAMETERS.
enum Parameter { WQ, BQ, WK, BK, WV, BV, WO, BO, G1, C1, WI, BI, WF, BF, G2, C2, PARAMETERS };

namespace {

namespace cpu = at::cpu;
using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Q, K or V (0, 1, 2) of [N, 3 D] as [B, H, L, A], without a copy.
Tensor heads(const Tensor& qkv, int64_t batch, int64_t heads, int64_t which) {
  const int64_t length = qkv.size(0) / batch, d = qkv.size(1) / 3, a = d / heads;
  return qkv.as_strided({batch, heads, length, a}, {length * 3 * d, a, 3 * d, 1}, which * d);
}

// [B, H, L, A] → [N, D]
Tensor rows(const Tensor& heads) {
  const int64_t n = heads.size(0) * heads.size(2), d = heads.size(1) * heads.size(3);
  return heads.transpose(1, 2).reshape({n, d});
}

template <size_t... I>
auto unpacked(const variable_list& list, std::index_sequence<I...>) {
  return std::tie(list[I]...);
}

struct Layer : torch::autograd::Function<Layer> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& mask, int64_t count, double eps,
                        at::TensorList p) {
    at::AutoDispatchBelowADInplaceOrView below;
    const int64_t batch = x.size(0), d = x.size(2);
    const Tensor input = x.reshape({-1, d});
    const Tensor w = cpu::cat({p[WQ], p[WK], p[WV]}, 0);
    const Tensor qkv = cpu::addmm(cpu::cat({p[BQ], p[BK], p[BV]}, 0), input, w.t());
    const auto [attended, lse] = cpu::_scaled_dot_product_flash_attention_for_cpu(
        heads(qkv, batch, count, 0), heads(qkv, batch, count, 1), heads(qkv, batch, count, 2), 0.0, false, mask);
    Tensor first = cpu::addmm(p[BO], rows(attended), p[WO].t());
    cpu::add_(first, input);
    const auto [middle, mean1, rstd1] = cpu::native_layer_norm(first, {d}, p[G1], p[C1], eps);
    const Tensor before = cpu::addmm(p[BI], middle, p[WI].t());
    const Tensor inner = cpu::gelu(before);
    Tensor second = cpu::addmm(p[BF], inner, p[WF].t());
    cpu::add_(second, middle);
    const auto [output, mean2, rstd2] = cpu::native_layer_norm(second, {d}, p[G2], p[C2], eps);
    context->save_for_backward({input, mask, qkv, attended, lse, first, middle, mean1, rstd1, before, inner, second,
                                mean2, rstd2, w, p[WO], p[G1], p[C1], p[WI], p[WF], p[G2], p[C2]});
    context->saved_data["heads"] = count;
    context->saved_data["batch"] = batch;
    return output.view(x.sizes());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    at::AutoDispatchBelowADInplaceOrView below;
    const auto saved = context->get_saved_variables();
    const auto& [input, mask, qkv, attended, lse, first, middle, mean1, rstd1, before, inner, second, mean2, rstd2, w, wo,
                 g1, c1, wi, wf, g2, c2] = unpacked(saved, std::make_index_sequence<22>{});
    const int64_t count = context->saved_data["heads"].toInt(), batch = context->saved_data["batch"].toInt();
    const int64_t n = input.size(0), d = input.size(1);
    std::array<Tensor, PARAMETERS> of;  // Gradients of the parameters; g_ is that of an activation.

    const Tensor g_output = gradients[0].reshape({n, d});
    Tensor g_second, g_first;
    std::tie(g_second, of[G2], of[C2]) =
        cpu::native_layer_norm_backward(g_output, second, {d}, mean2, rstd2, g2, c2, {true, true, true});
    of[BF] = cpu::sum(g_second, {0});
    of[WF] = cpu::mm(g_second.t(), inner);
    const Tensor g_before = cpu::gelu_backward(cpu::mm(g_second, wf), before);
    of[BI] = cpu::sum(g_before, {0});
    of[WI] = cpu::mm(g_before.t(), middle);
    const Tensor g_middle = cpu::addmm(g_second, g_before, wi);
    std::tie(g_first, of[G1], of[C1]) =
        cpu::native_layer_norm_backward(g_middle, first, {d}, mean1, rstd1, g1, c1, {true, true, true});
    of[BO] = cpu::sum(g_first, {0});
    of[WO] = cpu::mm(g_first.t(), rows(attended));
    const Tensor g_attended = cpu::mm(g_first, wo).view({batch, n / batch, count, d / count}).transpose(1, 2);
    const auto [g_q, g_k, g_v] = cpu::_scaled_dot_product_flash_attention_for_cpu_backward(
        g_attended, heads(qkv, batch, count, 0), heads(qkv, batch, count, 1), heads(qkv, batch, count, 2), attended, lse,
        0.0, false, mask);
    const Tensor g_qkv = cpu::cat({rows(g_q), rows(g_k), rows(g_v)}, 1);
    const Tensor g_w = cpu::mm(g_qkv.t(), input), g_b = cpu::sum(g_qkv, {0});
    for (int64_t which = 0; which < 3; ++which) {
      of[WQ + 2 * which] = g_w.narrow(0, which * d, d);
      of[BQ + 2 * which] = g_b.narrow(0, which * d, d);
    }
    const Tensor g_input = cpu::addmm(g_first, g_qkv, w).view({batch, n / batch, d});

    variable_list all{g_input, Tensor(), Tensor(), Tensor()};
    all.insert(all.end(), of.begin(), of.end());
    return all;
  }
};

}  // namespace

extern "C" {

// x is [B, L, D]; mask [B, 1, 1, L] is added to the scores. Null where the kernels that this calls are not the ones that
// libtorch would choose: another device or precision than float32 of the CPU.
char* electra_torch_layer(const Tensor* x, const Tensor* mask, int64_t heads, double eps, const Tensor* const* parameters,
                          Tensor** output) {
  return caught([&] {
    *output = nullptr;
    std::array<Tensor, PARAMETERS> list;
    std::transform(parameters, parameters + PARAMETERS, list.begin(), [](const Tensor* tensor) { return *tensor; });
    const auto plain = [](const Tensor& tensor) { return tensor.is_cpu() && tensor.scalar_type() == at::kFloat; };
    if (!plain(*x) || !std::all_of(list.begin(), list.end(), plain)) return;
    if (at::autocast::is_autocast_enabled(at::kCPU)) return;
    *output = new Tensor(Layer::apply(*x, *mask, heads, eps, at::TensorList(list)));
  });
}

}  // extern "C"
