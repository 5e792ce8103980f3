#include "block_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "vectors.h"
#include "worker_pool.h"

namespace voice_agent {
namespace {

// Registers: AVX-512 has 32, AVX2 16; queries * 4 sums, 4 keys (or 4 vectors of a value) and one more must fit.
constexpr int kQueriesAtOnce = kLanes == 16 ? 6 : 2;
constexpr int kKeysAtOnce = 4;
constexpr int64_t kTileKeys = 128;             // keys between two looks at the largest score: 64 KB at 128 x float32
constexpr int64_t kTileQueries = 48;          // queries that share a pass over the keys
constexpr int64_t kChunkKeys = 256;           // of a row, about: what one thread takes at a time
constexpr int64_t kParallelProducts = 1 << 17;  // multiplications; fewer are done before a helper wakes
constexpr int64_t kAhead = 16;                // keys or values that are fetched before they are needed
constexpr float kNothing = std::numeric_limits<float>::lowest();
constexpr float kHidden = -std::numeric_limits<float>::infinity();

int64_t padded(int64_t dim) { return (dim + kLanes - 1) / kLanes * kLanes; }

// New tokens [token, token + tokens) of a row with all heads that share a key head, over keys [from, to) of its view.
struct Piece {
  const Row* row;
  int64_t kv_head, token, tokens;
  int64_t from, to;
  float* partial;  // largest (queries), total (queries), weighted (queries, padded value_dim)
};

// All pieces of the same queries.
struct Group {
  Piece first;
  int64_t pieces;
};

// A thread's workspace; queries are ordered (token, head of the group).
struct Scratch {
  std::vector<float> queries, turned;   // (queries, padded dim), scaled
  std::vector<float> scores;            // (queries, kTileKeys)
  std::vector<Vector> totals;           // (queries)
};

// scores[q][k] for NQ queries and `count` keys.
template <int NQ, typename T>
void products(const float* queries, int64_t dim, const T* keys, int64_t key_stride, int64_t count, float* scores) {
  const int64_t width = padded(dim), whole = dim / kLanes * kLanes;
  for (int64_t k = 0; k < count; k += kKeysAtOnce) {
    const T* key[kKeysAtOnce];  // past the end: the last one again, its scores are overwritten
    for (int j = 0; j < kKeysAtOnce; ++j) key[j] = keys + std::min(k + j, count - 1) * key_stride;
    Vector sums[NQ][kKeysAtOnce] = {};
    const auto add = [&](const Vector (&x)[kKeysAtOnce], int64_t d) {
#pragma GCC unroll 8
      for (int q = 0; q < NQ; ++q) {
        Vector query = load(queries + q * width + d);
        asm("" : "+v"(query));  // or the compiler loads it anew for every key: loads would be the bottleneck
#pragma GCC unroll 4
        for (int j = 0; j < kKeysAtOnce; ++j) sums[q][j] += query * x[j];
      }
    };
    for (int64_t d = 0; d < whole; d += kLanes) {
      Vector x[kKeysAtOnce];
      for (int j = 0; j < kKeysAtOnce; ++j) {
        x[j] = load(key[j] + d);
        __builtin_prefetch(key[j] + d + kAhead * key_stride);
      }
      add(x, d);
    }
    if (whole < dim) {
      Vector x[kKeysAtOnce];
      for (int j = 0; j < kKeysAtOnce; ++j) x[j] = load_first(key[j] + whole, dim - whole);
      add(x, whole);
    }
    for (int q = 0; q < NQ; ++q) store_sums(scores + q * kTileKeys + k, sums[q][0], sums[q][1], sums[q][2], sums[q][3]);
  }
}

// weighted[q][0..NV * kLanes) += sum over keys of weights[q][k] * values[k]; `dim` is what is left of a value.
template <int NQ, int NV, typename T>
void add_values(const float* weights, const T* values, int64_t value_stride, int64_t count, int64_t dim, float* weighted,
                int64_t width) {
  Vector sums[NQ][NV];
  for (int q = 0; q < NQ; ++q)
    for (int v = 0; v < NV; ++v) sums[q][v] = load(weighted + q * width + v * kLanes);
  for (int64_t k = 0; k < count; ++k) {
    const T* value = values + k * value_stride;
    Vector x[NV];
    for (int v = 0; v < NV; ++v) __builtin_prefetch(value + v * kLanes + kAhead * value_stride);
    for (int v = 0; v < NV; ++v)
      x[v] = NV > 1 || dim >= kLanes ? load(value + v * kLanes) : load_first(value, dim);
    for (int q = 0; q < NQ; ++q) {
      const Vector weight = broadcast(weights[q * kTileKeys + k]);
      for (int v = 0; v < NV; ++v) sums[q][v] += weight * x[v];
    }
  }
  for (int q = 0; q < NQ; ++q)
    for (int v = 0; v < NV; ++v) store(weighted + q * width + v * kLanes, sums[q][v]);
}

template <int NQ, typename T>
void add_all_values(const float* weights, const T* values, int64_t value_stride, int64_t count, int64_t dim,
                    float* weighted) {
  const int64_t width = padded(dim);
  int64_t d = 0;
  for (; d + 4 * kLanes <= dim; d += 4 * kLanes)
    add_values<NQ, 4>(weights, values + d, value_stride, count, dim - d, weighted + d, width);
  for (; d < dim; d += kLanes)
    add_values<NQ, 1>(weights, values + d, value_stride, count, dim - d, weighted + d, width);
}

template <typename T>
struct Products {
  void (*scores)(const float*, int64_t, const T*, int64_t, int64_t, float*);
  void (*values)(const float*, const T*, int64_t, int64_t, int64_t, float*);
};

template <typename T, int... N>
Products<T> products_of(int64_t queries, std::integer_sequence<int, N...>) {
  static constexpr Products<T> table[] = {{products<N + 1, T>, add_all_values<N + 1, T>}...};
  return table[queries - 1];
}

template <typename T>
Products<T> products_of(int64_t queries) {
  return products_of<T>(queries, std::make_integer_sequence<int, kQueriesAtOnce>{});
}

template <typename T>
class PieceOfAttention {
 public:
  PieceOfAttention(const AttentionStep& step, const Piece& piece, Scratch& scratch)
      : step_(step),
        piece_(piece),
        scratch_(scratch),
        group_(step.heads / step.kv_heads),
        queries_(piece.tokens * group_),
        largest_(piece.partial),
        weighted_(piece.partial + 2 * queries_) {}

