// Processes that train together: PyTorch's own store, Gloo and NCCL (c10d).
//
// The wheel has the classes and neither Gloo's nor NCCL's headers. Gloo's class is declared here and linked as usual, so that
// a signature that has changed is an error of the linker. NCCL's is looked up by name once libtorch's CUDA part is
// loaded: linked without CUDA.

#include "caught.h"

#include <ATen/core/Tensor.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Logging.h>
#include <dlfcn.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

C10_DECLARE_int(caffe2_log_level);

namespace gloo::transport {
class Device;
}

namespace c10d {

// torch/csrc/distributed/c10d/ProcessGroupGloo.hpp, as far as it is called. Everything else is called as a Backend.
class ProcessGroupGloo : public Backend {
 public:
  struct Options : Backend::Options {
    explicit Options(std::chrono::milliseconds timeout);
    ~Options() override;
    std::vector<std::shared_ptr<::gloo::transport::Device>> devices;
    int threads{2};
  };

  static std::shared_ptr<::gloo::transport::Device> createDeviceForHostname(const std::string& hostname, bool lazy = false);
  static std::shared_ptr<::gloo::transport::Device> createDefaultDevice(bool lazy = false);
  static std::shared_ptr<::gloo::transport::Device> createDeviceForInterface(const std::string& name, bool lazy = false);
  explicit ProcessGroupGloo(const c10::intrusive_ptr<Store>& store, int rank, int size, c10::intrusive_ptr<Options> options);
  ~ProcessGroupGloo() override;

 private:
  // More than its members take, 352 bytes in libtorch 2.11.
  std::byte members_[4096];
};

}  // namespace c10d

namespace {

using Milliseconds = std::chrono::milliseconds;
using StorePointer = c10::intrusive_ptr<c10d::Store>;

// How a parameter of this type is named in a symbol (Itanium's ABI).
constexpr const char* kNcclOptions = "_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb";
constexpr const char* kNccl =
    "_ZN4c10d16ProcessGroupNCCLC1EN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_default_null_typeIS3_EEEEii"
    "NS2_INS0_7OptionsENS5_IS8_EEEE";

void* symbol(const char* name) {
  void* found = dlsym(RTLD_DEFAULT, name);
  TORCH_CHECK(found != nullptr, "this libtorch has no ", name, ", with which ranks on GPUs would communicate");
  return found;
}

// An object whose class is not declared here: memory that is more than it takes, made by its constructor and owned as
// the class that it derives from, whose destructor is virtual.
template <typename Base, size_t size, typename Construct>
c10::intrusive_ptr<Base> made(Construct construct) {
  void* memory = ::operator new(size);
  try {
    construct(memory);
  } catch (...) {
    ::operator delete(memory);
    throw;
  }
  return c10::intrusive_ptr<Base>::unsafe_steal_from_new(static_cast<Base*>(memory));
}

void wait(const c10::intrusive_ptr<c10d::Work>& work) {
  if (work) work->wait();
}

}  // namespace

struct ElectraTorchStore {
  // Under the prefix.
  StorePointer store;
  uint16_t port;
};

struct ElectraTorchGroup {
  c10::intrusive_ptr<c10d::Backend> backend;
};

