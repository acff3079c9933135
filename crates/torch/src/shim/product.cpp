#include "product.h"

#include "caught.h"
#include "packing.h"
#include "parallel.h"

#include <ATen/autocast_mode.h>
#include <ATen/native/CPUBlas.h>
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace {

namespace cpublas = at::native::cpublas;

// A block of the micro-kernel: rows of a, columns of b, and what of the inner dimension is summed in one call. A kernel is
// compiled for each shape that is asked for, so there must not be many: what is left of rows is taken in powers of two.
constexpr int64_t kRows = 64, kColumns = 64, kInner = 512;

int64_t padded(int64_t n) { return (n + kPadding - 1) / kPadding * kPadding; }

void sgemm(int64_t m, int64_t k, float alpha, Matrix a, const Right& right) {
  // To BLAS, which counts columns first, every matrix here is its transpose: cᵀ = bᵀ aᵀ.
  const int rows = static_cast<int>(right.n), columns = static_cast<int>(m), inner = static_cast<int>(k);
  const int lda = static_cast<int>(right.b.stride), ldb = static_cast<int>(a.stride), ldc = static_cast<int>(right.stride);
  const float beta = right.adds ? 1 : 0;
  sgemm_(right.b.transposed ? "T" : "N", a.transposed ? "T" : "N", &rows, &columns, &inner, &alpha, right.b.data, &lda, a.data,
         &ldb, &beta, right.c, &ldc);
}

// The numbers of a [rows, columns] matrix times `scale`, rounded to bfloat16, as float32 in rows of their own.
std::unique_ptr<float[]> rounded(Matrix matrix, int64_t rows, int64_t columns, float scale) {
  if (matrix.transposed) std::swap(rows, columns);
  std::unique_ptr<float[]> copy(new float[rows * columns]);
  parallel_blocks(rows, kRows, [&](int64_t, int64_t first, int64_t count) {
    for (int64_t row = first; row < first + count; ++row) {
      const float* from = matrix.data + row * matrix.stride;
      for (int64_t i = 0; i < columns; ++i) copy[row * columns + i] = c10::BFloat16(from[i] * scale);
    }
  });
  return copy;
}

// The same numbers as the unit's, in another order of sums.
void by_rounding(int64_t m, int64_t k, float alpha, Matrix a, const Right* rights, size_t count) {
  const auto left = rounded(a, m, k, alpha);
  for (const Right* right = rights; right < rights + count; ++right) {
    const auto copy = rounded(right->b, k, right->n, 1);
    Right exact = *right;
    exact.b = {copy.get(), right->b.transposed ? k : right->n, right->b.transposed};
    sgemm(m, k, 1, {left.get(), a.transposed ? m : k, a.transposed}, exact);
  }
}

#ifdef ELECTRA_TORCH_X86

// Memory of a thread that grows and is used again.
class Room {
 public:
  uint16_t* operator()(int64_t numbers) {
    if (numbers > size_) {
      size_ = 0;
      memory_.reset(static_cast<uint16_t*>(std::aligned_alloc(kLine, (numbers * sizeof(uint16_t) + kLine - 1) / kLine * kLine)));
      if (memory_ == nullptr) throw std::bad_alloc();
      size_ = numbers;
    }
    return memory_.get();
  }

 private:
  static constexpr size_t kLine = 64;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<uint16_t, Free> memory_;
  int64_t size_ = 0;
};

void brgemm(int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb, int64_t ldc, bool adds, const uint16_t* a, const uint16_t* b,
            float* c) {
  const auto narrow = [](const uint16_t* x) { return reinterpret_cast<const at::BFloat16*>(x); };
  cpublas::brgemm(m, n, k, lda, ldb, ldc, adds, narrow(a), narrow(b), c);
}

// Columns of a right side, and where they are packed.
struct Panel {
  const Right* right;
  int64_t column, columns, width;
  uint16_t* packed;

  void pack(int64_t k, int64_t inner) const {
    const Matrix b = right->b.from(0, column);
    (b.transposed ? pack_right_transposed : pack_right)(b.data, b.stride, k, columns, packed, inner, width);
  }
  // What the kernel writes: not all lengths of a row of attention, which would be as many kernels.
  int64_t written() const { return right->spare ? width : columns; }
};

void by_unit(int64_t m, int64_t k, float alpha, Matrix a, const Right* rights, size_t count) {
  thread_local Room right_room, left_room;
  const int64_t inner = padded(k);
  int64_t packed = 0;
  for (const Right* right = rights; right < rights + count; ++right) packed += inner * padded(right->n);
  uint16_t* room = right_room(packed);
  std::vector<Panel> panels;
  for (const Right* right = rights; right < rights + count; ++right) {
    for (int64_t column = 0; column < right->n; column += kColumns) {
      const int64_t columns = std::min(kColumns, right->n - column);
      panels.push_back({right, column, columns, padded(columns), room});
      room += inner * padded(columns);
    }
  }
  const int64_t all = static_cast<int64_t>(panels.size()), rows_of_blocks = blocks(m, kRows);
  parallel(all, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) panels[panel].pack(k, inner);
  });

  // Where there are fewer blocks of rows than threads, each is shared.
  const int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  const int64_t groups = std::min(all, rows_of_blocks >= threads ? 1 : (2 * threads + rows_of_blocks - 1) / rows_of_blocks);
  parallel(rows_of_blocks * groups, [&](int64_t begin, int64_t end) {
    uint16_t* left = left_room(kRows * std::min(inner, kInner));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = task / groups * kRows, rows = std::min(kRows, m - row), group = task % groups;
      for (int64_t from = 0; from < inner; from += kInner) {
        const int64_t size = std::min(kInner, inner - from);
        const Matrix block = a.from(row, from);
        (a.transposed ? pack_left_transposed : pack_left)(block.data, block.stride, rows, std::min(size, k - from), alpha, left, size);
        for (int64_t index = group * all / groups; index < (group + 1) * all / groups; ++index) {
          const Panel& panel = panels[index];
          const bool adds = panel.right->adds || from > 0;
          float* c = panel.right->c + row * panel.right->stride + panel.column;
          for (int64_t done = 0, part = kRows; done < rows; part /= 2) {
            if (rows - done < part) continue;
            brgemm(part, panel.written(), size, size, panel.width, panel.right->stride, adds, left + done * size,
                   panel.packed + from * panel.width, c + done * panel.right->stride);
            done += part;
          }
        }
      }
    }
    cpublas::brgemm_release();
  });
}

