// What a node of this shim says to a pass backward that is to have a graph of its own.

#pragma once

#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

// Computed on plain memory, a gradient is a constant to autograd: what is derived from it would be silently
// wrong.
inline void expect_first_derivative(const char* operation) {
  TORCH_CHECK(!at::GradMode::is_enabled(), operation, " has no second derivative: expected a pass backward without create_graph");
}
