// Sixteen output rows at a time: the few vector operations that the packed kernels are made of.
//
// A Bytes holds 64 codes (4 consecutive columns of 16 rows), an Ints 16 dot products, a Floats 16 results. AVX-512 VNNI
// has each in one register; AVX2 in two, with AVX-VNNI's dot product where the processor has it.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace voice_agent {

inline int32_t four_bytes(const int8_t* at) {
  int32_t value;
  std::memcpy(&value, at, 4);
  return value;
}

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VNNI__)

constexpr int kTokensAtOnce = 8;  // accumulators, weights and scales of 8 tokens fill 27 of 32 registers
using Bytes = __m512i;
using Ints = __m512i;
using Floats = __m512;

inline Bytes load(const uint8_t* at) { return _mm512_loadu_si512(at); }
inline Bytes low_nibbles(Bytes x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
inline Bytes high_nibbles(Bytes x) { return _mm512_and_si512(_mm512_srli_epi16(x, 4), _mm512_set1_epi8(15)); }
// low | (bits 2v, 2v+1 of pairs) << 4
template <int V>
inline Bytes with_high_pair(Bytes low, Bytes pairs) {
  const Bytes moved = V < 2 ? _mm512_slli_epi16(pairs, V < 2 ? 4 - 2 * V : 0)
                            : _mm512_srli_epi16(pairs, V < 2 ? 0 : 2 * V - 4);
  return _mm512_ternarylogic_epi32(low, moved, _mm512_set1_epi8(0x30), 0xF8);  // low | (moved & 0x30)
}
inline Ints broadcast(int32_t x) { return _mm512_set1_epi32(x); }
// acc + codes . columns, where codes mean themselves; `kCodeOffset<bits>` is what an implementation subtracts from them
template <int Bits>
constexpr int kCodeOffset = 0;
template <int Bits>
inline Ints dot(Ints acc, Bytes codes, int32_t columns) {
  return _mm512_dpbusd_epi32(acc, codes, _mm512_set1_epi32(columns));
}
inline Floats zeros() { return _mm512_setzero_ps(); }
inline Floats load_halves(const uint16_t* at) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}
inline Floats load_floats(const float* at) { return _mm512_loadu_ps(at); }
inline void store(float* at, Floats x) { _mm512_storeu_ps(at, x); }
// acc + ints * (scale * factor)
inline Floats add_scaled(Floats acc, Ints ints, Floats scale, float factor) {
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(ints), _mm512_mul_ps(scale, _mm512_set1_ps(factor)), acc);
}
// acc - minimum * sum
inline Floats subtract(Floats acc, Floats minimum, float sum) {
  return _mm512_fnmadd_ps(minimum, _mm512_set1_ps(sum), acc);
}

#else

constexpr int kTokensAtOnce = 4;
struct Bytes {
  __m256i a, b;
};
using Ints = Bytes;
struct Floats {
  __m256 a, b;
};

inline __m256i load_32(const uint8_t* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }
inline Bytes load(const uint8_t* at) { return {load_32(at), load_32(at + 32)}; }
inline Bytes low_nibbles(Bytes x) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(x.a, mask), _mm256_and_si256(x.b, mask)};
}
inline Bytes high_nibbles(Bytes x) { return low_nibbles({_mm256_srli_epi16(x.a, 4), _mm256_srli_epi16(x.b, 4)}); }
template <int V>
inline __m256i with_high_pair_32(__m256i low, __m256i pairs) {
  const __m256i moved = V < 2 ? _mm256_slli_epi16(pairs, V < 2 ? 4 - 2 * V : 0)
                              : _mm256_srli_epi16(pairs, V < 2 ? 0 : 2 * V - 4);
  return _mm256_or_si256(low, _mm256_and_si256(moved, _mm256_set1_epi8(0x30)));
}
template <int V>
inline Bytes with_high_pair(Bytes low, Bytes pairs) {
  return {with_high_pair_32<V>(low.a, pairs.a), with_high_pair_32<V>(low.b, pairs.b)};
}
inline Ints broadcast(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }

#if defined(__AVXVNNI__)
template <int Bits>
constexpr int kCodeOffset = 0;
template <int Bits>
inline __m256i dot_32(__m256i acc, __m256i codes, __m256i columns) {
  return _mm256_dpbusd_avx_epi32(acc, codes, columns);
}
#else
// maddubs adds two products in 16 bits: 2 * 63 * 127 fits, 2 * 255 * 127 does not. So codes of 8 bits become signed
// numbers (128 less) whose sign moves to the other factor: 2 * 128 * 127 fits.
template <int Bits>
constexpr int kCodeOffset = Bits == 8 ? 128 : 0;
template <int Bits>
inline __m256i dot_32(__m256i acc, __m256i codes, __m256i columns) {
  if constexpr (Bits == 8) {
    const __m256i weights = _mm256_xor_si256(codes, _mm256_set1_epi8(static_cast<char>(0x80)));
    columns = _mm256_sign_epi8(columns, weights);
    codes = _mm256_abs_epi8(weights);
  }
  const __m256i pairs = _mm256_maddubs_epi16(codes, columns);
  return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
#endif
template <int Bits>
inline Ints dot(Ints acc, Bytes codes, int32_t columns) {
  const __m256i x = _mm256_set1_epi32(columns);
  return {dot_32<Bits>(acc.a, codes.a, x), dot_32<Bits>(acc.b, codes.b, x)};
}
inline Floats zeros() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
inline __m256 load_8_halves(const uint16_t* at) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}
inline Floats load_halves(const uint16_t* at) { return {load_8_halves(at), load_8_halves(at + 8)}; }
inline Floats load_floats(const float* at) { return {_mm256_loadu_ps(at), _mm256_loadu_ps(at + 8)}; }
inline void store(float* at, Floats x) {
  _mm256_storeu_ps(at, x.a);
  _mm256_storeu_ps(at + 8, x.b);
}
inline Floats add_scaled(Floats acc, Ints ints, Floats scale, float factor) {
  const __m256 f = _mm256_set1_ps(factor);
  return {_mm256_fmadd_ps(_mm256_cvtepi32_ps(ints.a), _mm256_mul_ps(scale.a, f), acc.a),
          _mm256_fmadd_ps(_mm256_cvtepi32_ps(ints.b), _mm256_mul_ps(scale.b, f), acc.b)};
}
inline Floats subtract(Floats acc, Floats minimum, float sum) {
  const __m256 s = _mm256_set1_ps(sum);
  return {_mm256_fnmadd_ps(minimum.a, s, acc.a), _mm256_fnmadd_ps(minimum.b, s, acc.b)};
}

#endif

}  // namespace voice_agent
