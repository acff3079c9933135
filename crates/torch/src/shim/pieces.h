// Pieces that the attention of a batch is computed in: queries of an example, and the keys that one of them attends to.

#pragma once

#include "rows.h"

#include <algorithm>
#include <vector>

struct Piece {
  int64_t query, queries;  // the first row of the plan, and how many
  int64_t key, keys;       // the first row of the batch, and how many
  int64_t columns;         // the keys made up to whole vectors
  int64_t place;           // where its probabilities begin for the first head, of a batch of one head
  bool masked;             // whether some query does not attend to all of the keys
};

struct Pieces {
  int64_t window;               // the most places between a query and a key; -1 for any
  std::vector<Piece> all;
  std::vector<size_t> first;    // of each example, and behind the last
  int64_t probabilities = 0;    // of one head
  int64_t most = 0, most_columns = 0;

  // A length made up to whole vectors, as what is left over of a row takes as long as several of them.
  static int64_t padded(int64_t length) { return (length + 15) / 16 * 16; }

  void add(Piece piece) {
    piece.columns = padded(piece.keys), piece.place = probabilities;
    probabilities += piece.queries * piece.columns;
    most = std::max(most, piece.queries * piece.columns), most_columns = std::max(most_columns, piece.columns);
    all.push_back(piece);
  }
};

// `place` gives the place in its example of a row of the batch, `row` the row of the batch that a row of the plan is.
template <typename Place, typename Row>
Pieces pieces_of(const BatchRows& batch, const Rows& plan, int64_t window, const Place& place, const Row& row) {
  constexpr int64_t kQueries = 64;  // of a piece that not all keys are attended to by
  Pieces pieces;
  pieces.window = window;
  for (int64_t example = 0; example < batch.examples(); ++example) {
    pieces.first.push_back(pieces.all.size());
    // The tokens come first, in the order of their places.
    const int64_t begin = batch.first[example], end = begin + batch.tokens[example];
    const int64_t first = plan.first[example], queries = plan.length_of(example);
    const bool sees_all = window < 0 || end == begin || place(batch.first[example + 1] - 1) <= window;
    const int64_t step = sees_all ? queries : kQueries;
    for (int64_t query = first; query < first + queries; query += step) {
      const int64_t count = std::min(step, first + queries - query);
      Piece piece{query, count, begin, end - begin, 0, 0, false};
      if (!sees_all) {
        int64_t least = place(row(query)), most = least;
        for (int64_t index = query; index < query + count; ++index) {
          least = std::min(least, place(row(index))), most = std::max(most, place(row(index)));
        }
        while (piece.key < end && place(piece.key) < least - window) ++piece.key;
        int64_t last = piece.key;
        while (last < end && place(last) <= most + window) ++last;
        piece.keys = last - piece.key;
        piece.masked = piece.keys > 0 && (place(piece.key) < most - window || place(last - 1) > least + window);
      }
      pieces.add(piece);
    }
  }
  pieces.first.push_back(pieces.all.size());
  return pieces;
}
