// Versions, loading and settings of libtorch as a whole.

#include "caught.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/version.h>

#include <cstdint>
#include <cstdlib>

extern "C" {

void electra_torch_free(char* text) {
  if (text != electra_torch_no_memory) std::free(text);
}

// Major, minor and patch in the three highest bytes.
char* electra_torch_version(uint64_t* loaded, uint64_t* compiled) {
  return caught([&] {
    *loaded = aoti_torch_abi_version();
    *compiled = TORCH_ABI_VERSION;
  });
}

// cuDNN's attention, first in line on the newest GPUs, has kernels that know dropout in sixteenths only
// (PyTorch's pull request 174245): 0.1 would be another rate.
char* electra_torch_forbid_cudnn_attention() {
  return caught([&] { at::globalContext().setSDPUseCuDNN(false); });
}

// The file that libtorch's CPU part was loaded from, valid as long as the program runs; null if unknown.
char* electra_torch_cpu_library(const char** path) {
  return caught([&] {
    Dl_info info;
    *path = dladdr(reinterpret_cast<void*>(&at::get_num_threads), &info) != 0 ? info.dli_fname : nullptr;
  });
}

// Loads a library for the rest of the program's life, its symbols open to what is loaded later.
char* electra_torch_load(const char* path) {
  return caught([&] {
    if (dlopen(path, RTLD_NOW | RTLD_GLOBAL) == nullptr) {
      const char* reason = dlerror();
      throw std::runtime_error(reason != nullptr ? reason : "the loader gives no reason");
    }
  });
}

[[noreturn]] void electra_torch_exit(int code) { _exit(code); }

// Calls a function with the text of an exception that nothing catches, such as one on a thread of libtorch's, in place of
// std::abort. It must not return.
void electra_torch_on_terminate(void (*ends)(const char*)) {
  static void (*last)(const char*) = nullptr;
  last = ends;
  std::set_terminate([] {
    try {
      if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
    } catch (const c10::Error& error) {
      last(error.what_without_backtrace());
    } catch (const std::exception& error) {
      last(error.what());
    } catch (...) {
    }
    std::abort();
  });
}

char* electra_torch_set_num_threads(int count) {
  return caught([&] { at::set_num_threads(count); });
}

char* electra_torch_num_threads(int* count) {
  return caught([&] { *count = at::get_num_threads(); });
}

char* electra_torch_num_interop_threads(int* count) {
  return caught([&] { *count = at::get_num_interop_threads(); });
}

// A step frees what the next one allocates again: memory that goes back to the system between them is paid
// for in page faults. So no block gets a map of its own, which freeing would give back (glibc would do so
// from 32 MiB on, whatever it is told: the size of a large vocabulary's table), and what lies free at the end
// of the heap is kept up to more than a step frees at once.
char* electra_torch_keep_freed_memory() {
  return caught([&] {
#ifdef __GLIBC__
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 64 << 20);
#endif
  });
}

char* electra_torch_set_deterministic(bool on) {
  return caught([&] {
    at::globalContext().setDeterministicAlgorithms(on, /*warn_only=*/false);
    // Else every new tensor is first filled with NaN, which finds programs that read what they never wrote.
    at::globalContext().setDeterministicFillUninitializedMemory(false);
  });
}

char* electra_torch_deterministic(bool* on) {
  return caught([&] { *on = at::globalContext().deterministicAlgorithms(); });
}

char* electra_torch_set_tf32(bool allowed) {
  return caught([&] {
    at::globalContext().setAllowTF32CuBLAS(allowed);
    at::globalContext().setAllowTF32CuDNN(allowed);
  });
}

char* electra_torch_tf32(bool* matmul, bool* cudnn) {
  return caught([&] {
    *matmul = at::globalContext().allowTF32CuBLAS();
    *cudnn = at::globalContext().allowTF32CuDNN();
  });
}

}  // extern "C"
