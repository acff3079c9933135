// A scalar whose gradients are known already, as a node of the autograd graph.

#pragma once

#include "derivative.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

struct WithGradients : torch::autograd::Function<WithGradients> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& value, at::TensorList,
                            const torch::autograd::variable_list& gradients) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward(gradients);
    return value.clone();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outer) {
    expect_first_derivative("a value whose gradients were given");
    at::AutoDispatchBelowADInplaceOrView below;
    torch::autograd::variable_list all{at::Tensor()};
    // Nobody else holds them, unless the graph is to be gone through again.
    const bool keeps = torch::autograd::get_current_graph_task_keep_graph();
    for (at::Tensor& gradient : context->get_saved_variables()) {
      all.push_back(keeps ? gradient.mul(outer[0]) : gradient.mul_(outer[0]));
    }
    all.emplace_back();
    return all;
  }
};
