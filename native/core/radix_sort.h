// Stable radix sort of records by an unsigned key, in digits of 11 bits, least significant first.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace blockwright {

// Sorts records[0 .. count) ascending by key(record) - lowest, where all keys are in [lowest, highest]. Digits that
// are the same for all keys are skipped. `scratch` must hold `count` records. Returns where the result is: `records` or
// `scratch`.
template <class Record, class Key, class KeyOf>
Record* radix_sort(Record* records, Record* scratch, size_t count, Key lowest, Key highest, KeyOf key) {
  constexpr int BITS = 11;
  const Key range = static_cast<Key>(highest - lowest);
  for (int shift = 0; shift < static_cast<int>(8 * sizeof(Key)) && (range >> shift) != 0; shift += BITS) {
    std::array<size_t, size_t{1} << BITS> begin{};
    constexpr Key MASK = (Key{1} << BITS) - 1;
    for (size_t i = 0; i < count; ++i) ++begin[(static_cast<Key>(key(records[i]) - lowest) >> shift) & MASK];
    size_t sum = 0;
    bool one_digit = false;
    for (size_t& entry : begin) {
      one_digit = one_digit || entry == count;
      const size_t here = entry;
      entry = sum;
      sum += here;
    }
    if (one_digit) continue;
    for (size_t i = 0; i < count; ++i) {
      scratch[begin[(static_cast<Key>(key(records[i]) - lowest) >> shift) & MASK]++] = records[i];
    }
    std::swap(records, scratch);
  }
  return records;
}

}  // namespace blockwright
