// Seeds of dropout.

#pragma once

#include "kernels.h"

#include <ATen/CPUGeneratorImpl.h>

#include <mutex>

// What one tensor is dropped by: its seed comes from libtorch's generator of the CPU, as the random numbers of libtorch's
// own operations do.
inline Dropout dropout(double rate) {
  if (rate == 0) return {0, 0};
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return {static_cast<float>(rate), at::check_generator<at::CPUGeneratorImpl>(generator)->random64()};
}
