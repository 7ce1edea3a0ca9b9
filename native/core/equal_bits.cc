#include "core/equal_bits.h"

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#define BLOCKWRIGHT_AVX 1
#endif

namespace blockwright {

namespace {

template <class T>
inline uint64_t equal_word(const T* a, const T* b, size_t count) {
  uint64_t bits = 0;
  for (size_t i = 0; i < count; ++i) bits |= static_cast<uint64_t>(a[i] == b[i]) << i;
  return bits;
}

template <class T>
void equal_bits_plain(const T* a, const T* b, size_t count, uint64_t* words) {
  for (; count > 64; count -= 64, a += 64, b += 64) *words++ = equal_word(a, b, 64);
  if (count > 0) *words = equal_word(a, b, count);
}

// From the bits of values that equal the ones after them, and from those of values that are 0.
struct RunMarks {
  uint64_t changes, labelled;
};

// The end of a word: `before` is the bit of the value before it.
inline RunMarks marks_of(uint64_t equal_next, uint64_t zero, size_t length, uint64_t* before) {
  const RunMarks result{~(equal_next << 1 | *before),
                        ~zero & (length < 64 ? (uint64_t{1} << length) - 1 : ~uint64_t{0})};
  *before = equal_next >> 63;
  // beyond the place after the last value nothing is marked
  return {length < 63 ? result.changes & ((uint64_t{2} << length) - 1) : result.changes, result.labelled};
}

template <class T>
void mark_runs_plain(const T* values, size_t count, uint64_t* changes, uint64_t* labelled) {
  uint64_t before = 0;
  for (size_t x = 0; x < count; x += 64) {
    const size_t length = count - x < 64 ? count - x : 64;
    const uint64_t equal = equal_word(values + x, values + x + 1, x + length < count ? length : length - 1);
    uint64_t zero = 0;
    for (size_t i = 0; i < length; ++i) zero |= static_cast<uint64_t>(values[x + i] == 0) << i;
    const RunMarks marks = marks_of(equal, zero, length, &before);
    *changes++ = marks.changes;
    *labelled++ = marks.labelled;
  }
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
// Values that one AVX2 register compares: 32 of one byte, 4 of eight; 32 of two bytes, as those take two registers.
template <class T>
constexpr size_t AVX2_LANES = sizeof(T) == 2 ? 32 : 32 / sizeof(T);

template <class T>
__attribute__((target("avx2"), always_inline)) inline uint64_t equal_lanes_avx2(const T* a, const T* b) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
  const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
  if constexpr (sizeof(T) == 1) {
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, y)));
  } else if constexpr (sizeof(T) == 2) {
    const __m256i z = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + 16));
    const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + 16));
    // packs works in each half of a register on its own: the quarters are put back in order
    const __m256i bytes = _mm256_packs_epi16(_mm256_cmpeq_epi16(x, y), _mm256_cmpeq_epi16(z, w));
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_permute4x64_epi64(bytes, 0xd8)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(x, y))));
  } else {
    return static_cast<uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(x, y))));
  }
}

// Bit i of the result: a[i] == b[i], for i in [0, length), length at most 64.
template <class T>
__attribute__((target("avx2"), always_inline)) inline uint64_t equal_word_avx2(const T* a, const T* b, size_t length) {
  constexpr size_t LANES = AVX2_LANES<T>;
  uint64_t bits = 0;
  size_t i = 0;
  for (; i + LANES <= length; i += LANES) bits |= equal_lanes_avx2(a + i, b + i) << i;
  for (; i < length; ++i) bits |= static_cast<uint64_t>(a[i] == b[i]) << i;
  return bits;
}

