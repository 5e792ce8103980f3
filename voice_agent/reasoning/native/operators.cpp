// What Python sees: torch.ops.voice_agent.*; tensors are checked here and turned into plain pointers.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <cstring>
#include <optional>

#include "block_attention.h"
#include "packed_linear.h"
#include "vectors.h"

namespace {

using at::Tensor;

const Tensor& checked(const Tensor& tensor, at::ScalarType type, const char* name) {
  TORCH_CHECK(tensor.scalar_type() == type && tensor.is_contiguous() && tensor.is_cpu(), name, ": expected contiguous ",
              type, " on the CPU, got ", tensor.scalar_type(), " ", tensor.sizes());
  return tensor;
}

Tensor packed_linear(const Tensor& x, const Tensor& codes, const Tensor& scales, const std::optional<Tensor>& minimums,
                     const std::optional<Tensor>& bias, int64_t rows, int64_t bits, int64_t group, int64_t zero) {
  const int64_t columns = codes.size(1) * 32;
  TORCH_CHECK(x.dim() == 2 && x.size(1) == columns, "x: expected (tokens, ", columns, "), got ", x.sizes());
  const Tensor input = checked(x.contiguous(), at::kFloat, "x");
  voice_agent::Weight weight{
      .codes = checked(codes, at::kByte, "codes").const_data_ptr<uint8_t>(),
      .scales = reinterpret_cast<const uint16_t*>(checked(scales, at::kHalf, "scales").const_data_ptr()),
      .minimums = minimums ? reinterpret_cast<const uint16_t*>(checked(*minimums, at::kHalf, "minimums").const_data_ptr())
                           : nullptr,
      .rows = rows,
      .columns = columns,
      .bits = static_cast<int>(bits),
      .group = static_cast<int>(group),
      .zero = static_cast<int>(zero),
  };
  Tensor y = at::empty({x.size(0), rows}, x.options());
  const float* start = bias ? checked(*bias, at::kFloat, "bias").const_data_ptr<float>() : nullptr;
  voice_agent::packed_linear(input.const_data_ptr<float>(), x.size(0), weight, start, y.mutable_data_ptr<float>(),
                             at::get_num_threads());
  return y;
}

template <typename T>
voice_agent::HeadsOfTokens<T> heads_of(const Tensor& x) {
  return {reinterpret_cast<T*>(const_cast<void*>(x.const_data_ptr())), x.stride(0), x.stride(1)};
}

// New keys or values (kv_heads, tokens, dim) to their places in the arena (kv_heads, slots, dim).
void write_new(const Tensor& arena, const Tensor& fresh, const voice_agent::AttentionStep& step) {
  const int64_t size = arena.element_size(), bytes = arena.size(2) * size;
  for (const voice_agent::Row& row : step.rows) {
    const voice_agent::Span& own = step.spans[row.end - 1];
    TORCH_CHECK(own.slot + own.length + row.count <= arena.size(1), "a row's block ends beyond the arena");
    for (int64_t h = 0; h < arena.size(0); ++h)
      for (int64_t t = 0; t < row.count; ++t)
        std::memcpy(static_cast<char*>(arena.mutable_data_ptr()) +
                        size * (h * arena.stride(0) + (own.slot + own.length + t) * arena.stride(1)),
                    static_cast<const char*>(fresh.const_data_ptr()) +
                        size * (h * fresh.stride(0) + (row.first + t) * fresh.stride(1)),
                    bytes);
  }
}

// See block_attention.h; rows: (rows, 4), spans: (spans, 3) int64, laid out as Row and Span.
Tensor block_attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& keys,
                       const Tensor& values, const Tensor& rows, const Tensor& spans, const Tensor& cos,
                       const Tensor& sin, int64_t rotary_start, bool interleaved, double scale, int64_t sliding_window,
                       double softcap, const std::optional<Tensor>& sinks) {
  const at::ScalarType type = query.scalar_type();
  for (const Tensor* x : {&query, &key, &value, &keys, &values})
    TORCH_CHECK(x->dim() == 3 && x->scalar_type() == type && x->stride(2) == 1 && x->is_cpu(),
                "expected (heads, tokens, dim) of one type on the CPU, got ", x->scalar_type(), " ", x->sizes());
  TORCH_CHECK(type == at::kFloat || type == at::kBFloat16, "expected float32 or bfloat16, got ", type);
  TORCH_CHECK(rotary_start >= 0 && rotary_start + 2 * cos.size(1) <= query.size(2), "heads of ", query.size(2),
              " have no ", cos.size(1), " pairs from ", rotary_start, " on");
  const auto* first_row = reinterpret_cast<const voice_agent::Row*>(checked(rows, at::kLong, "rows").const_data_ptr());
  const voice_agent::AttentionStep step{
      .rows = {first_row, first_row + rows.size(0)},
      .spans = reinterpret_cast<const voice_agent::Span*>(checked(spans, at::kLong, "spans").const_data_ptr()),
      .cos = checked(cos, at::kFloat, "cos").const_data_ptr<float>(),
      .sin = checked(sin, at::kFloat, "sin").const_data_ptr<float>(),
      .pairs = cos.size(1),
      .rotary_start = rotary_start,
      .interleaved = interleaved,
      .heads = query.size(0),
      .kv_heads = keys.size(0),
      .dim = query.size(2),
      .value_dim = values.size(2),
      .scale = static_cast<float>(scale),
      .sliding_window = sliding_window,
      .softcap = static_cast<float>(softcap),
      .sinks = sinks ? checked(*sinks, at::kFloat, "sinks").const_data_ptr<float>() : nullptr,
  };
  write_new(keys, key, step);
  write_new(values, value, step);
  Tensor out = at::empty({query.size(1), step.heads, step.value_dim}, query.options());
  const auto run = [&]<typename T>(T* to) {
    voice_agent::block_attention<T>(step, heads_of<const T>(query), heads_of<const T>(keys), heads_of<const T>(values),
                                    to, at::get_num_threads());
  };
  if (type == at::kFloat)
    run(out.mutable_data_ptr<float>());
  else
    run(reinterpret_cast<voice_agent::BFloat16*>(out.mutable_data_ptr()));
  return out;
}

}  // namespace

TORCH_LIBRARY(voice_agent, library) {
  library.def(
      "packed_linear(Tensor x, Tensor codes, Tensor scales, Tensor? minimums, Tensor? bias, int rows, int bits, "
      "int group, int zero) -> Tensor");
  library.impl("packed_linear", c10::DispatchKey::CompositeExplicitAutograd, &packed_linear);
  library.def(
      "block_attention(Tensor query, Tensor key, Tensor value, Tensor(a!) keys, Tensor(b!) values, Tensor rows, "
      "Tensor spans, Tensor cos, Tensor sin, int rotary_start, bool interleaved, float scale, int sliding_window, "
      "float softcap, Tensor? sinks) -> Tensor");
  library.impl("block_attention", c10::DispatchKey::CompositeExplicitAutograd, &block_attention);
}
