// Operations over whole lists of parameters and their gradients.

#include "caught.h"
#include "kernels.h"
#include "parallel.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <numeric>
#include <vector>

// Mirrors ffi::optimizer::AdamW. The four lists are equally long.
struct ElectraTorchAdamW {
  at::Tensor* const* parameters;
  at::Tensor* const* exp_avgs;
  at::Tensor* const* exp_avg_sqs;
  at::Tensor* const* steps;
  size_t count;
  // Given to the kernel instead of each parameter's own step count, unless null.
  const at::Tensor* fixed_step;
  double lr;
  double beta1;
  double beta2;
  double weight_decay;
  double eps;
  // Null, or both given: scalars in float32 on the parameters' device.
  const at::Tensor* grad_scale;
  const at::Tensor* found_inf;
};

namespace {

// The CPU kernel walks raw memory: it would not notice that two tensors differ in any of these.
void check_alike(size_t index, const char* name, const at::Tensor& tensor, const at::Tensor& parameter) {
  TORCH_CHECK(
      tensor.sizes() == parameter.sizes() && tensor.scalar_type() == parameter.scalar_type() &&
          tensor.device() == parameter.device(),
      name, " of parameter ", index, " is ", tensor.toString(), " ", tensor.sizes(), " on ", tensor.device(),
      ": expected ", parameter.toString(), " ", parameter.sizes(), " on ", parameter.device());
}

void check_scalar(const char* name, const at::Tensor& tensor, const at::Device& device) {
  TORCH_CHECK(
      tensor.numel() == 1 && tensor.scalar_type() == at::kFloat && tensor.device() == device, name, " is ",
      tensor.toString(), " ", tensor.sizes(), " on ", tensor.device(), ": expected one float32 on ", device);
}

// Pieces short enough that the sum of their squares in float32 is right to its last digits; the sum over an embedding
// table would lose five.
constexpr int64_t kPiece = 1 << 12;

// The norm over float32 gradients of the CPU.
float norm_of(const std::vector<at::Tensor>& gradients) {
  struct Piece {
    const float* data;
    int64_t numbers;
  };
  std::vector<Piece> pieces;
  for (const at::Tensor& gradient : gradients) {
    const float* data = gradient.const_data_ptr<float>();
    for (int64_t at = 0; at < gradient.numel(); at += kPiece) {
      pieces.push_back({data + at, std::min(kPiece, gradient.numel() - at)});
    }
  }
  std::vector<float> sums(pieces.size());
  parallel(pieces.size(), [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) sums[at] = kernels().squares(pieces[at].data, pieces[at].numbers);
  });
  return static_cast<float>(std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0)));
}

}  // namespace

extern "C" {

char* electra_torch_adamw(const ElectraTorchAdamW* call) {
  return caught([&] {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> parameters, gradients, exp_avgs, exp_avg_sqs, counts, steps;
    for (size_t i = 0; i < call->count; ++i) {
      const at::Tensor& parameter = *call->parameters[i];
      at::Tensor gradient = parameter.grad();
      if (!gradient.defined()) continue;
      TORCH_CHECK(parameter.is_non_overlapping_and_dense(), "parameter ", i, " is not dense in memory");
      check_alike(i, "gradient", gradient, parameter);
      check_alike(i, "exp_avg", *call->exp_avgs[i], parameter);
      check_alike(i, "exp_avg_sq", *call->exp_avg_sqs[i], parameter);
      if (!gradient.strides().equals(parameter.strides())) {
        gradient = at::empty_like(parameter).copy_(gradient);
      }
      parameters.push_back(parameter);
      gradients.push_back(gradient);
      exp_avgs.push_back(*call->exp_avgs[i]);
      exp_avg_sqs.push_back(*call->exp_avg_sqs[i]);
      counts.push_back(*call->steps[i]);
      steps.push_back(call->fixed_step != nullptr ? *call->fixed_step : *call->steps[i]);
    }
    if (parameters.empty()) return;

    std::optional<at::Tensor> grad_scale, found_inf;
    if (call->found_inf != nullptr) {
      grad_scale = *call->grad_scale;
      found_inf = *call->found_inf;
      check_scalar("grad_scale", *grad_scale, parameters[0].device());
      check_scalar("found_inf", *found_inf, parameters[0].device());
      // The kernel returns early where found_inf is 1; the count must stay with it.
      at::_foreach_add_(counts, found_inf->neg().add(1));
    } else {
      at::_foreach_add_(counts, 1);
    }
    at::_fused_adamw_(
        parameters, gradients, exp_avgs, exp_avg_sqs, /*max_exp_avg_sqs=*/{}, steps, call->lr, call->beta1,
        call->beta2, call->weight_decay, call->eps, /*amsgrad=*/false, /*maximize=*/false, grad_scale, found_inf);
  });
}

// The L2 norm over all gradients together, a float32 scalar on their device, as a new tensor of the caller.
char* electra_torch_grad_norm(at::Tensor* const* parameters, size_t count, at::Tensor** norm) {
  return caught([&] {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    auto kind = at::kFloat;
    bool plain = true;
    for (size_t i = 0; i < count; ++i) {
      const at::Tensor& gradient = parameters[i]->grad();
      if (!gradient.defined()) continue;
      gradients.push_back(gradient);
      plain &= gradient.is_cpu() && gradient.scalar_type() == at::kFloat && gradient.is_non_overlapping_and_dense();
      // libtorch refuses to sum in a narrower kind than the summands'.
      if (gradient.scalar_type() == at::kDouble) kind = at::kDouble;
    }
    if (gradients.empty()) {
      at::Device device = count > 0 ? parameters[0]->device() : at::Device(at::kCPU);
      *norm = new at::Tensor(at::zeros({}, at::TensorOptions(at::kFloat).device(device)));
      return;
    }
    if (plain) {
      *norm = new at::Tensor(at::full({}, norm_of(gradients), at::kFloat));
      return;
    }
    std::vector<at::Tensor> norms = at::_foreach_norm(gradients, 2, kind);
    *norm = new at::Tensor(at::linalg_vector_norm(at::stack(norms), 2).to(at::kFloat));
  });
}

char* electra_torch_clear_grads(at::Tensor* const* parameters, size_t count) {
  return caught([&] {
    for (size_t i = 0; i < count; ++i) parameters[i]->mutable_grad().reset();
  });
}

}  // extern "C"