template <class T>
__attribute__((target("avx2"), always_inline)) inline uint64_t zero_word_avx2(const T* a, size_t length) {
  alignas(32) constexpr T NOTHING[AVX2_LANES<T>] = {};
  constexpr size_t LANES = AVX2_LANES<T>;
  uint64_t bits = 0;
  size_t i = 0;
  for (; i + LANES <= length; i += LANES) bits |= equal_lanes_avx2(a + i, NOTHING) << i;
  for (; i < length; ++i) bits |= static_cast<uint64_t>(a[i] == 0) << i;
  return bits;
}

// The same for the first of the 64 / sizeof(T) values of a register that `which` names.
template <class T>
__attribute__((target("avx512f,avx512bw"), always_inline)) inline uint64_t equal_lanes_avx512(const T* a, const T* b,
                                                                                             uint64_t which) {
  if constexpr (sizeof(T) == 1) {
    return _mm512_mask_cmpeq_epi8_mask(which, _mm512_maskz_loadu_epi8(which, a), _mm512_maskz_loadu_epi8(which, b));
  } else if constexpr (sizeof(T) == 2) {
    const auto mask = static_cast<__mmask32>(which);
    return _mm512_mask_cmpeq_epi16_mask(mask, _mm512_maskz_loadu_epi16(mask, a), _mm512_maskz_loadu_epi16(mask, b));
  } else if constexpr (sizeof(T) == 4) {
    const auto mask = static_cast<__mmask16>(which);
    return _mm512_mask_cmpeq_epi32_mask(mask, _mm512_maskz_loadu_epi32(mask, a), _mm512_maskz_loadu_epi32(mask, b));
  } else {
    const auto mask = static_cast<__mmask8>(which);
    return _mm512_mask_cmpeq_epi64_mask(mask, _mm512_maskz_loadu_epi64(mask, a), _mm512_maskz_loadu_epi64(mask, b));
  }
}

template <class T>
__attribute__((target("avx512f,avx512bw"), always_inline)) inline uint64_t equal_word_avx512(const T* a, const T* b,
                                                                                            size_t length) {
  constexpr size_t LANES = 64 / sizeof(T);
  uint64_t bits = 0;
  size_t i = 0;
  for (; i + LANES <= length; i += LANES) bits |= equal_lanes_avx512(a + i, b + i, ~uint64_t{0}) << i;
  if (i < length) bits |= equal_lanes_avx512(a + i, b + i, (uint64_t{1} << (length - i)) - 1) << i;
  return bits;
}

