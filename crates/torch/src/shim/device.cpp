// Memory and work in flight of CUDA devices and copies to them, by way of the hooks that libtorch's CPU part
// has: linked without CUDA.

#include "caught.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <cstdint>

namespace {

// Fails with libtorch's own reason where there is no CUDA.
c10::DeviceAllocator& cuda_allocator() {
  at::globalContext().lazyInitDevice(at::kCUDA);
  return *c10::getDeviceAllocator(at::kCUDA);
}

// The index that a tensor's device has, checked before it is narrowed.
c10::DeviceIndex device_index(uint64_t index) {
  const auto count = at::detail::getCUDAHooks().deviceCount();
  TORCH_CHECK(index < static_cast<uint64_t>(count), "CUDA device ", index, " of ", count);
  return static_cast<c10::DeviceIndex>(index);
}

}  // namespace

extern "C" {

// Bytes of live tensors, rounded up to whole blocks: what torch.cuda.memory_allocated counts.
char* electra_torch_cuda_memory(uint64_t index, uint64_t* current, uint64_t* peak) {
  return caught([&] {
    auto& allocator = cuda_allocator();
    const auto stats = allocator.getDeviceStats(device_index(index));
    const auto& bytes = stats.allocated_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
    *current = static_cast<uint64_t>(bytes.current);
    *peak = static_cast<uint64_t>(bytes.peak);
  });
}

char* electra_torch_cuda_reset_peak(uint64_t index) {
  return caught([&] {
    auto& allocator = cuda_allocator();
    allocator.resetPeakStats(device_index(index));
  });
}

char* electra_torch_cuda_synchronize(uint64_t index) {
  return caught([&] {
    at::globalContext().lazyInitDevice(at::kCUDA);
    at::detail::getCUDAHooks().deviceSynchronize(device_index(index));
  });
}

// A copy in page-locked memory, from which a GPU copies without the CPU's help, as a new tensor of the
// caller.
char* electra_torch_pinned(const at::Tensor* tensor, at::Tensor** pinned) {
  return caught([&] {
    at::globalContext().lazyInitDevice(at::kCUDA);
    *pinned = new at::Tensor(tensor->pin_memory());
  });
}

}  // extern "C"
