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

size_t find_changes_plain(const uint64_t* values, size_t count, uint32_t* places) {
  size_t found = 0;
  for (size_t x = 1; x < count; ++x) {
    places[found] = static_cast<uint32_t>(x);
    found += values[x] != values[x - 1];
  }
  return found;
}

#ifdef BLOCKWRIGHT_AVX
// Bit i of the result: a[i] == b[i], for i in [0, length), length at most 64.
__attribute__((target("avx2"), always_inline)) inline uint64_t equal_word_avx2(const uint64_t* a, const uint64_t* b,
                                                                              size_t length) {
  uint64_t bits = 0;
  size_t i = 0;
  for (; i + 4 <= length; i += 4) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
    const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i));
    const int four = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(x, y)));
    bits |= static_cast<uint64_t>(four) << i;
  }
  for (; i < length; ++i) bits |= static_cast<uint64_t>(a[i] == b[i]) << i;
  return bits;
}

__attribute__((target("avx512f"), always_inline)) inline uint64_t equal_word_avx512(const uint64_t* a, const uint64_t* b,
                                                                                   size_t length) {
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
  return bits;
}

// Appends base + the places of the bits, four at a time instead of with a branch each. Returns the new end.
__attribute__((target("bmi,popcnt"), always_inline)) inline uint32_t* append_places(uint64_t bits, uint32_t base,
                                                                                   uint32_t* end) {
  uint32_t* const next = end + _mm_popcnt_u64(bits);
  while (bits != 0) {
    for (int i = 0; i < 4; ++i) {
      *end++ = base + static_cast<uint32_t>(_tzcnt_u64(bits));
      bits = _blsr_u64(bits);
    }
  }
  return next;
}

inline size_t part_of(size_t begin, size_t end) { return end - begin < 64 ? end - begin : 64; }

__attribute__((target("avx2"))) void equal_bits_avx2(const uint64_t* a, const uint64_t* b, size_t count,
                                                     uint64_t* words) {
  for (size_t x = 0; x < count; x += 64) *words++ = equal_word_avx2(a + x, b + x, part_of(x, count));
}

__attribute__((target("avx512f"))) void equal_bits_avx512(const uint64_t* a, const uint64_t* b, size_t count,
                                                          uint64_t* words) {
  for (size_t x = 0; x < count; x += 64) *words++ = equal_word_avx512(a + x, b + x, part_of(x, count));
}

constexpr uint64_t all_of(size_t length) { return length < 64 ? (uint64_t{1} << length) - 1 : ~uint64_t{0}; }

__attribute__((target("avx2,bmi,popcnt"))) size_t find_changes_avx2(const uint64_t* values, size_t count,
                                                                    uint32_t* places) {
  uint32_t* end = places;
  for (size_t x = 1; x < count; x += 64) {
    const size_t length = part_of(x, count);
    const uint64_t changes = equal_word_avx2(values + x, values + x - 1, length) ^ all_of(length);
    end = append_places(changes, static_cast<uint32_t>(x), end);
  }
  return static_cast<size_t>(end - places);
}

__attribute__((target("avx512f,bmi,popcnt"))) size_t find_changes_avx512(const uint64_t* values, size_t count,
                                                                         uint32_t* places) {
  uint32_t* end = places;
  for (size_t x = 1; x < count; x += 64) {
    const size_t length = part_of(x, count);
    const uint64_t changes = equal_word_avx512(values + x, values + x - 1, length) ^ all_of(length);
    end = append_places(changes, static_cast<uint32_t>(x), end);
  }
  return static_cast<size_t>(end - places);
}

bool has_bit_counts() { return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt"); }
bool has_avx512() { return __builtin_cpu_supports("avx512f") && has_bit_counts(); }
bool has_avx2() { return __builtin_cpu_supports("avx2") && has_bit_counts(); }
#endif
bool always() { return true; }

constexpr LabelComparison COMPARISONS[] = {
#ifdef BLOCKWRIGHT_AVX
    {"avx512", has_avx512, equal_bits_avx512, find_changes_avx512},
    {"avx2", has_avx2, equal_bits_avx2, find_changes_avx2},
#endif
    {"plain", always, equal_bits_plain, find_changes_plain},
};

const LabelComparison& best() {
  const LabelComparison* comparison = COMPARISONS;
  while (!comparison->supported()) ++comparison;
  return *comparison;
}

}  // namespace

Span<const LabelComparison> label_comparisons() { return {COMPARISONS, sizeof(COMPARISONS) / sizeof(COMPARISONS[0])}; }

void equal_bits(const uint64_t* a, const uint64_t* b, size_t count, uint64_t* words) {
  best().equal_bits(a, b, count, words);
}

size_t find_changes(const uint64_t* values, size_t count, uint32_t* places) {
  return best().find_changes(values, count, places);
}

}  // namespace blockwright
