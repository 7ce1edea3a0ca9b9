// Compares labels 64 at a time: the vector step under everything that works on runs of equal labels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/span.h"

namespace blockwright {

// Bit x % 64 of words[x / 64] = a[x] == b[x], for x in [0, count); the bits beyond are 0. (count + 63) / 64 words.
void equal_bits(const uint64_t* a, const uint64_t* b, size_t count, uint64_t* words);

// Functions for labels of one type and one instruction set.
template <class T>
struct LabelBits {
  // As equal_bits.
  void (*equal)(const T* a, const T* b, size_t count, uint64_t* words);
  // Marks the runs of equal values of a row, count > 0, as bits like those of equal_bits: where a value differs from the one
  // before it, and at place 0 and, if the last word has a bit for it, at place count; and where a value is not 0.
  void (*mark_runs)(const T* values, size_t count, uint64_t* changes, uint64_t* labelled);
};

// Writes the x in [1, count) with values[x] != values[x - 1], ascending, and returns how many there are. places must have
// room for count + 8 numbers.
size_t find_changes(const uint64_t* values, size_t count, uint32_t* places);

// The versions of the functions for one instruction set; those above take the first one that the machine supports.
// All give the same.
struct LabelComparison {
  const char* name;
  bool (*supported)();
  LabelBits<uint8_t> bits8;
  LabelBits<uint16_t> bits16;
  LabelBits<uint32_t> bits32;
  LabelBits<uint64_t> bits64;
  size_t (*find_changes)(const uint64_t* values, size_t count, uint32_t* places);
};
Span<const LabelComparison> label_comparisons();

// Those that the machine is best at.
template <class T>
const LabelBits<T>& label_bits();

// Calls visit(begin, end) for every run of equal values of [0, count), in order.
template <class Visit>
void for_each_run(const uint64_t* values, size_t count, const Visit& visit) {
  if (count == 0) return;
  constexpr size_t PART = 2048;  // values; their places stay in the nearest cache
  uint32_t places[PART + 9];
  size_t begin = 0;
  for (size_t part = 0; part + 1 < count; part += PART) {
    const size_t changes = find_changes(values + part, count - part < PART + 1 ? count - part : PART + 1, places);
    for (size_t i = 0; i < changes; ++i) {
      const size_t end = part + places[i];
      visit(begin, end);
      begin = end;
    }
  }
  visit(begin, count);
}

}  // namespace blockwright
