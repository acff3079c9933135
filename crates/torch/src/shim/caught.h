// What every file of the shim shares: the C face of what libtorch exports only as C++.
//
// Every function of the shim returns null, or the text of the exception that stopped it, to be freed with
// electra_torch_free: an exception must not cross into Rust.

#pragma once

#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <exception>

// What is said where there is no memory for a sentence; it is not freed.
inline char electra_torch_no_memory[] = "bad_alloc";

inline char* owned_copy(const char* text) {
  char* owned = strdup(text);
  return owned != nullptr ? owned : electra_torch_no_memory;
}

template <typename Body>
char* caught(Body body) {
  try {
    body();
    return nullptr;
  } catch (const c10::Error& error) {
    return owned_copy(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return owned_copy(error.what());
  } catch (...) {
    return owned_copy("an exception that is not a std::exception");
  }
}
