// Positions of ids in an ascending list: the ids are spread over buckets by their value, so that a look-up of ids that
// are spread evenly, or evenly within few ranges, costs about two memory accesses, and never more than a binary search.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/span.h"

namespace blockwright {

class IdIndex {
 public:
  static constexpr size_t NONE = ~size_t{0};

  // ids: ascending, unique, fewer than 2^32; must outlive the index. Memory: 8 to 16 bytes an id.
  explicit IdIndex(Span<uint64_t> ids) : ids_(ids) {
    if (ids.empty()) return;
    const uint64_t range = ids[ids.size - 1] - ids[0];
    while ((range >> shift_) / 2 >= ids.size) ++shift_;
    begin_.assign(static_cast<size_t>(range >> shift_) + 2, 0);
    size_t bucket = 0;
    for (size_t i = 0; i < ids.size; ++i) {
      const size_t own = static_cast<size_t>((ids[i] - ids[0]) >> shift_);
      while (bucket < own) begin_[++bucket] = static_cast<uint32_t>(i);
    }
    begin_[bucket + 1] = static_cast<uint32_t>(ids.size);
  }

  // The position of an id, or NONE.
  size_t find(uint64_t id) const {
    if (ids_.empty() || id < ids_[0] || id > ids_[ids_.size - 1]) return NONE;
    const size_t bucket = static_cast<size_t>((id - ids_[0]) >> shift_);
    size_t low = begin_[bucket];
    size_t high = begin_[bucket + 1];
    if (low == high || id < ids_[low]) return NONE;
    // Ids ascend, so this one is at most as far on as its distance in value. Ids of one block follow each other without gaps:
    // then it is just there.
    const size_t last = static_cast<size_t>(std::min<uint64_t>(high - 1, low + (id - ids_[low])));
    if (ids_[last] == id) return last;
    high = last;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (ids_[middle] < id) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return ids_[low] == id ? low : NONE;
  }

 private:
  Span<uint64_t> ids_;
  int shift_ = 0;
  std::vector<uint32_t> begin_;
};

}  // namespace blockwright
