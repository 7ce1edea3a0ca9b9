// Scores that are taken in their total order, sorted a part at a time: parts fit the cache, and only one needs room to sort.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/span.h"
#include "core/workspace.h"
#include "kernels/scored_graph.h"

namespace blockwright {

class ScoreBuckets {
 public:
  static constexpr size_t COUNT = 2048;

  // So few items are sorted at once.
  static constexpr size_t FEW = 1 << 16;

  // Keys of all `count` items are in [lowest, highest]. Sorting a bucket costs as much as some hundred items.
  ScoreBuckets(uint32_t lowest, uint32_t highest, size_t count) : highest_(highest) {
    const size_t buckets = std::clamp<size_t>(count / BUCKET, 1, COUNT);
    while (shift_ < 31 && ((highest - lowest) >> shift_) >= buckets) ++shift_;
  }

  // One bucket, with room for `count` items of any keys below 2^31: they need not be counted.
  ScoreBuckets(size_t count, Workspace& memory) : highest_((uint32_t{1} << 31) - 1), shift_(31) {
    begin_[1] = static_cast<uint32_t>(count);
    make_room(memory);
  }

  // Every item is counted, then there is made room (for at most twice as many), then every item is put.
  void count(uint32_t key) { ++begin_[bucket(key) + 1]; }

  void make_room(Workspace& memory) {
    size_t largest = 0;
    for (size_t i = 0; i < COUNT; ++i) {
      largest = std::max<size_t>(largest, begin_[i + 1]);
      begin_[i + 1] += begin_[i];
    }
    std::copy_n(begin_.begin(), COUNT, next_.begin());
    items_ = memory.array<ScoreItem>(begin_[COUNT]);
    scratch_ = memory.array<ScoreItem>(largest);
  }

  void put(const ScoreItem& item) { items_[next_[bucket(item.key)]++] = item; }

  // The items of a bucket, in order; those of lower buckets precede them.
  Span<const ScoreItem> sorted(size_t bucket, const ScoredGraph& graph) {
    ScoreItem* const items = items_ + begin_[bucket];
    const size_t count = begin_[bucket + 1] - begin_[bucket];
    graph.sort(items, scratch_, count);
    return {items, count};
  }

 private:
  static constexpr size_t BUCKET = 2048;  // items

  size_t bucket(uint32_t key) const { return (highest_ - key) >> shift_; }

  uint32_t highest_;
  int shift_ = 0;
  std::array<uint32_t, COUNT + 1> begin_{};
  std::array<uint32_t, COUNT> next_{};
  ScoreItem* items_ = nullptr;
  ScoreItem* scratch_ = nullptr;
};

}  // namespace blockwright
