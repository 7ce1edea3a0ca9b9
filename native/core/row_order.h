// Orders rows that lie in several runs (the columns of several blocks) without moving the rows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/cancellation.h"

namespace blockwright {

struct RowReference {
  uint64_t key;
  uint32_t run;
  uint32_t row;
};

// Rows between two looks at the cancellation: some milliseconds.
inline constexpr size_t ROWS_UNLOOKED = size_t{1} << 18;

// Stable sort by key: least significant digit first, 11 bits a pass, only over bits in which keys differ.
// Peak memory: 16 bytes a row beside the input.
inline void sort_by_key(std::vector<RowReference>& rows, const Cancellation& cancellation) {
  constexpr int DIGIT = 11;
  constexpr uint64_t MASK = (uint64_t{1} << DIGIT) - 1;
  uint64_t differing = 0;
  bool sorted = true;
  for (size_t i = 1; i < rows.size(); ++i) {
    if (i % ROWS_UNLOOKED == 0) cancellation.check();
    differing |= rows[i].key ^ rows[0].key;
    sorted = sorted && rows[i - 1].key <= rows[i].key;
  }
  if (sorted) return;
  std::vector<RowReference> other(rows.size());
  for (int shift = 0; shift < 64; shift += DIGIT) {
    if (((differing >> shift) & MASK) == 0) continue;
    std::array<size_t, MASK + 1> next{};
    for (const RowReference& entry : rows) ++next[(entry.key >> shift) & MASK];
    size_t begin = 0;
    for (size_t& position : next) begin += std::exchange(position, begin);
    for (size_t part = 0; part < rows.size(); part += ROWS_UNLOOKED) {
      cancellation.check();
      const size_t end = std::min(part + ROWS_UNLOOKED, rows.size());
      for (size_t i = part; i < end; ++i) other[next[(rows[i].key >> shift) & MASK]++] = rows[i];
    }
    rows.swap(other);
  }
}

}  // namespace blockwright
