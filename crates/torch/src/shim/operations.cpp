// What operations of libtorch a piece of work calls.

#include "caught.h"

#include <ATen/record_function.h>

#include <memory>
#include <sstream>
#include <string>

namespace {

// The list that this thread's calls are written to.
thread_local std::string* calls = nullptr;

void write(std::ostream& out, const c10::IValue& value) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    if (!tensor.defined()) {
      out << "none";
    } else {
      out << tensor.scalar_type() << tensor.sizes();
    }
  } else if (value.isList()) {
    out << '{';
    for (const c10::IValue& element : value.toListRef()) write(out << ' ', element);
    out << " }";
  } else if (value.isGenerator()) {
    out << "generator";
  } else {
    out << value;
  }
}

std::unique_ptr<at::ObserverContext> write_call(const at::RecordFunction& call) {
  if (calls != nullptr) {
    std::ostringstream out;
    // Numbers whole: two that differ are not to look alike.
    out.precision(17);
    out << call.name();
    if (const auto name = call.operator_name(); name && !name->overload_name.empty()) out << '.' << name->overload_name;
    for (const c10::IValue& input : call.inputs()) write(out << ' ', input);
    *calls += out.str() + '\n';
  }
  return nullptr;
}

}  // namespace

struct ElectraTorchOperations {
  std::string calls;
  at::CallbackHandle handle;
};

extern "C" {

char* electra_torch_begin_operations(ElectraTorchOperations** begun) {
  return caught([&] {
    TORCH_CHECK(calls == nullptr, "operations are listed already");
    auto made = std::make_unique<ElectraTorchOperations>();
    made->handle = at::addThreadLocalCallback(
        at::RecordFunctionCallback(&write_call).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
    calls = &made->calls;
    *begun = made.release();
  });
}

// list: to be freed with electra_torch_free.
char* electra_torch_end_operations(ElectraTorchOperations* begun, char** list) {
  return caught([&] {
    const std::unique_ptr<ElectraTorchOperations> ended(begun);
    calls = nullptr;
    at::removeCallback(ended->handle);
    *list = owned_copy(ended->calls.c_str());
  });
}

}  // extern "C"
