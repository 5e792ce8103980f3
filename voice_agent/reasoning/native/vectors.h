// Vectors of floats: sixteen at a time with AVX-512, eight with AVX2. Written with the compiler's vector types; only
// what those cannot say well stands twice.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <limits>

namespace voice_agent {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif
typedef float Vector __attribute__((vector_size(kLanes * 4)));
typedef int32_t IntVector __attribute__((vector_size(kLanes * 4)));
typedef uint16_t HalfVector __attribute__((vector_size(kLanes * 2)));

struct BFloat16 {
  uint16_t bits;
};

inline float to_float(float x) { return x; }
inline float to_float(BFloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline void round_to(float x, float* out) { *out = x; }
inline void round_to(float x, BFloat16* out) {  // to the nearest, ties to even
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  out->bits = static_cast<uint16_t>(x != x ? 0x7FC0 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

inline Vector load(const float* at) {
  Vector x;
  std::memcpy(&x, at, sizeof x);
  return x;
}
inline Vector load(const BFloat16* at) {
  HalfVector halves;
  std::memcpy(&halves, at, sizeof halves);
  return reinterpret_cast<Vector>(__builtin_convertvector(halves, IntVector) << 16);
}
// The first `count` numbers, then zeros.
template <typename T>
inline Vector load_first(const T* at, int64_t count) {
  Vector x{};
  for (int64_t i = 0; i < count; ++i) x[i] = to_float(at[i]);
  return x;
}
inline void store(float* at, Vector x) { std::memcpy(at, &x, sizeof x); }
inline Vector larger(Vector a, Vector b) { return a > b ? a : b; }

#if defined(__AVX512F__)

inline Vector broadcast(float x) { return _mm512_set1_ps(x); }
inline float largest(Vector x) { return _mm512_reduce_max_ps(x); }
inline float sum(Vector x) { return _mm512_reduce_add_ps(x); }
// Four sums at once, to out[0..3].
inline void store_sums(float* out, Vector a, Vector b, Vector c, Vector d) {
  const __m512 ab = _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b);
  const __m512 cd = _mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d);
  const __m512d low = _mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512d high = _mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512 quads = _mm512_castpd_ps(low) + _mm512_castpd_ps(high);  // a b c d in every quarter
  const __m512 halves = quads + _mm512_shuffle_f32x4(quads, quads, 0b01001110);
  _mm_storeu_ps(out, _mm512_castps512_ps128(halves + _mm512_shuffle_f32x4(halves, halves, 0b10110001)));
}

#else

inline Vector broadcast(float x) { return _mm256_set1_ps(x); }
inline float largest(Vector x) {
  float most = x[0];
  for (int i = 1; i < kLanes; ++i) most = most > x[i] ? most : x[i];
  return most;
}
inline float sum(Vector x) {
  float total = 0;
  for (int i = 0; i < kLanes; ++i) total += x[i];
  return total;
}
inline void store_sums(float* out, Vector a, Vector b, Vector c, Vector d) {
  const __m256 quads = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  _mm_storeu_ps(out, _mm256_castps256_ps128(quads) + _mm256_extractf128_ps(quads, 1));
}

#endif

// e^x to about one unit in the last place, 0 below the smallest normal number (Cephes, expf.c).
inline Vector exp_of(Vector x) {
  constexpr float kLowest = -87.33654f, kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves no fraction
  const Vector at = x < kLowest ? broadcast(kLowest) : x;
  const Vector whole = (at * 1.44269504f + kRound) - kRound;
  const Vector rest = at - whole * 0.693359375f - whole * -2.12194440e-4f;
  Vector y = broadcast(1.9875691500e-4f);
  y = y * rest + 1.3981999507e-3f;
  y = y * rest + 8.3334519073e-3f;
  y = y * rest + 4.1665795894e-2f;
  y = y * rest + 1.6666665459e-1f;
  y = y * rest + 5.0000001201e-1f;
  y = y * (rest * rest) + rest + 1.0f;
  const IntVector power = (__builtin_convertvector(whole, IntVector) + 127) << 23;
  return x < kLowest ? Vector{} : y * reinterpret_cast<Vector>(power);
}

// tanh to an absolute error of 1e-7.
inline Vector tanh_of(Vector x) {
  const Vector at = x > 10.0f ? broadcast(10.0f) : x < -10.0f ? broadcast(-10.0f) : x;
  return 1.0f - 2.0f / (exp_of(at + at) + 1.0f);
}

}  // namespace voice_agent
