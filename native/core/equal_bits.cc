#include "core/equal_bits.h"

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#define BLOCKWRIGHT_AVX 1
#endif

namespace blockwright {

namespace {

uint64_t equal_word(const uint64_t* a, const uint64_t* b, size_t count) {
  uint64_t bits = 0;
  for (size_t i = 0; i < count; ++i) bits |= static_cast<uint64_t>(a[i] == b[i]) << i;
  return bits;
}

void equal_bits_plain(const uint64_t* a, const uint64_t* b, size_t count, uint64_t* words) {
  for (; count > 64; count -= 64, a += 64, b += 64) *words++ = equal_word(a, b, 64);
  if (count > 0) *words = equal_word(a, b, count);
}

#ifdef BLOCKWRIGHT_AVX
__attribute__((target("avx2"))) void equal_bits_avx2(const uint64_t* a, const uint64_t* b, size_t count, uint64_t* words) {
  while (count > 0) {
    const size_t length = count < 64 ? count : 64;
    uint64_t bits = 0;
    size_t i = 0;
    for (; i + 4 <= length; i += 4) {
      const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
      const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i));
      const int four = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(x, y)));
      bits |= static_cast<uint64_t>(four) << i;
    }
    for (; i < length; ++i) bits |= static_cast<uint64_t>(a[i] == b[i]) << i;
    *words++ = bits;
    a += length;
    b += length;
    count -= length;
  }
}

__attribute__((target("avx512f"))) void equal_bits_avx512(const uint64_t* a, const uint64_t* b, size_t count, uint64_t* words) {
  while (count > 0) {
    const size_t length = count < 64 ? count : 64;
    uint64_t bits = 0;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
      bits |= static_cast<uint64_t>(_mm512_cmpeq_epi64_mask(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i))) << i;
    }
    if (i < length) {
      const __mmask8 rest = static_cast<__mmask8>((1u << (length - i)) - 1);
      const __m512i x = _mm512_maskz_loadu_epi64(rest, a + i), y = _mm512_maskz_loadu_epi64(rest, b + i);
      bits |= static_cast<uint64_t>(_mm512_mask_cmpeq_epi64_mask(rest, x, y)) << i;
    }
    *words++ = bits;
    a += length;
    b += length;
    count -= length;
  }
}
#endif

}  // namespace

void equal_bits(const uint64_t* a, const uint64_t* b, size_t count, uint64_t* words) {
#ifdef BLOCKWRIGHT_AVX
  if (__builtin_cpu_supports("avx512f")) return equal_bits_avx512(a, b, count, words);
  if (__builtin_cpu_supports("avx2")) return equal_bits_avx2(a, b, count, words);
#endif
  equal_bits_plain(a, b, count, words);
}

}  // namespace blockwright
