// Which of the compiled kernels this machine has the instructions for.

#include "kernels.h"

extern const Kernels kernels_baseline;
#ifdef ELECTRA_TORCH_X86
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
#endif

const Kernels& kernels() {
#ifdef ELECTRA_TORCH_X86
  static const Kernels& best = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                                       __builtin_cpu_supports("avx512cd")
                                   ? kernels_avx512
                               : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                                       __builtin_cpu_supports("bmi2")
                                   ? kernels_avx2
                                   : kernels_baseline;
  return best;
#else
  return kernels_baseline;
#endif
}
