// CUDA graphs, by way of libtorch's own class for them, which also sees to it that dropout draws anew at each
// start. Its functions are looked up by name once libtorch's CUDA part is loaded: linked without CUDA.

#include "caught.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <cstddef>
#include <memory>

namespace {

c10::impl::VirtualGuardImpl cuda() {
  at::globalContext().lazyInitDevice(at::kCUDA);
  return c10::impl::VirtualGuardImpl(at::kCUDA);
}

// A function of at::cuda::CUDAGraph; of a member the first argument is the object (Itanium's ABI).
template <typename Function>
Function* function(const char* symbol) {
  void* found = dlsym(RTLD_DEFAULT, symbol);
  TORCH_CHECK(found != nullptr, "this libtorch has no ", symbol, ", with which it would record CUDA graphs");
  return reinterpret_cast<Function*>(found);
}

struct Functions {
  void (*construct)(void*, bool keep) = function<void(void*, bool)>("_ZN2at4cuda9CUDAGraphC1Eb");
  void (*destroy)(void*) = function<void(void*)>("_ZN2at4cuda9CUDAGraphD1Ev");
  // The mode is an enum of CUDA's.
  void (*begin)(void*, c10::MempoolId_t, int mode) = function<void(void*, c10::MempoolId_t, int)>(
      "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
  void (*end)(void*) = function<void(void*)>("_ZN2at4cuda9CUDAGraph11capture_endEv");
  void (*replay)(void*) = function<void(void*)>("_ZN2at4cuda9CUDAGraph6replayEv");
};

const Functions& functions() {
  static const Functions all;
  return all;
}

// cudaStreamCaptureModeGlobal: whatever thread does what a graph cannot hold, the recording fails.
constexpr int kGlobal = 0;

}  // namespace

// Mirrors c10::StreamData3, and ffi::graph::Stream.
struct ElectraTorchStream {
  int64_t id;
  int64_t device_index;
  int64_t device_type;
};

struct ElectraTorchGraph {
  ElectraTorchGraph() { functions().construct(object, /*keep=*/false); }
  ~ElectraTorchGraph() { functions().destroy(object); }
  ElectraTorchGraph(const ElectraTorchGraph&) = delete;
  ElectraTorchGraph& operator=(const ElectraTorchGraph&) = delete;

  // An at::cuda::CUDAGraph, of 104 bytes in libtorch 2.11, whose header needs CUDA's.
  alignas(std::max_align_t) std::byte object[1024];
};

extern "C" {

// From here on this thread gives its work on that device to a stream of its own, once all that was given
// before is done.
char* electra_torch_enter_stream(uint64_t index, ElectraTorchStream* before) {
  return caught([&] {
    const auto guard = cuda();
    TORCH_CHECK(index < static_cast<uint64_t>(guard.deviceCount()), "CUDA device ", index, " of ", guard.deviceCount());
    const c10::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
    at::detail::getCUDAHooks().deviceSynchronize(device.index());
    const auto data = guard.exchangeStream(guard.getStreamFromGlobalPool(device)).pack3();
    *before = {data.stream_id, data.device_index, static_cast<int64_t>(data.device_type)};
  });
}

char* electra_torch_exit_stream(const ElectraTorchStream* before) {
  return caught([&] {
    const auto index = static_cast<c10::DeviceIndex>(before->device_index);
    // First of all, so that it is done also where a recording goes on that forbids to wait.
    cuda().exchangeStream(c10::Stream::unpack3(before->id, index, static_cast<c10::DeviceType>(before->device_type)));
    at::detail::getCUDAHooks().deviceSynchronize(index);
  });
}

// What this thread, and the passes backward that it begins, give to its stream from here on is recorded and
// not done. The stream is not the default one.
char* electra_torch_begin_graph(uint64_t index, ElectraTorchGraph** graph) {
  return caught([&] {
    cuda();
    at::detail::getCUDAHooks().deviceSynchronize(static_cast<c10::DeviceIndex>(index));
    // A graph has memory of its own: what freed tensors left is given back for it.
    c10::getDeviceAllocator(at::kCUDA)->emptyCache();
    auto made = std::make_unique<ElectraTorchGraph>();
    functions().begin(made->object, c10::MempoolId_t{0, 0}, kGlobal);
    *graph = made.release();
  });
}

char* electra_torch_end_graph(ElectraTorchGraph* graph) {
  return caught([&] { functions().end(graph->object); });
}

char* electra_torch_replay_graph(ElectraTorchGraph* graph) {
  return caught([&] { functions().replay(graph->object); });
}

char* electra_torch_drop_graph(ElectraTorchGraph* graph) {
  return caught([&] { delete graph; });
}

}  // extern "C"
