// Rows of a batch that are computed, one example after the other.

#pragma once

#include "memory.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

// Rows of each example.
struct Rows {
  std::vector<int64_t> first{0};  // of each example, and behind the last
  std::vector<int64_t> place;     // of each row in the tensor [all, d] that they are taken from

  int64_t examples() const { return static_cast<int64_t>(first.size()) - 1; }
  int64_t length_of(int64_t example) const { return first[example + 1] - first[example]; }
  int64_t count() const { return static_cast<int64_t>(place.size()); }
  int64_t longest() const {
    int64_t most = 0;
    for (int64_t example = 0; example < examples(); ++example) most = std::max(most, length_of(example));
    return most;
  }
  // Whether they are all rows, in their order.
  bool are_all(int64_t all) const {
    return count() == all && std::is_sorted(place.begin(), place.end());
  }

  at::Tensor taken(const at::Tensor& from) const {
    const at::Tensor plain = from.contiguous();
    const int64_t d = plain.size(-1);
    if (are_all(plain.numel() / d)) return plain;
    const at::Tensor rows = empty({count(), d});
    for (int64_t row = 0; row < count(); ++row) {
      std::copy_n(plain.const_data_ptr<float>() + place[row] * d, d, data(rows) + row * d);
    }
    return rows;
  }

  // The reverse: [all, d], zeros elsewhere.
  at::Tensor put_back(const at::Tensor& rows, int64_t all) const {
    if (are_all(all)) return rows;
    const int64_t d = rows.size(-1);
    const at::Tensor whole = at::zeros({all, d}, at::kFloat);
    for (int64_t row = 0; row < count(); ++row) {
      std::copy_n(rows.const_data_ptr<float>() + row * d, d, data(whole) + place[row] * d);
    }
    return whole;
  }
};

// Those of a batch: in each example the tokens and then, if asked for, padding.
struct BatchRows : Rows {
  std::vector<int64_t> tokens;  // of each example

  int64_t most_tokens() const { return tokens.empty() ? 0 : *std::max_element(tokens.begin(), tokens.end()); }
};

// mask: bool [B, L], true at tokens.
inline BatchRows rows_of(const at::Tensor& mask, bool with_padding) {
  BatchRows rows;
  const at::Tensor plain = mask.contiguous();
  const bool* is_token = plain.const_data_ptr<bool>();
  const int64_t length = mask.size(1);
  rows.place.reserve(mask.numel());
  for (int64_t example = 0; example < mask.size(0); ++example) {
    const auto add = [&](bool tokens) {
      for (int64_t cell = example * length; cell < (example + 1) * length; ++cell) {
        if (is_token[cell] == tokens) rows.place.push_back(cell);
      }
    };
    add(true);
    rows.tokens.push_back(rows.count() - rows.first.back());
    if (with_padding) add(false);
    rows.first.push_back(rows.count());
  }
  return rows;
}

// Rows that are asked for by their positions.
struct SelectedRows : Rows {        // place: in [B·N, d]
  std::vector<int64_t> row;  // of each among the rows of the batch
};

// positions: int64 [B, N], places in an example of `length`; nothing is computed for those at padding.
inline SelectedRows selected_rows(const at::Tensor& positions, const BatchRows& rows, int64_t length) {
  std::vector<int64_t> row_at(rows.examples() * length, -1);
  for (int64_t row = 0; row < rows.count(); ++row) row_at[rows.place[row]] = row;
  SelectedRows selected;
  const at::Tensor plain = positions.contiguous();
  for (int64_t cell = 0; cell < positions.numel(); ++cell) {
    const int64_t position = plain.const_data_ptr<int64_t>()[cell], example = cell / positions.size(1);
    TORCH_CHECK(position >= 0 && position < length, "a position is ", position, ": expected 0 to ", length - 1);
    if (const int64_t row = row_at[example * length + position]; row >= 0) {
      selected.row.push_back(row);
      selected.place.push_back(cell);
    }
    if ((cell + 1) % positions.size(1) == 0) selected.first.push_back(selected.count());
  }
  return selected;
}
