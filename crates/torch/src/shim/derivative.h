// What a node of this shim says to a pass backward that is to have a graph of its own.

#pragma once

#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

// Computed on plain memory, a gradient is a constant to autograd: what is derived from it would be silently wrong.
inline void expect_first_derivative(const char* operation, const char* otherwise) {
  TORCH_CHECK(!at::GradMode::is_enabled(), operation, " has no second derivative: expected a pass backward without create_graph",
              otherwise);
}

inline void expect_first_derivative_of_kernels() {
  expect_first_derivative("an operation of the CPU's kernels", ", or the environment variable ELECTRA_KERNELS=formula");
}
