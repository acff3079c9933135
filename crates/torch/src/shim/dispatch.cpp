// The compiled kernels, by their level of vector instructions.

#include "kernels.h"

#include <cstdint>

extern const Kernels kernels_baseline;
#ifdef ELECTRA_TORCH_X86
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
#endif

bool is_available(Level level) {
#ifdef ELECTRA_TORCH_X86
  if (level == AVX2) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  }
  if (level == AVX512) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
  }
#endif
  return level == FORMULA || level == BASELINE;
}

const Kernels& kernels_of(Level level) {
#ifdef ELECTRA_TORCH_X86
  if (level == AVX512) return kernels_avx512;
  if (level == AVX2) return kernels_avx2;
#endif
  return kernels_baseline;
}

extern "C" {

bool electra_torch_is_available(int32_t level) { return is_available(static_cast<Level>(level)); }

}  // extern "C"
