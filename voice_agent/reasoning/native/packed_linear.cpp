#include "packed_linear.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "lanes.h"
#include "worker_pool.h"

namespace voice_agent {
namespace {

constexpr int kTileRows = 16;
constexpr int kBlock = 32;                    // columns that share an activation scale
constexpr int64_t kChunkBytes = 64 << 10;     // of codes: some tens of microseconds at one token
constexpr int64_t kParallelBytes = 96 << 10;  // less than this is done before a helper wakes
constexpr int64_t kPrefetchBytes = 2048;

// Activations as integers. values: (tokens, columns); scales: (tokens, columns / 32).
// For a group of weights, `offsets` is what its zero point adds to the integer dot product; `sums` is the sum of the
// rounded activations, which its minimum multiplies. Both: (tokens, columns / group).
struct Activations {
  std::vector<int8_t> values;
  std::vector<float> scales, sums;
  std::vector<int32_t> offsets;
};

void round_block(const float* x, int8_t* values, float* scale) {
  float largest = 0;
  for (int i = 0; i < kBlock; ++i) largest = std::max(largest, std::fabs(x[i]));
  *scale = largest / 127;
  const float inverse = largest > 0 ? 127 / largest : 0;
  for (int i = 0; i < kBlock; ++i) values[i] = static_cast<int8_t>(std::nearbyint(x[i] * inverse));
}

void round_token(const float* x, int64_t token, const Weight& w, int code_offset, Activations& out) {
  const int64_t blocks = w.columns / kBlock, groups = w.columns / w.group;
  int8_t* values = &out.values[token * w.columns];
  for (int64_t b = 0; b < blocks; ++b)
    round_block(x + token * w.columns + b * kBlock, values + b * kBlock, &out.scales[token * blocks + b]);
  for (int64_t g = 0; g < groups; ++g) {
    int32_t sum = 0;
    for (int i = 0; i < w.group; ++i) sum += values[g * w.group + i];
    out.offsets[token * groups + g] = (code_offset - w.zero) * sum;
    out.sums[token * groups + g] = sum * out.scales[token * blocks + g * w.group / kBlock];
  }
}

// Codes of 32 columns x 16 rows, widened to bytes: w[v] holds columns 4v..4v+3.
template <int Bits>
inline void widen(const uint8_t* codes, Bytes (&w)[8]) {
  if constexpr (Bits == 8) {
    for (int v = 0; v < 8; ++v) w[v] = load(codes + v * 64);
  } else {
    for (int j = 0; j < 4; ++j) {
      const Bytes both = load(codes + j * 64);
      w[2 * j] = low_nibbles(both);
      w[2 * j + 1] = high_nibbles(both);
    }
  }
  if constexpr (Bits == 6) {
    for (int h = 0; h < 2; ++h) {
      const Bytes pairs = load(codes + 256 + h * 64);
      w[4 * h] = with_high_pair<0>(w[4 * h], pairs);
      w[4 * h + 1] = with_high_pair<1>(w[4 * h + 1], pairs);
      w[4 * h + 2] = with_high_pair<2>(w[4 * h + 2], pairs);
      w[4 * h + 3] = with_high_pair<3>(w[4 * h + 3], pairs);
    }
  }
}

// One tile (16 rows) for `Tokens` tokens from `first` on; y points at the tile's first row of token `first`.
template <int Bits, int Group, bool Minimum, int Tokens>
void tile_product(const Weight& w, int64_t tile, const Activations& x, int64_t first, const float* start, float* y) {
  constexpr int kHalves = kBlock / Group, kDots = 8 / kHalves;
  const int64_t blocks = w.columns / kBlock, groups = w.columns / Group;
  const uint8_t* codes = w.codes + tile * blocks * Bits * 64;
  const uint16_t* scales = w.scales + tile * groups * kTileRows;
  const uint16_t* minimums = Minimum ? w.minimums + tile * groups * kTileRows : nullptr;
  Floats total[Tokens];
  for (int t = 0; t < Tokens; ++t) total[t] = start ? load_floats(start) : zeros();
  for (int64_t b = 0; b < blocks; ++b) {
    for (int line = 0; line < Bits; ++line) _mm_prefetch(codes + b * Bits * 64 + line * 64 + kPrefetchBytes, _MM_HINT_T0);
    Bytes wide[8];
    widen<Bits>(codes + b * Bits * 64, wide);
    for (int h = 0; h < kHalves; ++h) {
      const int64_t g = b * kHalves + h;
      const Floats scale = load_halves(scales + g * kTileRows);
      for (int t = 0; t < Tokens; ++t) {
        const int8_t* columns = &x.values[(first + t) * w.columns + g * Group];
        Ints sum = broadcast(Minimum ? 0 : x.offsets[(first + t) * groups + g]);
        for (int v = 0; v < kDots; ++v) sum = dot<Bits>(sum, wide[h * kDots + v], four_bytes(columns + 4 * v));
        total[t] = add_scaled(total[t], sum, scale, x.scales[(first + t) * blocks + b]);
      }
      if constexpr (Minimum) {
        const Floats minimum = load_halves(minimums + g * kTileRows);
        for (int t = 0; t < Tokens; ++t) total[t] = subtract(total[t], minimum, x.sums[(first + t) * groups + g]);
      }
    }
  }
  for (int t = 0; t < Tokens; ++t) store(y + t * w.rows, total[t]);
}

using TileProduct = void (*)(const Weight&, int64_t, const Activations&, int64_t, const float*, float*);

struct Products {
  int code_offset;
  TileProduct of_tokens[kTokensAtOnce];  // [n - 1]: for n tokens at once
};

template <int Bits, int Group, bool Minimum, int... N>
Products products(std::integer_sequence<int, N...>) {
  constexpr int offset = Minimum ? 0 : kCodeOffset<Bits>;
  return {offset, {tile_product<Bits, Group, Minimum, N + 1>...}};
}

template <int Bits>
Products products_of(const Weight& w) {
  using Counts = std::make_integer_sequence<int, kTokensAtOnce>;
  if (w.group == 16) return w.minimums ? products<Bits, 16, true>(Counts{}) : products<Bits, 16, false>(Counts{});
  return w.minimums ? products<Bits, 32, true>(Counts{}) : products<Bits, 32, false>(Counts{});
}

Products choose(const Weight& w) {
  return w.bits == 4 ? products_of<4>(w) : w.bits == 6 ? products_of<6>(w) : products_of<8>(w);
}

// All tokens for one tile; the last tile may be narrower than 16 rows.
void one_tile(const Products& products, const Weight& w, int64_t tile, const Activations& x, int64_t tokens,
              const float* bias, float* y) {
  const int64_t row = tile * kTileRows, width = std::min<int64_t>(kTileRows, w.rows - row);
  float padded_bias[kTileRows] = {};
  if (bias && width < kTileRows) std::copy_n(bias + row, width, padded_bias);
  const float* start = !bias ? nullptr : width < kTileRows ? padded_bias : bias + row;
  for (int64_t first = 0; first < tokens; first += kTokensAtOnce) {
    const int64_t count = std::min<int64_t>(kTokensAtOnce, tokens - first);
    const TileProduct product = products.of_tokens[count - 1];
    if (width == kTileRows) {
      product(w, tile, x, first, start, y + first * w.rows + row);
      continue;
    }
    Weight narrow = w;
    narrow.rows = kTileRows;  // only the distance between two tokens' results
    float wide[kTokensAtOnce * kTileRows];
    product(narrow, tile, x, first, start, wide);
    for (int64_t t = 0; t < count; ++t) std::copy_n(wide + t * kTileRows, width, y + (first + t) * w.rows + row);
  }
}

}  // namespace

void packed_linear(const float* x, int64_t tokens, const Weight& w, const float* bias, float* y, int threads) {
  const Products products = choose(w);
  static thread_local Activations rounded;  // kept: allocating for every layer costs more than rounding
  const int64_t groups = w.columns / w.group;
  rounded.values.resize(tokens * w.columns);
  rounded.scales.resize(tokens * w.columns / kBlock);
  rounded.sums.resize(tokens * groups);
  rounded.offsets.resize(tokens * groups);
  Activations& activations = rounded;  // the helpers must see the caller's, not their own
  WorkerPool& pool = WorkerPool::shared();
  pool.run(tokens, tokens < 8 ? 1 : threads,
           [&](int64_t token) { round_token(x, token, w, products.code_offset, activations); });

  const int64_t tiles = (w.rows + kTileRows - 1) / kTileRows, tile_bytes = w.columns * w.bits * 2;
  const bool small = tiles * tile_bytes * tokens < kParallelBytes;
  const int64_t share = (tiles + threads * 4 - 1) / (threads * 4);  // at least four chunks a thread
  const int64_t step = std::clamp<int64_t>(kChunkBytes / tile_bytes, 1, std::max<int64_t>(1, share));
  pool.run((tiles + step - 1) / step, small ? 1 : threads, [&](int64_t chunk) {
    for (int64_t tile = chunk * step; tile < std::min(tiles, (chunk + 1) * step); ++tile)
      one_tile(products, w, tile, activations, tokens, bias, y);
  });
}

}  // namespace voice_agent
