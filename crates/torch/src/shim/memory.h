// Tensors as plain memory: float32 of the CPU, row after row.

#pragma once

#include "product.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>

inline at::Tensor empty(at::IntArrayRef shape) { return at::empty(shape, at::kFloat); }
inline float* data(const at::Tensor& tensor) { return tensor.data_ptr<float>(); }
inline Matrix matrix(const at::Tensor& tensor) { return {data(tensor), tensor.size(-1)}; }

// Takes arrays off a piece of memory, each at the start of a cache line; without memory it counts what they
// need.
class Arena {
 public:
  explicit Arena(float* memory = nullptr) : memory_(memory) {}

  float* operator()(int64_t numbers) {
    float* const array = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ += (numbers + 15) / 16 * 16;
    return array;
  }
  int64_t used() const { return used_; }

 private:
  float* memory_;
  int64_t used_ = 0;
};

// The memory of all arrays that `take` asks an Arena for, as one tensor: a tensor for each would cost more
// than many a pass over it. `take` runs twice.
template <typename Take>
at::Tensor allocate(const Take& take) {
  Arena count;
  take(count);
  const at::Tensor memory = empty({count.used()});
  Arena arena(data(memory));
  take(arena);
  return memory;
}

// An array within `memory` as a tensor of its own, without the dispatcher's detour.
inline at::Tensor tensor_at(const at::Tensor& memory, const float* array, at::IntArrayRef shape) {
  at::Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
      c10::Storage(memory.storage()), c10::DispatchKeySet(c10::DispatchKey::CPU), memory.dtype());
  tensor.unsafeGetTensorImpl()->set_storage_offset(array - data(memory));
  tensor.unsafeGetTensorImpl()->set_sizes_contiguous(shape);
  return tensor;
}

// What an operation of libtorch's gave under autocast, in float32 again.
inline at::Tensor widened(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kBFloat16 && at::autocast::is_autocast_enabled(at::kCPU) ? x.to(at::kFloat) : x;
}

// Whether tensors are of the device and precision that the kernels are for, and there are products to go with
// them: float32, and under autocast to bfloat16 too, where products alone are narrow.
inline bool has_kernels(at::ArrayRef<at::Tensor> tensors) {
  if (!has_products()) return false;
  if (at::autocast::is_autocast_enabled(at::kCPU) && at::autocast::get_autocast_dtype(at::kCPU) != at::kBFloat16) return false;
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat) return false;
  }
  return true;
}
