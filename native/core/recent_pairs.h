// A set of pairs of numbers that forgets: a pair takes the place of whichever was in its slot. To ask costs one access of memory, and
// nothing has to be kept up to date.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/workspace.h"

namespace blockwright {

class RecentPairs {
 public:
  // Has room for 2^n pairs, at most `count` and more than half as many, or 1024.
  RecentPairs(size_t count, Workspace& memory) {
    while ((size_t{2} << (64 - shift_)) <= count) --shift_;
    pairs_ = memory.array<uint64_t>(size_t{1} << (64 - shift_));
    std::fill_n(pairs_, size_t{1} << (64 - shift_), 0);
  }
  static size_t room(size_t count) { return Workspace::room<uint64_t>(std::max<size_t>(1024, count)); }

  // Of two different numbers, in any order.
  bool contains(uint32_t a, uint32_t b) const {
    const uint64_t pair = pair_of(a, b);
    return pairs_[slot(pair)] == pair;
  }
  void add(uint32_t a, uint32_t b) {
    const uint64_t pair = pair_of(a, b);
    pairs_[slot(pair)] = pair;
  }
  void prefetch(uint32_t a, uint32_t b) const { __builtin_prefetch(&pairs_[slot(pair_of(a, b))]); }

 private:
  // Never 0, as the larger number is not.
  static uint64_t pair_of(uint32_t a, uint32_t b) {
    // Which is the larger one nobody can guess: this is compiled without a branch.
    const uint64_t one = uint64_t{a} << 32 | b, other = uint64_t{b} << 32 | a;
    return one > other ? one : other;
  }
  size_t slot(uint64_t pair) const { return static_cast<size_t>(pair * 0x9E3779B97F4A7C15 >> shift_); }

  int shift_ = 54;
  uint64_t* pairs_;
};

}  // namespace blockwright
