// Which numbers dropout keeps. In each file a copy of its own, as each may be compiled for another machine.

#pragma once

#include "kernels.h"

namespace {

// The two halves of what a row's random bits are made from: SplitMix64 (Steele, Lea, Flood, 2014) of seed and
// row.
struct Key {
  uint32_t first, second, threshold;

  Key(Dropout dropout, uint64_t row) : threshold((uint32_t)(dropout.rate * 4294967296.0f)) {
    uint64_t z = dropout.seed + (dropout.first_row + row + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    first = (uint32_t)z;
    second = (uint32_t)(z >> 32);
  }

  // Whether a column stays: a Weyl sequence through a multiply-and-shift hash, the key going in at both ends
  // of it.
  bool keeps(uint32_t column) const {
    uint32_t x = column * 0x9e3779b1u + first;
    x = (x ^ (x >> 16)) * 0x21f0aaadu + second;
    x = (x ^ (x >> 15)) * 0x735a2d97u;
    return (x ^ (x >> 15)) >= threshold;
  }
};

}  // namespace
