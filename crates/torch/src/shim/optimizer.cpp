// Operations over whole lists of parameters and their gradients.

#include "caught.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

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

// On the CPU libtorch sums the squares of a float32 tensor one after the other, which loses five digits over an
// embedding table; the norm of its pieces' norms does not.
constexpr int64_t kPiece = 1 << 14;

void push_pieces(const at::Tensor& gradient, std::vector<at::Tensor>& pieces) {
  if (gradient.is_cpu() && gradient.is_contiguous() && gradient.numel() > kPiece) {
    for (at::Tensor& piece : gradient.view(-1).split(kPiece)) pieces.push_back(std::move(piece));
  } else {
    pieces.push_back(gradient);
  }
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
    std::vector<at::Tensor> gradients;  // or pieces of them
    auto kind = at::kFloat;
    for (size_t i = 0; i < count; ++i) {
      const at::Tensor& gradient = parameters[i]->grad();
      if (!gradient.defined()) continue;
      push_pieces(gradient, gradients);
      // libtorch refuses to sum in a narrower kind than the summands'.
      if (gradient.scalar_type() == at::kDouble) kind = at::kDouble;
    }
    if (gradients.empty()) {
      at::Device device = count > 0 ? parameters[0]->device() : at::Device(at::kCPU);
      *norm = new at::Tensor(at::zeros({}, at::TensorOptions(at::kFloat).device(device)));
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