#else

constexpr auto by_unit = by_rounding;

#endif

}  // namespace

Bf16Unit bf16_unit() {
  static const Bf16Unit unit = [] {
#ifdef ELECTRA_TORCH_X86
    if (!is_available(AVX512) || !__builtin_cpu_supports("avx512bf16")) return NO_UNIT;
    // oneDNN may have been told to use less than the machine has.
    try {
      const std::vector<uint16_t> zeros(kRows * kRows);
      std::vector<float> sums(kRows * kRows);
      brgemm(kRows, kRows, kRows, kRows, kRows, kRows, false, zeros.data(), zeros.data(), sums.data());
      cpublas::brgemm_release();
    } catch (const std::exception&) {
      return NO_UNIT;
    }
    return cpublas::could_pack(at::kBFloat16) ? AMX : AVX512_BF16;
#else
    return NO_UNIT;
#endif
  }();
  return unit;
}

bool is_bf16_fast() {
#ifdef ELECTRA_TORCH_X86
  // AVX512-BF16 takes longer than float32 on Intel's cores, and half as long on AMD's.
  __builtin_cpu_init();
  return bf16_unit() == AMX || (bf16_unit() == AVX512_BF16 && __builtin_cpu_is("amd"));
#else
  return false;
#endif
}

Products::Products(Level level) : Products(level, at::autocast::is_autocast_enabled(at::kCPU)) {}

void Products::operator()(int64_t m, int64_t k, float alpha, Matrix a, std::initializer_list<Right> rights) const {
  if (bf16_ && m > 0 && k > 0) {
    (are_of_unit() ? by_unit : by_rounding)(m, k, alpha, a, rights.begin(), rights.size());
    return;
  }
  for (const Right& right : rights) sgemm(m, k, alpha, a, right);
}

extern "C" {

char* electra_torch_bf16_unit(int32_t* unit, bool* fast) {
  return caught([&] { *unit = bf16_unit(), *fast = is_bf16_fast(); });
}

}  // extern "C"