  void run(HeadsOfTokens<const T> query, HeadsOfTokens<const T> keys, HeadsOfTokens<const T> values) {
    take_queries(query);
    std::fill_n(largest_, queries_, kNothing);
    std::fill_n(weighted_, queries_ * padded(step_.value_dim), 0.0f);
    scratch_.totals.assign(queries_, Vector{});
    scratch_.scores.resize(queries_ * kTileKeys);
    const Row& row = *piece_.row;
    int64_t passed = 0;  // keys of earlier spans
    for (int64_t s = row.begin; s < row.end; ++s) {
      const Span& span = step_.spans[s];
      const int64_t length = span.length + (s + 1 == row.end ? row.count : 0);
      const int64_t from = std::max<int64_t>(piece_.from - passed, 0), to = std::min(piece_.to - passed, length);
      passed += length;
      if (from >= to) continue;
      turn_queries(s);
      for (int64_t k = from; k < to; k += kTileKeys)
        take_tile(span.position + k, std::min(kTileKeys, to - k), head_of(keys, span.slot + k),
                  keys.token_stride, head_of(values, span.slot + k), values.token_stride);
    }
    for (int64_t q = 0; q < queries_; ++q) piece_.partial[queries_ + q] = sum(scratch_.totals[q]);
  }

 private:
  const T* head_of(HeadsOfTokens<const T> arena, int64_t slot) const {
    return arena.at + piece_.kv_head * arena.head_stride + slot * arena.token_stride;
  }

  void take_queries(HeadsOfTokens<const T> query) {
    const int64_t width = padded(step_.dim);
    scratch_.queries.assign(queries_ * width, 0.0f);
    for (int64_t q = 0; q < queries_; ++q) {
      const int64_t token = piece_.row->first + piece_.token + q / group_, head = piece_.kv_head * group_ + q % group_;
      const T* at = query.at + head * query.head_stride + token * query.token_stride;
      for (int64_t d = 0; d < step_.dim; ++d) scratch_.queries[q * width + d] = to_float(at[d]) * step_.scale;
    }
  }

  void turn_queries(int64_t span) {
    const int64_t width = padded(step_.dim);
    scratch_.turned = scratch_.queries;
    for (int64_t q = 0; q < queries_; ++q) {
      const int64_t turning = q * width + step_.rotary_start;
      if (step_.interleaved)
        turn<2>(&scratch_.queries[turning], span, &scratch_.turned[turning]);
      else
        turn<1>(&scratch_.queries[turning], span, &scratch_.turned[turning]);
    }
  }

