// Compares labels 64 at a time: the vector step under everything that works on runs of equal labels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace blockwright {

// Bit x % 64 of words[x / 64] = a[x] == b[x], for x in [0, count); the bits beyond are 0. (count + 63) / 64 words.
void equal_bits(const uint64_t* a, const uint64_t* b, size_t count, uint64_t* words);

// Calls visit(begin, end) for every run of equal values of [0, count), in order.
template <class Visit>
void for_each_run(const uint64_t* values, size_t count, const Visit& visit) {
  if (count == 0) return;
  constexpr size_t PART = 2048;  // values; the bits stay in the nearest cache
  uint64_t equal[PART / 64];
  size_t begin = 0;
  for (size_t part = 1; part < count; part += PART) {
    const size_t length = count - part < PART ? count - part : PART;
    equal_bits(values + part, values + part - 1, length, equal);
    for (size_t word = 0; word * 64 < length; ++word) {
      const size_t left = length - word * 64;
      uint64_t changes = ~equal[word] & (left < 64 ? (uint64_t{1} << left) - 1 : ~uint64_t{0});
      for (; changes != 0; changes &= changes - 1) {
        const size_t end = part + word * 64 + static_cast<size_t>(__builtin_ctzll(changes));
        visit(begin, end);
        begin = end;
      }
    }
  }
  visit(begin, count);
}

}  // namespace blockwright
