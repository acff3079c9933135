// A scalar whose gradients are known already.

#include "with_gradients.h"

#include "caught.h"

using at::Tensor;

extern "C" {

char* electra_torch_with_gradients(const Tensor* value, const Tensor* const* inputs, const Tensor* const* gradients,
                                   size_t count, Tensor** output) {
  return caught([&] {
    std::vector<Tensor> tensors;
    torch::autograd::variable_list known;
    for (size_t i = 0; i < count; ++i) {
      TORCH_CHECK(inputs[i]->sizes() == gradients[i]->sizes(), "gradient ", i, " is ", gradients[i]->sizes(), ": expected ",
                  inputs[i]->sizes());
      tensors.push_back(*inputs[i]);
      known.push_back(gradients[i]->detach());
    }
    *output = new Tensor(WithGradients::apply(value->detach(), at::TensorList(tensors), known));
  });
}

}  // extern "C"