  // Stride 1: entry i turns with entry i + pairs; stride 2: with the next one.
  template <int Stride>
  void turn(const float* from, int64_t span, float* to) const {
    const int64_t pairs = step_.pairs, partner = Stride == 2 ? 1 : pairs;
    const float *cos = step_.cos + span * pairs, *sin = step_.sin + span * pairs;
    for (int64_t i = 0; i < pairs; ++i) to[Stride * i] = from[Stride * i] * cos[i] - from[Stride * i + partner] * sin[i];
    for (int64_t i = 0; i < pairs; ++i)
      to[Stride * i + partner] = from[Stride * i + partner] * cos[i] + from[Stride * i] * sin[i];
  }

  // `count` keys, the first of which stands at `position` of the view.
  void take_tile(int64_t position, int64_t count, const T* keys, int64_t key_stride, const T* values,
                 int64_t value_stride) {
    const Span& own = step_.spans[piece_.row->end - 1];
    const int64_t asks = own.position + own.length + piece_.token;  // where the first token of the piece stands
    const int64_t last = asks + piece_.tokens - 1;
    if (position > last || (step_.sliding_window && position + count - 1 <= asks - step_.sliding_window)) return;
    const bool all_seen = position + count - 1 <= asks && (!step_.sliding_window || position > last - step_.sliding_window);
    for (int64_t q = 0; q < queries_; q += kQueriesAtOnce) {
      const int64_t at_once = std::min<int64_t>(kQueriesAtOnce, queries_ - q);
      const Products<T> products = products_of<T>(at_once);
      float* scores = &scratch_.scores[q * kTileKeys];
      products.scores(&scratch_.turned[q * padded(step_.dim)], step_.dim, keys, key_stride, count, scores);
      for (int64_t i = 0; i < at_once; ++i) {
        if (!all_seen) hide(scores + i * kTileKeys, count, position, asks + (q + i) / group_);
        take_scores(q + i, scores + i * kTileKeys, count);
      }
      products.values(scores, values, value_stride, count, step_.value_dim, weighted_ + q * padded(step_.value_dim));
    }
  }

  // Keys after the token that asks and keys outside its window.
  void hide(float* scores, int64_t count, int64_t position, int64_t asks) const {
    const int64_t end = std::clamp<int64_t>(asks + 1 - position, 0, count);
    const int64_t begin = step_.sliding_window ? std::clamp<int64_t>(asks + 1 - step_.sliding_window - position, 0, end) : 0;
    std::fill_n(scores, begin, kHidden);
    std::fill(scores + end, scores + count, kHidden);
  }

  // Turns the scores of one query into weights relative to the largest score so far.
  void take_scores(int64_t q, float* scores, int64_t count) {
    std::fill(scores + count, scores + padded(count), kHidden);
    Vector most = broadcast(largest_[q]);
    for (int64_t k = 0; k < count; k += kLanes) {
      Vector x = load(scores + k);
      if (step_.softcap > 0) {
        x = x == kHidden ? x : step_.softcap * tanh_of(x / step_.softcap);
        store(scores + k, x);
      }
      most = larger(most, x);
    }
    const float now = largest(most);
    if (now > largest_[q]) {
      const Vector shrink = exp_of(broadcast(largest_[q] - now));
      scratch_.totals[q] *= shrink;
      float* weighted = weighted_ + q * padded(step_.value_dim);
      for (int64_t d = 0; d < step_.value_dim; d += kLanes) store(weighted + d, load(weighted + d) * shrink);
      largest_[q] = now;
    }
    for (int64_t k = 0; k < count; k += kLanes) {
      const Vector weight = exp_of(load(scores + k) - now);
      store(scores + k, weight);
      scratch_.totals[q] += weight;
    }
  }

