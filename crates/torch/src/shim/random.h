// Seeds of dropout.

#pragma once

#include "kernels.h"

#include <ATen/CPUGeneratorImpl.h>

#include <mutex>

// Where seeds come from, and what of the step's batch comes before the part that is computed. Mirrors
// ffi::dropout::Keys.
struct ElectraTorchDropoutKeys {
  const at::Generator* generator;  // null: libtorch's generator of the CPU
  uint64_t examples;
  uint64_t tokens;
};

// What one tensor is dropped by, whose first row has that number among the rows of the step.
inline Dropout dropout(double rate, const ElectraTorchDropoutKeys& keys, uint64_t first_row) {
  if (rate == 0) return {0, 0};
  auto generator = keys.generator != nullptr ? *keys.generator : at::detail::getDefaultCPUGenerator();
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return {static_cast<float>(rate), at::check_generator<at::CPUGeneratorImpl>(generator)->random64(), first_row};
}
