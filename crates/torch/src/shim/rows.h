// Rows of a batch that are computed, one example after the other: padding is left out.

#pragma once

#include "memory.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

// Of `from` [all, d] the rows at `places`, which ascend where they are as many as there are rows.
inline at::Tensor taken(const at::Tensor& from, const std::vector<int64_t>& places) {
  const at::Tensor plain = from.contiguous();
  const int64_t d = plain.size(-1), count = static_cast<int64_t>(places.size());
  if (count * d == plain.numel()) return plain;
  const at::Tensor rows = empty({count, d});
  for (int64_t row = 0; row < count; ++row) {
    std::copy_n(plain.const_data_ptr<float>() + places[row] * d, d, data(rows) + row * d);
  }
  return rows;
}

// The reverse: [all, d], zeros elsewhere.
inline at::Tensor put_back(const at::Tensor& rows, const std::vector<int64_t>& places, int64_t all) {
  const int64_t d = rows.size(-1), count = static_cast<int64_t>(places.size());
  if (count == all) return rows;
  const at::Tensor whole = at::zeros({all, d}, at::kFloat);
  for (int64_t row = 0; row < count; ++row) {
    std::copy_n(rows.const_data_ptr<float>() + row * d, d, data(whole) + places[row] * d);
  }
  return whole;
}

// Rows of each example.
struct Rows {
  std::vector<int64_t> first{0};  // of each example, and behind the last
  std::vector<int64_t> place;     // of each row in [B·L, …]

  int64_t examples() const { return static_cast<int64_t>(first.size()) - 1; }
  int64_t length_of(int64_t example) const { return first[example + 1] - first[example]; }
  int64_t count() const { return static_cast<int64_t>(place.size()); }
  int64_t longest() const {
    int64_t most = 0;
    for (int64_t example = 0; example < examples(); ++example) most = std::max(most, length_of(example));
    return most;
  }
};

// Those at which mask, bool [B, L], is true.
inline Rows rows_of(const at::Tensor& mask) {
  Rows rows;
  const at::Tensor plain = mask.contiguous();
  const bool* open = plain.const_data_ptr<bool>();
  const int64_t length = mask.size(1);
  rows.place.reserve(mask.numel());
  for (int64_t at = 0; at < mask.numel(); ++at) {
    if (open[at]) rows.place.push_back(at);
    if ((at + 1) % length == 0) rows.first.push_back(rows.count());
  }
  return rows;
}

// Rows that are asked for by their positions.
struct Asked : Rows {               // place: in [B·N, …]
  std::vector<int64_t> row;         // of each among the rows of the batch
};

// positions: int64 [B, N], places in an example of `length`; nothing is computed for those at padding.
inline Asked asked_of(const at::Tensor& positions, const Rows& rows, int64_t length) {
  std::vector<int64_t> row_at(rows.examples() * length, -1);
  for (int64_t row = 0; row < rows.count(); ++row) row_at[rows.place[row]] = row;
  Asked asked;
  const at::Tensor plain = positions.contiguous();
  for (int64_t at = 0; at < positions.numel(); ++at) {
    const int64_t position = plain.const_data_ptr<int64_t>()[at], example = at / positions.size(1);
    TORCH_CHECK(position >= 0 && position < length, "a position is ", position, ": expected 0 to ", length - 1);
    if (const int64_t row = row_at[example * length + position]; row >= 0) {
      asked.row.push_back(row);
      asked.place.push_back(at);
    }
    if ((at + 1) % positions.size(1) == 0) asked.first.push_back(asked.count());
  }
  return asked;
}