  const AttentionStep& step_;
  const Piece& piece_;
  Scratch& scratch_;
  const int64_t group_, queries_;
  float *largest_, *weighted_;
};

// One softmax over all pieces of the same queries, and over the sink.
template <typename T>
void join(const AttentionStep& step, const Group& group, T* out) {
  const Piece& piece = group.first;
  const int64_t per_head = step.heads / step.kv_heads, queries = piece.tokens * per_head, width = padded(step.value_dim);
  const int64_t stride = queries * (2 + width);
  for (int64_t q = 0; q < queries; ++q) {
    const int64_t token = piece.row->first + piece.token + q / per_head, head = piece.kv_head * per_head + q % per_head;
    float most = step.sinks ? step.sinks[head] : kNothing;
    for (int64_t p = 0; p < group.pieces; ++p) most = std::max(most, piece.partial[p * stride + q]);
    float total = step.sinks ? std::exp(step.sinks[head] - most) : 0;
    for (int64_t p = 0; p < group.pieces; ++p) {
      float* partial = piece.partial + p * stride;
      partial[q] = std::exp(partial[q] - most);  // what the piece weighs
      total += partial[q] * partial[queries + q];
    }
    T* to = out + (token * step.heads + head) * step.value_dim;
    for (int64_t d = 0; d < step.value_dim; ++d) {
      float x = 0;
      for (int64_t p = 0; p < group.pieces; ++p) {
        const float* partial = piece.partial + p * stride;
        x += partial[q] * partial[2 * queries + q * width + d];
      }
      round_to(x / total, to + d);
    }
  }
}

int64_t keys_of(const AttentionStep& step, const Row& row) {
  int64_t keys = row.count;
  for (int64_t s = row.begin; s < row.end; ++s) keys += step.spans[s].length;
  return keys;
}

struct Work {
  std::vector<Piece> pieces;
  std::vector<Group> groups;
  std::vector<float> partials;
  int64_t products, joined;  // multiplications; floats that are joined
};

// The split depends on lengths only, never on threads: the same step gives the same bits.
void split(const AttentionStep& step, Work& work) {
  const int64_t per_head = step.heads / step.kv_heads, tile = std::max<int64_t>(1, kTileQueries / per_head);
  work.pieces.clear();
  work.groups.clear();
  work.products = work.joined = 0;
  for (const Row& row : step.rows) {
    const int64_t keys = keys_of(step, row), pieces = (keys + kChunkKeys - 1) / kChunkKeys;
    work.products += row.count * step.heads * keys * (step.dim + step.value_dim);
    for (int64_t h = 0; h < step.kv_heads; ++h) {
      for (int64_t token = 0; token < row.count; token += tile) {
        const int64_t tokens = std::min(tile, row.count - token);
        work.groups.push_back({{&row, h, token, tokens, 0, keys, nullptr}, pieces});
        work.joined += pieces * tokens * per_head * (2 + padded(step.value_dim));
      }
    }
  }
  if (static_cast<int64_t>(work.partials.size()) < work.joined) work.partials.resize(work.joined);
  float* partial = work.partials.data();
  for (Group& group : work.groups) {
    const int64_t keys = group.first.to;
    group.first.partial = partial;
    for (int64_t p = 0; p < group.pieces; ++p) {
      Piece piece = group.first;
      piece.from = keys * p / group.pieces;
      piece.to = keys * (p + 1) / group.pieces;
      piece.partial = partial;
      partial += piece.tokens * per_head * (2 + padded(step.value_dim));
      work.pieces.push_back(piece);
    }
  }
  // Pieces over the same keys follow each other: what one row read from memory, the next finds in the cache.
  std::stable_sort(work.pieces.begin(), work.pieces.end(), [](const Piece& a, const Piece& b) {
    return std::pair(a.kv_head, a.from / kChunkKeys) < std::pair(b.kv_head, b.from / kChunkKeys);
  });
}

}  // namespace

template <typename T>
void block_attention(const AttentionStep& step, HeadsOfTokens<const T> query, HeadsOfTokens<const T> keys,
                     HeadsOfTokens<const T> values, T* out, int threads) {
  static thread_local Work kept;  // allocating for every layer costs more than splitting
  Work& work = kept;              // the helpers must see the caller's, not their own
  split(step, work);
  if (work.products < kParallelProducts) threads = 1;
  WorkerPool& pool = WorkerPool::shared();
  pool.run(static_cast<int64_t>(work.pieces.size()), threads, [&](int64_t i) {
    static thread_local Scratch scratch;
    PieceOfAttention<T>(step, work.pieces[i], scratch).run(query, keys, values);
  });
  pool.run(static_cast<int64_t>(work.groups.size()), work.joined < kParallelProducts ? 1 : threads,
           [&](int64_t i) { join(step, work.groups[i], out); });
}

template void block_attention(const AttentionStep&, HeadsOfTokens<const float>, HeadsOfTokens<const float>,
                              HeadsOfTokens<const float>, float*, int);
template void block_attention(const AttentionStep&, HeadsOfTokens<const BFloat16>, HeadsOfTokens<const BFloat16>,
                              HeadsOfTokens<const BFloat16>, BFloat16*, int);

}  // namespace voice_agent
