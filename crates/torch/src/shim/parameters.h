// Parameters whose gradients a node of the autograd graph adds to by itself.
//
// The engine visits a node of its own for every parameter, and an operation keeps each of its inputs in three
// lists, which takes a while with the sixteen parameters of a small layer. So an operation here has an edge
// to one parameter, which keeps it in the graph, and what it finds for the others it puts where the engine
// would have put it.

#pragma once

#include "kernels.h"
#include "product.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/graph_task.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <vector>

class Parameters : public torch::CustomClassHolder {
 public:
  Parameters(std::vector<at::Tensor> all, Level level) : kernels(kernels_of(level)), products(level), all_(std::move(all)) {
    for (const at::Tensor& parameter : all_) versions_.push_back(parameter._version());
    // What was computed from other tensors has a graph to go on through.
    const bool leaves = std::all_of(all_.begin(), all_.end(), [](const at::Tensor& tensor) { return tensor.is_leaf(); });
    const auto learning = std::find_if(all_.begin(), all_.end(), [](const at::Tensor& tensor) { return tensor.requires_grad(); });
    const int64_t index = learning == all_.end() ? 0 : learning - all_.begin();
    first_ = leaves ? index : 0, count_ = leaves ? 1 : static_cast<int64_t>(all_.size());
  }

  // Which the operation is computed with, forward and backward.
  const Kernels& kernels;
  const Products products;

  const std::vector<at::Tensor>& all() const { return all_; }
  bool learn() const {
    return std::any_of(all_.begin(), all_.end(), [](const at::Tensor& tensor) { return tensor.requires_grad(); });
  }

  // Those that the node has an edge to.
  at::TensorList inputs() const { return at::TensorList(all_).slice(first_, count_); }

  // Of all gradients those of the inputs; the others are added to what their parameters have, unless the
  // backward pass was asked for certain tensors only. Those are none of these parameters: autograd could not
  // be given their gradients here.
  std::vector<at::Tensor> settle(std::vector<at::Tensor> gradients) const {
    for (size_t index = 0; index < all_.size(); ++index) {
      TORCH_CHECK(all_[index]._version() == versions_[index], "a parameter of ", all_[index].sizes(),
                  " was changed between the forward and the backward pass");
    }
    const auto& chosen = *torch::autograd::get_current_graph_task_exec_info();
    const bool everything = chosen.empty();
    for (int64_t index = 0; index < static_cast<int64_t>(all_.size()); ++index) {
      const bool is_input = index >= first_ && index < first_ + count_;
      if (is_input || !all_[index].requires_grad()) continue;
      if (everything) {
        add(all_[index], gradients[index]);
        continue;
      }
      const auto found = chosen.find(torch::autograd::impl::grad_accumulator(all_[index]).get());
      if (found != chosen.end()) {
        TORCH_CHECK(found->second.captures_ == nullptr && !found->second.needed_,
                    "the gradient of a parameter of the CPU's kernels was asked for by name: expected a pass backward to all "
                    "leaves, or the environment variable ELECTRA_KERNELS=formula");
      }
    }
    return {gradients.begin() + first_, gradients.begin() + first_ + count_};
  }

 private:
  static void add(const at::Tensor& parameter, const at::Tensor& gradient) {
    at::Tensor& sum = parameter.mutable_grad();
    if (!sum.defined()) {
      sum = gradient;
    } else {
      const at::NoGradGuard no_grad;
      sum.add_(gradient);
    }
  }

  std::vector<at::Tensor> all_;
  std::vector<uint32_t> versions_;
  int64_t first_, count_;
};

inline void save(torch::autograd::AutogradContext* context, const c10::intrusive_ptr<Parameters>& parameters) {
  context->saved_data["parameters"] = at::IValue::make_capsule(parameters);
}
template <typename Kind = Parameters>
c10::intrusive_ptr<Kind> saved_parameters(torch::autograd::AutogradContext* context) {
  return c10::static_intrusive_pointer_cast<Kind>(context->saved_data["parameters"].toCapsule());
}
// What a backward pass returns: undefined gradients of as many arguments, the one of x first, and those of
// the inputs.
inline torch::autograd::variable_list settled(at::Tensor x, size_t arguments, const Parameters& parameters,
                                              torch::autograd::variable_list gradients) {
  torch::autograd::variable_list all(arguments);
  all[0] = std::move(x);
  for (at::Tensor& gradient : parameters.settle(std::move(gradients))) all.push_back(std::move(gradient));
  return all;
}
