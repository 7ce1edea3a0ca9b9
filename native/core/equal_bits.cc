#include "core/equal_bits.h"

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#define BLOCKWRIGHT_AVX2 1
#endif

namespace blockwright {

namespace {

uint64_t equal_word(const uint64_t* a, const uint64_t* b, size_t count) {
  uint64_t bits = 0;
  for (size_t i = 0; i < count; ++i) bits |= static_cast<uint64_t>(a[i] == b[i]) << i;
  return bits;
}

void equal_words(const uint64_t* a, const uint64_t* b, size_t words, uint64_t* result) {
  for (size_t word = 0; word < words; ++word) {
    // Bytes of 0 and 1 first, which compilers vectorise; then eight bytes become eight bits by one multiplication.
    uint8_t bytes[64];
    for (int i = 0; i < 64; ++i) bytes[i] = a[word * 64 + i] == b[word * 64 + i];
    uint64_t bits = 0;
    for (int group = 0; group < 8; ++group) {
      uint64_t eight = 0;
      for (int i = 0; i < 8; ++i) eight |= static_cast<uint64_t>(bytes[group * 8 + i]) << (i * 8);
      bits |= ((eight * 0x0102040810204080u) >> 56) << (group * 8);
    }
    result[word] = bits;
  }
}

#ifdef BLOCKWRIGHT_AVX2
__attribute__((target("avx2"))) void equal_words_avx2(const uint64_t* a, const uint64_t* b, size_t words, uint64_t* result) {
  for (size_t word = 0; word < words; ++word) {
    uint64_t bits = 0;
    for (int group = 0; group < 16; ++group) {
      const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + word * 64 + group * 4));
      const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + word * 64 + group * 4));
      const int four = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(x, y)));
      bits |= static_cast<uint64_t>(four) << (group * 4);
    }
    result[word] = bits;
  }
}

__attribute__((target("avx512f"))) void equal_words_avx512(const uint64_t* a, const uint64_t* b, size_t words, uint64_t* result) {
  for (size_t word = 0; word < words; ++word) {
    uint64_t bits = 0;
    for (int group = 0; group < 8; ++group) {
      const __m512i x = _mm512_loadu_si512(a + word * 64 + group * 8);
      const __m512i y = _mm512_loadu_si512(b + word * 64 + group * 8);
      bits |= static_cast<uint64_t>(_mm512_cmpeq_epi64_mask(x, y)) << (group * 8);
    }
    result[word] = bits;
  }
}
#endif

}  // namespace

void equal_bits(const uint64_t* a, const uint64_t* b, size_t count, uint64_t* words) {
  const size_t whole = count / 64;
#ifdef BLOCKWRIGHT_AVX2
  if (__builtin_cpu_supports("avx512f")) {
    equal_words_avx512(a, b, whole, words);
  } else if (__builtin_cpu_supports("avx2")) {
    equal_words_avx2(a, b, whole, words);
  } else {
    equal_words(a, b, whole, words);
  }
#else
  equal_words(a, b, whole, words);
#endif
  if (count % 64 != 0) words[whole] = equal_word(a + whole * 64, b + whole * 64, count % 64);
}

}  // namespace blockwright
