// Entering and leaving autocast, which is a state of the thread.

#include "caught.h"

#include <ATen/autocast_mode.h>

// What was before, to be put back. Mirrors ffi::autocast::State.
struct ElectraTorchAutocast {
  bool cuda;
  bool enabled;
  bool cache_enabled;
  int kind;
};

namespace {

at::DeviceType device_type(bool cuda) { return cuda ? at::kCUDA : at::kCPU; }

}  // namespace

extern "C" {

char* electra_torch_autocast_enter(bool cuda, bool half, bool enabled, ElectraTorchAutocast* before) {
  return caught([&] {
    const at::DeviceType device = device_type(cuda);
    before->cuda = cuda;
    before->enabled = at::autocast::is_autocast_enabled(device);
    before->cache_enabled = at::autocast::is_autocast_cache_enabled();
    before->kind = static_cast<int>(at::autocast::get_autocast_dtype(device));
    at::autocast::set_autocast_enabled(device, enabled);
    at::autocast::set_autocast_dtype(device, half ? at::kHalf : at::kBFloat16);
    at::autocast::set_autocast_cache_enabled(true);
    at::autocast::increment_nesting();
  });
}

char* electra_torch_autocast_exit(const ElectraTorchAutocast* before) {
  return caught([&] {
    // The cache holds narrow copies of parameters, which the next optimizer step makes stale.
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    const at::DeviceType device = device_type(before->cuda);
    at::autocast::set_autocast_enabled(device, before->enabled);
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(before->kind));
    at::autocast::set_autocast_cache_enabled(before->cache_enabled);
  });
}

}  // extern "C"
