// Positions of ids in an ascending list: the ids are spread over buckets by their value, so that a look-up of ids that
// are spread evenly, or evenly within few ranges, costs about two memory accesses, and never more than a binary search.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/span.h"

namespace blockwright {

class IdIndex {
 public:
  static constexpr size_t NONE = ~size_t{0};

  // ids: ascending, unique, fewer than 2^32; must outlive the index. Memory: 4 to 8 bytes an id.
  IdIndex(Span<uint64_t> ids, const Cancellation& cancellation) : ids_(ids) {
    if (ids.empty()) return;
    first_ = ids[0];
    range_ = ids[ids.size - 1] - first_;
    while ((range_ >> shift_) / 2 >= ids.size) ++shift_;
    begin_.assign(static_cast<size_t>(range_ >> shift_) + 2, 0);
    size_t bucket = 0;
    for_each_checked(ids.size, cancellation, [&](size_t i) {
      const size_t own = static_cast<size_t>((ids[i] - first_) >> shift_);
      while (bucket < own) begin_[++bucket] = static_cast<uint32_t>(i);
    });
    begin_[bucket + 1] = static_cast<uint32_t>(ids.size);
  }

  // The position of an id, or NONE.
  size_t find(uint64_t id) const {
    if (id - first_ > range_ || ids_.empty()) return NONE;  // a difference below 0 is huge
    const size_t bucket = static_cast<size_t>((id - first_) >> shift_);
    size_t low = begin_[bucket];
    // Ids ascend, so this one is at most as far on as its distance in value. Ids of one block follow each other without gaps:
    // then it is just there.
    const uint64_t distance = id - ids_[low];  // of a smaller id it is huge
    if (distance < ids_.size - low && ids_[low + distance] == id) return low + static_cast<size_t>(distance);
    size_t high = begin_[bucket + 1];
    if (low == high || id < ids_[low]) return NONE;
    high = static_cast<size_t>(std::min<uint64_t>(high - 1, low + distance));
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
  uint64_t first_ = 0, range_ = 0;
  int shift_ = 0;
  std::vector<uint32_t> begin_;
};

}  // namespace blockwright