extern "C" {

char* electra_torch_open_store(
    const char* host, uint16_t port, bool is_server, const char* prefix, int64_t timeout_ms, ElectraTorchStore** opened) {
  return caught([&] {
    // Its warnings carry stacks; what goes wrong is thrown.
    FLAGS_caffe2_log_level = 3;
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = is_server;
    options.waitWorkers = false;
    options.timeout = Milliseconds(timeout_ms);
    auto tcp = c10::make_intrusive<c10d::TCPStore>(host, options);
    const uint16_t taken = tcp->getPort();
    auto store = c10::make_intrusive<c10d::PrefixStore>(prefix, std::move(tcp));
    *opened = new ElectraTorchStore{std::move(store), taken};
  });
}

uint16_t electra_torch_store_port(const ElectraTorchStore* store) { return store->port; }

char* electra_torch_store_set(ElectraTorchStore* store, const char* key, const uint8_t* bytes, size_t count) {
  return caught([&] { store->store->set(key, std::vector<uint8_t>(bytes, bytes + count)); });
}

char* electra_torch_store_has(ElectraTorchStore* store, const char* key, bool* found) {
  return caught([&] { *found = store->store->check({key}); });
}

// text: to be freed with electra_torch_free; what is behind a zero is not in it.
char* electra_torch_store_get(ElectraTorchStore* store, const char* key, char** text) {
  return caught([&] {
    const auto bytes = store->store->get(key);
    *text = owned_copy(std::string(bytes.begin(), bytes.end()).c_str());
  });
}

char* electra_torch_store_add(ElectraTorchStore* store, const char* key, int64_t count, int64_t* sum) {
  return caught([&] { *sum = store->store->add(key, count); });
}

char* electra_torch_drop_store(ElectraTorchStore* store) {
  return caught([&] { delete store; });
}

// address: this machine's, null for the one that Gloo finds; interface_name: the network interface's name, or null.
char* electra_torch_gloo(
    const ElectraTorchStore* store,
    int rank,
    int size,
    const char* address,
    const char* interface_name,
    int64_t timeout_ms,
    ElectraTorchGroup** group) {
  return caught([&] {
    using c10d::ProcessGroupGloo;
    auto options = c10::make_intrusive<ProcessGroupGloo::Options>(Milliseconds(timeout_ms));
    options->devices.push_back(
        interface_name != nullptr ? ProcessGroupGloo::createDeviceForInterface(interface_name)
        : address != nullptr      ? ProcessGroupGloo::createDeviceForHostname(address)
                                  : ProcessGroupGloo::createDefaultDevice());
    options->threads = 1;
    *group = new ElectraTorchGroup{c10::make_intrusive<ProcessGroupGloo>(store->store, rank, size, std::move(options))};
  });
}

char* electra_torch_nccl(
    const ElectraTorchStore* store, int rank, int size, uint64_t device, int64_t timeout_ms, ElectraTorchGroup** group) {
  return caught([&] {
    using Options = c10d::Backend::Options;
    // Collectives are of the device that is current when they are called.
    c10::impl::VirtualGuardImpl(at::kCUDA).setDevice(c10::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)));
    const auto make_options = reinterpret_cast<void (*)(void*, bool)>(symbol(kNcclOptions));
    // Both go by reference to a copy, as every class with a destructor does.
    const auto make_group = reinterpret_cast<void (*)(void*, StorePointer, int, int, c10::intrusive_ptr<Options>)>(symbol(kNccl));
    auto options = made<Options, 4096>([&](void* memory) { make_options(memory, /*is_high_priority_stream=*/false); });
    // Members of the class that both derive from.
    const_cast<Milliseconds&>(options->timeout) = Milliseconds(timeout_ms);
    auto prefixed = c10::make_intrusive<c10d::PrefixStore>("nccl", store->store);
    auto backend = made<c10d::Backend, 8192>([&](void* memory) { make_group(memory, prefixed, rank, size, options); });
    *group = new ElectraTorchGroup{std::move(backend)};
  });
}

// tensor becomes the ranks' sum, or their elements' maximum.
char* electra_torch_all_reduce(ElectraTorchGroup* group, const at::Tensor* tensor, bool is_maximum) {
  return caught([&] {
    std::vector<at::Tensor> tensors{*tensor};
    c10d::AllreduceOptions options;
    if (is_maximum) options.reduceOp = c10d::ReduceOp::MAX;
    wait(group->backend->allreduce(tensors, options));
  });
}

char* electra_torch_broadcast(ElectraTorchGroup* group, const at::Tensor* tensor, int root) {
  return caught([&] {
    std::vector<at::Tensor> tensors{*tensor};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    wait(group->backend->broadcast(tensors, options));
  });
}

// Sends one tensor to a rank that does the same, and receives its tensor.
char* electra_torch_exchange(ElectraTorchGroup* group, const at::Tensor* sent, const at::Tensor* received, int partner) {
  return caught([&] {
    std::vector<at::Tensor> to{*sent};
    std::vector<at::Tensor> from{*received};
    const auto receiving = group->backend->recv(from, partner, /*tag=*/0);
    const auto sending = group->backend->send(to, partner, /*tag=*/0);
    wait(receiving);
    wait(sending);
  });
}

char* electra_torch_drop_group(ElectraTorchGroup* group) {
  return caught([&] { delete group; });
}

}  // extern "C"
