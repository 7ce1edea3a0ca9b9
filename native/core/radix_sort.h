// Stable radix sort of records by an unsigned key, in digits of 11 bits, least significant first.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/cancellation.h"
#include "core/parallel.h"

namespace blockwright {

// Sorts records[0 .. count) ascending by key(record) - lowest, where all keys are in [lowest, highest]. Digits that
// are the same for all keys are skipped. `scratch` must hold `count` records. Returns where the result is: `records` or
// `scratch`. The result does not depend on `threads`.
template <class Record, class Key, class KeyOf>
Record* radix_sort(Record* records, Record* scratch, size_t count, Key lowest, Key highest, KeyOf key, const Cancellation& cancellation,
                   size_t threads = 1) {
  constexpr int BITS = 11;
  constexpr Key MASK = (Key{1} << BITS) - 1;
  constexpr size_t LEAST = 32768;  // records that are worth a thread
  const Key range = static_cast<Key>(highest - lowest);
  // Each part counts its digits; then its records of a digit go behind those of the parts before it.
  const size_t parts = std::clamp<size_t>(count / LEAST, 1, std::max<size_t>(threads, 1));
  const size_t size = count / parts + 1;
  const auto for_each_of = [&](size_t part, const auto& work) {
    const size_t begin = part * size;
    for_each_checked(std::min(count, begin + size) - std::min(count, begin), cancellation, [&](size_t i) { work(records[begin + i]); });
  };
  std::vector<std::array<size_t, size_t{1} << BITS>> places(parts);
  for (int shift = 0; shift < static_cast<int>(8 * sizeof(Key)) && (range >> shift) != 0; shift += BITS) {
    const auto digit = [&](const Record& record) { return (static_cast<Key>(key(record) - lowest) >> shift) & MASK; };
    parallel_for(parts, parts, [&](size_t part) {
      auto& counts = places[part];
      counts.fill(0);
      for_each_of(part, [&](const Record& record) { ++counts[digit(record)]; });
    });
    size_t sum = 0;
    bool one_digit = false;
    for (size_t value = 0; value <= MASK; ++value) {
      const size_t before = sum;
      for (auto& place : places) {
        const size_t here = place[value];
        place[value] = sum;
        sum += here;
      }
      one_digit = one_digit || sum - before == count;
    }
    if (one_digit) continue;
    parallel_for(parts, parts, [&](size_t part) {
      auto& next = places[part];
      for_each_of(part, [&](const Record& record) { scratch[next[digit(record)]++] = record; });
    });
    std::swap(records, scratch);
  }
  return records;
}

}  // namespace blockwright
