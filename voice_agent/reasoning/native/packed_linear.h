// y = x W^T + bias over a weight in tiles (packed/layout.py), with x rounded to 8 bits in groups of 32 columns.
//
// Plain C++: no torch here. Sizes are counts of elements unless they say bytes.
#pragma once

#include <cstdint>

namespace voice_agent {

struct Weight {
  const uint8_t* codes;       // (tiles, columns / 32, bits * 64)
  const uint16_t* scales;     // float16 (tiles, columns / group, 16)
  const uint16_t* minimums;   // the same, or null
  int64_t rows, columns;
  int bits, group, zero;
};

// x: (tokens, columns), bias: (rows) or null, y: (tokens, rows).
void packed_linear(const float* x, int64_t tokens, const Weight& weight, const float* bias, float* y, int threads);

}  // namespace voice_agent
