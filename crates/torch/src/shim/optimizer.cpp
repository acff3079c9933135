// Operations over whole lists of parameters and their gradients.

#include "caught.h"
#include "kernels.h"
#include "memory.h"
#include "parallel.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
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
  // What lr is multiplied by, a scalar in float32 on the parameters' device; nothing if null.
  const at::Tensor* rate;
  double beta1;
  double beta2;
  double weight_decay;
  double eps;
  // Null, or both given: scalars in float32 on the parameters' device.
  const at::Tensor* grad_scale;
  const at::Tensor* found_inf;
  Level level;
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

// Pieces short enough that the sum of their squares in float32 is right to its last digits; the sum over an
// embedding table would lose five.
constexpr int64_t kPiece = 1 << 12;

struct Piece {
  size_t index;  // of its tensor
  int64_t begin, size;
};

std::vector<Piece> pieces(const std::vector<at::Tensor>& tensors) {
  std::vector<Piece> all;
  for (size_t index = 0; index < tensors.size(); ++index) {
    const int64_t numbers = tensors[index].numel();
    for (int64_t begin = 0; begin < numbers; begin += kPiece) all.push_back({index, begin, std::min(kPiece, numbers - begin)});
  }
  return all;
}

// Float32 of the CPU, each number once.
bool is_plain(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_non_overlapping_and_dense();
}
bool are_plain(const std::vector<at::Tensor>& tensors) { return std::all_of(tensors.begin(), tensors.end(), is_plain); }

std::vector<float*> memory(const std::vector<at::Tensor>& tensors) {
  std::vector<float*> all;
  all.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) all.push_back(data(tensor));
  return all;
}

// The norm over plain gradients.
float norm_of(const std::vector<at::Tensor>& gradients, const Kernels& kernels) {
  const std::vector<float*> pointers = memory(gradients);
  const std::vector<Piece> parts = pieces(gradients);
  std::vector<float> sums(parts.size());
  parallel(parts.size(), [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      sums[piece] = kernels.squares(pointers[parts[piece].index] + parts[piece].begin, parts[piece].size);
    }
  });
  return static_cast<float>(std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0)));
}

// The norm over any gradients, a float32 scalar on their device.
at::Tensor norm_of_any(const std::vector<at::Tensor>& gradients) {
  // libtorch refuses to sum in a narrower kind than the summands'.
  const bool wide = std::any_of(gradients.begin(), gradients.end(),
                                [](const at::Tensor& gradient) { return gradient.scalar_type() == at::kDouble; });
  const std::vector<at::Tensor> norms = at::_foreach_norm(gradients, 2, wide ? at::kDouble : at::kFloat);
  return at::linalg_vector_norm(at::stack(norms), 2).to(at::kFloat);
}

at::Tensor scalar(float value) {
  const at::Tensor tensor = empty({});
  *data(tensor) = value;
  return tensor;
}

// As at::_fused_adamw_ on plain tensors, without its dispatch, which costs more than a small parameter.
void step_plain(const ElectraTorchAdamW& call, const std::vector<at::Tensor>& parameters,
                const std::vector<at::Tensor>& gradients, const std::vector<at::Tensor>& exp_avgs,
                const std::vector<at::Tensor>& exp_avg_sqs, const std::vector<at::Tensor>& counts) {
  if (call.found_inf != nullptr && *data(*call.found_inf) == 1) return;
  const double lr = call.rate != nullptr ? call.lr * *data(*call.rate) : call.lr;
  std::vector<AdamWStep> steps;
  steps.reserve(parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const double t = *data(counts[i]) += 1;
    const auto rest = [&](double beta) { return call.fixed_step != nullptr ? 1.0 : 1.0 - std::pow(beta, t); };
    AdamWStep step;
    step.grad_scale = call.grad_scale != nullptr ? *data(*call.grad_scale) : 1;
    step.beta1 = static_cast<float>(call.beta1), step.rest1 = static_cast<float>(1 - call.beta1);
    step.beta2 = static_cast<float>(call.beta2), step.rest2 = static_cast<float>(1 - call.beta2);
    step.decay = static_cast<float>(1 - lr * call.weight_decay);
    step.size = static_cast<float>(lr / rest(call.beta1));
    step.root = static_cast<float>(1 / std::sqrt(rest(call.beta2)));
    step.eps = static_cast<float>(call.eps);
    steps.push_back(step);
    parameters[i].unsafeGetTensorImpl()->bump_version();
  }
  const std::vector<float*> p = memory(parameters), g = memory(gradients), m = memory(exp_avgs), v = memory(exp_avg_sqs);
  const std::vector<Piece> parts = pieces(parameters);
  const Kernels& kernels = kernels_of(call.level);
  parallel(parts.size(), [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      const auto [i, from, size] = parts[piece];
      kernels.adamw(p[i] + from, g[i] + from, m[i] + from, v[i] + from, size, steps[i]);
    }
  });
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
    }
    if (call->rate != nullptr) check_scalar("rate", *call->rate, parameters[0].device());
    if (call->level != FORMULA && are_plain(parameters) && are_plain(exp_avgs) && are_plain(exp_avg_sqs) && are_plain(counts)) {
      step_plain(*call, parameters, gradients, exp_avgs, exp_avg_sqs, counts);
      return;
    }
    if (found_inf) {
      // The kernel returns early where found_inf is 1; the count must stay with it.
      at::_foreach_add_(counts, found_inf->neg().add(1));
    } else {
      at::_foreach_add_(counts, 1);
    }
    const auto step_with = [&](const auto& lr) {
      at::_fused_adamw_(parameters, gradients, exp_avgs, exp_avg_sqs, /*max_exp_avg_sqs=*/{}, steps, lr, call->beta1,
                        call->beta2, call->weight_decay, call->eps, /*amsgrad=*/false, /*maximize=*/false, grad_scale,
                        found_inf);
    };
    if (call->rate != nullptr) {
      step_with(call->rate->mul(call->lr));
    } else {
      step_with(call->lr);
    }
  });
}

// The L2 norm over all gradients together, what brings it down to max_norm, and whether it is not finite:
// float32 scalars on the gradients' device, as new tensors of the caller.
char* electra_torch_clip(Level level, at::Tensor* const* parameters, size_t count, double max_norm, at::Tensor** norm,
                         at::Tensor** grad_scale, at::Tensor** found_inf) {
  return caught([&] {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    for (size_t i = 0; i < count; ++i) {
      const at::Tensor& gradient = parameters[i]->grad();
      if (gradient.defined()) gradients.push_back(gradient);
    }
    if (count == 0 || (level != FORMULA && parameters[0]->is_cpu() && are_plain(gradients))) {
      const float value = norm_of(gradients, kernels_of(level));
      *norm = new at::Tensor(scalar(value));
      *grad_scale = new at::Tensor(scalar(static_cast<float>(std::max(value / max_norm, 1.0))));
      *found_inf = new at::Tensor(scalar(std::isfinite(value) ? 0 : 1));
      return;
    }
    const at::Tensor value = gradients.empty() ? at::zeros({}, at::TensorOptions(at::kFloat).device(parameters[0]->device()))
                                               : norm_of_any(gradients);
    *norm = new at::Tensor(value);
    *grad_scale = new at::Tensor(value.div(max_norm).clamp_min(1));
    *found_inf = new at::Tensor(value.isfinite().logical_not().to(at::kFloat));
  });
}

char* electra_torch_clear_grads(at::Tensor* const* parameters, size_t count) {
  return caught([&] {
    for (size_t i = 0; i < count; ++i) parameters[i]->mutable_grad().reset();
  });
}

}  // extern "C"
