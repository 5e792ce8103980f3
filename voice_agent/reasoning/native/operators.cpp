// What Python sees: torch.ops.voice_agent.*; tensors are checked here and turned into plain pointers.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <optional>

#include "packed_linear.h"

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

}  // namespace

TORCH_LIBRARY(voice_agent, library) {
  library.def(
      "packed_linear(Tensor x, Tensor codes, Tensor scales, Tensor? minimums, Tensor? bias, int rows, int bits, "
      "int group, int zero) -> Tensor");
  library.impl("packed_linear", c10::DispatchKey::CompositeExplicitAutograd, &packed_linear);
}
