// A scalar whose gradients are known already.

#include "caught.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct WithGradients : torch::autograd::Function<WithGradients> {
  static Tensor forward(AutogradContext* context, const Tensor& value, at::TensorList, const variable_list& gradients) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward(gradients);
    return value.clone();
  }

  static variable_list backward(AutogradContext* context, variable_list outer) {
    at::AutoDispatchBelowADInplaceOrView below;
    variable_list all{Tensor()};
    // Nobody else holds them, unless the graph is to be gone through again.
    const bool keeps = torch::autograd::get_current_graph_task_keep_graph();
    for (Tensor& gradient : context->get_saved_variables()) {
      all.push_back(keeps ? gradient.mul(outer[0]) : gradient.mul_(outer[0]));
    }
    all.emplace_back();
    return all;
  }
};

}  // namespace

extern "C" {

char* electra_torch_with_gradients(const Tensor* value, const Tensor* const* inputs, const Tensor* const* gradients,
                                   size_t count, Tensor** output) {
  return caught([&] {
    std::vector<Tensor> of;
    variable_list known;
    for (size_t i = 0; i < count; ++i) {
      TORCH_CHECK(inputs[i]->sizes() == gradients[i]->sizes(), "gradient ", i, " is ", gradients[i]->sizes(), ": expected ",
                  inputs[i]->sizes());
      of.push_back(*inputs[i]);
      known.push_back(gradients[i]->detach());
    }
    *output = new Tensor(WithGradients::apply(value->detach(), at::TensorList(of), known));
  });
}

}  // extern "C"
