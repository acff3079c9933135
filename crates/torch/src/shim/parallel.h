// Loops on libtorch's own threads. at::parallel_for is a template of OpenMP, which would be compiled into
// this program and need its library beside libtorch's; the iterator's loop is compiled into libtorch.

#pragma once

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>

// body(begin, end) over parts of 0..count, which are as many as there are threads.
template <typename Body>
void parallel(int64_t count, const Body& body) {
  if (count <= 1 || at::get_num_threads() == 1) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
  const at::Tensor places = at::empty({count}, at::kByte);
  const char* first = static_cast<const char*>(places.const_data_ptr());
  auto iterator = at::TensorIteratorConfig().add_output(places).check_all_same_dtype(false).resize_outputs(false).build();
  iterator.for_each(
      [&](char** pointers, const int64_t*, int64_t n, int64_t rows) {
        const int64_t begin = pointers[0] - first;
        body(begin, begin + n * rows);
      },
      /*grain_size=*/1);
}

// body(block, first row, rows) over blocks of rows. How many there are depends on the rows alone, so that
// sums over them are the same with every number of threads.
inline int64_t blocks(int64_t rows, int64_t rows_of_block) { return (rows + rows_of_block - 1) / rows_of_block; }

template <typename Body>
void parallel_blocks(int64_t rows, int64_t rows_of_block, const Body& body) {
  parallel(blocks(rows, rows_of_block), [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * rows_of_block;
      body(block, first, std::min(rows_of_block, rows - first));
    }
  });
}
