// Losses: weighted sums over a total, in one pass that finds their gradient too.

#include "caught.h"
#include "memory.h"
#include "with_gradients.h"

#include <algorithm>
#include <cmath>

namespace {

using at::Tensor;

// Numbers, or bools as 0 and 1.
class Numbers {
 public:
  explicit Numbers(const Tensor& tensor)
      : tensor_(tensor.contiguous()),
        bools_(tensor_.scalar_type() == at::kBool ? tensor_.const_data_ptr<bool>() : nullptr),
        floats_(bools_ == nullptr ? tensor_.const_data_ptr<float>() : nullptr) {}

  static bool are(const Tensor& tensor) {
    return tensor.is_cpu() && (tensor.scalar_type() == at::kBool || tensor.scalar_type() == at::kFloat);
  }
  float operator[](int64_t index) const { return bools_ != nullptr ? static_cast<float>(bools_[index]) : floats_[index]; }

 private:
  Tensor tensor_;
  const bool* bools_;
  const float* floats_;
};

void expect_alike(const char* name, const Tensor& tensor, const Tensor& values) {
  TORCH_CHECK(tensor.sizes() == values.sizes(), name, " are ", tensor.sizes(), ": expected ", values.sizes());
}

bool is_total(const Tensor& total) {
  return total.is_cpu() && total.scalar_type() == at::kFloat && total.dim() == 0;
}

// Σ w · value / total as a function of x, where term(i) gives value and gradient at i.
template <typename Term>
Tensor weighted_mean(const Tensor& x, const Tensor& weights, const Tensor& total, const Term& term) {
  TORCH_CHECK(!total.requires_grad(), "the total of a loss has no gradient");
  const Numbers w(weights);
  const int64_t n = x.numel();
  const bool learns = at::GradMode::is_enabled() && x.requires_grad();
  const Tensor gradient = learns ? empty(x.sizes()) : Tensor(), mean = empty({});
  double sum = 0;
  const double share = 1.0 / static_cast<double>(*total.const_data_ptr<float>());
  for (int64_t index = 0; index < n; ++index) {
    const auto [value, slope] = term(index);
    sum += static_cast<double>(w[index]) * value;
    if (learns) data(gradient)[index] = static_cast<float>(w[index] * share * slope);
  }
  *data(mean) = static_cast<float>(sum * share);
  return learns ? WithGradients::apply(mean, at::TensorList(x), torch::autograd::variable_list{gradient}) : mean;
}

}  // namespace

extern "C" {

// All of one shape, weights float32 or bool, but the total, a float32. Null where another kind or device is
// given.
char* electra_torch_mean(const Tensor* values, const Tensor* weights, const Tensor* total, Tensor** mean) {
  return caught([&] {
    *mean = nullptr;
    if (!has_kernels(*values) || !Numbers::are(*weights) || !is_total(*total)) return;
    expect_alike("the weights", *weights, *values);
    const Numbers value(values->detach());
    *mean = new Tensor(weighted_mean(*values, *weights, *total, [&](int64_t index) { return std::pair(value[index], 1.0f); }));
  });
}

// As electra_torch_mean; targets float32 or bool too.
char* electra_torch_binary_cross_entropy(const Tensor* logits, const Tensor* targets, const Tensor* weights,
                                         const Tensor* total, Tensor** loss) {
  return caught([&] {
    *loss = nullptr;
    if (!has_kernels(*logits) || !Numbers::are(*targets) || !Numbers::are(*weights) || !is_total(*total)) return;
    expect_alike("the targets", *targets, *logits);
    expect_alike("the weights", *weights, *logits);
    const Numbers x(logits->detach()), target(targets->detach());
    *loss = new Tensor(weighted_mean(*logits, *weights, *total, [&](int64_t index) {
      const float tail = std::exp(-std::abs(x[index]));  // never above 1
      const float positive = (x[index] >= 0 ? 1.0f : tail) / (1.0f + tail);
      return std::pair(std::max(x[index], 0.0f) - x[index] * target[index] + std::log1p(tail), positive - target[index]);
    }));
  });
}

}  // extern "C"