template <class T>
__attribute__((target("avx512f,avx512bw"), always_inline)) inline uint64_t zero_word_avx512(const T* a, size_t length) {
  constexpr size_t LANES = 64 / sizeof(T);
  uint64_t bits = 0;
  for (size_t i = 0; i < length; i += LANES) {
    const uint64_t which = length - i < LANES ? (uint64_t{1} << (length - i)) - 1 : ~uint64_t{0};
    if constexpr (sizeof(T) == 1) {
      bits |= _mm512_mask_testn_epi8_mask(which, _mm512_maskz_loadu_epi8(which, a + i), _mm512_set1_epi8(-1));
    } else if constexpr (sizeof(T) == 2) {
      const auto mask = static_cast<__mmask32>(which);
      bits |= uint64_t{_mm512_mask_testn_epi16_mask(mask, _mm512_maskz_loadu_epi16(mask, a + i), _mm512_set1_epi8(-1))} << i;
    } else if constexpr (sizeof(T) == 4) {
      const auto mask = static_cast<__mmask16>(which);
      bits |= uint64_t{_mm512_mask_testn_epi32_mask(mask, _mm512_maskz_loadu_epi32(mask, a + i), _mm512_set1_epi8(-1))} << i;
    } else {
      const auto mask = static_cast<__mmask8>(which);
      bits |= uint64_t{_mm512_mask_testn_epi64_mask(mask, _mm512_maskz_loadu_epi64(mask, a + i), _mm512_set1_epi8(-1))} << i;
    }
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

template <class T>
__attribute__((target("avx2"))) void mark_runs_avx2(const T* values, size_t count, uint64_t* changes, uint64_t* labelled) {
  uint64_t before = 0;
  for (size_t x = 0; x < count; x += 64) {
    const size_t length = part_of(x, count);
    const uint64_t equal = equal_word_avx2(values + x, values + x + 1, x + length < count ? length : length - 1);
    const RunMarks marks = marks_of(equal, zero_word_avx2(values + x, length), length, &before);
    *changes++ = marks.changes;
    *labelled++ = marks.labelled;
  }
}

template <class T>
__attribute__((target("avx2"))) void equal_bits_avx2(const T* a, const T* b, size_t count, uint64_t* words) {
  for (size_t x = 0; x < count; x += 64) *words++ = equal_word_avx2(a + x, b + x, part_of(x, count));
}

template <class T>
__attribute__((target("avx512f,avx512bw"))) void mark_runs_avx512(const T* values, size_t count, uint64_t* changes, uint64_t* labelled) {
  uint64_t before = 0;
  for (size_t x = 0; x < count; x += 64) {
    const size_t length = part_of(x, count);
    const uint64_t equal = equal_word_avx512(values + x, values + x + 1, x + length < count ? length : length - 1);
    const RunMarks marks = marks_of(equal, zero_word_avx512(values + x, length), length, &before);
    *changes++ = marks.changes;
    *labelled++ = marks.labelled;
  }
}

template <class T>
__attribute__((target("avx512f,avx512bw"))) void equal_bits_avx512(const T* a, const T* b, size_t count, uint64_t* words) {
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

__attribute__((target("avx512f,avx512bw,bmi,popcnt"))) size_t find_changes_avx512(const uint64_t* values, size_t count,
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
bool has_avx512() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && has_bit_counts(); }
bool has_avx2() { return __builtin_cpu_supports("avx2") && has_bit_counts(); }
#endif
bool has_plain() { return true; }

#define BLOCKWRIGHT_LABEL_BITS(name, type) {equal_bits_##name<type>, mark_runs_##name<type>}
#define BLOCKWRIGHT_COMPARISON(name)                                                                   \
  {#name,                                                                                              \
   has_##name,                                                                                         \
   BLOCKWRIGHT_LABEL_BITS(name, uint8_t),                                                              \
   BLOCKWRIGHT_LABEL_BITS(name, uint16_t),                                                             \
   BLOCKWRIGHT_LABEL_BITS(name, uint32_t),                                                             \
   BLOCKWRIGHT_LABEL_BITS(name, uint64_t),                                                             \
   find_changes_##name}
constexpr LabelComparison COMPARISONS[] = {
#ifdef BLOCKWRIGHT_AVX
    BLOCKWRIGHT_COMPARISON(avx512),
    BLOCKWRIGHT_COMPARISON(avx2),
#endif
    BLOCKWRIGHT_COMPARISON(plain),
};
#undef BLOCKWRIGHT_COMPARISON
#undef BLOCKWRIGHT_LABEL_BITS

const LabelComparison& best() {
  static const LabelComparison* const chosen = [] {
    const LabelComparison* comparison = COMPARISONS;
    while (!comparison->supported()) ++comparison;
    return comparison;
  }();
  return *chosen;
}

}  // namespace

Span<const LabelComparison> label_comparisons() { return {COMPARISONS, sizeof(COMPARISONS) / sizeof(COMPARISONS[0])}; }

template <>
const LabelBits<uint8_t>& label_bits() { return best().bits8; }
template <>
const LabelBits<uint16_t>& label_bits() { return best().bits16; }
template <>
const LabelBits<uint32_t>& label_bits() { return best().bits32; }
template <>
const LabelBits<uint64_t>& label_bits() { return best().bits64; }

void equal_bits(const uint64_t* a, const uint64_t* b, size_t count, uint64_t* words) {
  best().bits64.equal(a, b, count, words);
}

size_t find_changes(const uint64_t* values, size_t count, uint32_t* places) {
  return best().find_changes(values, count, places);
}

}  // namespace blockwright
