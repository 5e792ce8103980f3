// Attention of all rows of a step over the blocks of their views, one call a layer (the twin: attention_kernels.py).
//
// Plain C++: no torch here. Sizes and strides are counts of elements; the last axis of every tensor is contiguous.
#pragma once

#include <cstdint>
#include <vector>

namespace voice_agent {

// As the tables of a step hold them.
struct Span {
  int64_t slot, length, position;
};
struct Row {
  int64_t first, count;      // its new tokens
  int64_t begin, end;        // its spans; the last one is the block that is written
};

template <typename T>
struct HeadsOfTokens {  // (heads, tokens, dim)
  T* at;
  int64_t head_stride, token_stride;
};

struct AttentionStep {
  std::vector<Row> rows;
  const Span* spans;
  const float *cos, *sin;    // (spans, pairs): the further rotation of queries for each span
  int64_t pairs;             // of entries that turn together, from entry `rotary_start` of a head on
  int64_t rotary_start;
  bool interleaved;          // the partner of an entry is the next one, else the one `pairs` further on
  int64_t heads, kv_heads, dim, value_dim;
  float scale;
  int64_t sliding_window;    // 0: none
  float softcap;             // 0: none
  const float* sinks;        // (heads) or null
};

// keys, values: the arena, (kv_heads, slots, dim), new ones included; out: (tokens, heads, value_dim).
template <typename T>
void block_attention(const AttentionStep& step, HeadsOfTokens<const T> query, HeadsOfTokens<const T> keys,
                     HeadsOfTokens<const T> values, T* out, int threads);

}  // namespace voice_agent
