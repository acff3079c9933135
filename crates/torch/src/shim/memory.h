// Tensors as plain memory: float32 of the CPU, row after row.

#pragma once

#include "product.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>

inline at::Tensor empty(at::IntArrayRef shape) { return at::empty(shape, at::kFloat); }
inline float* data(const at::Tensor& tensor) { return tensor.data_ptr<float>(); }
inline Matrix matrix(const at::Tensor& tensor) { return {data(tensor), tensor.size(-1)}; }

// Whether tensors are of the device and precision that the kernels are for, and there are products to go with them.
inline bool has_kernels(at::ArrayRef<at::Tensor> tensors) {
  if (!has_products() || at::autocast::is_autocast_enabled(at::kCPU)) return false;
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat) return false;
  }
  return true;
}
