// A generator of seeds that is not libtorch's default one.

#include "random.h"

#include "caught.h"

extern "C" {

// Gives the numbers that libtorch's generator of the CPU gives after it was seeded so. To be given back.
char* electra_torch_make_generator(uint64_t seed, at::Generator** generator) {
  return caught([&] { *generator = new at::Generator(at::detail::createCPUGenerator(seed)); });
}

char* electra_torch_drop_generator(at::Generator* generator) {
  return caught([&] { delete generator; });
}

}  // extern "C"
