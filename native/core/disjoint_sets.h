// Disjoint sets of 0 .. count-1, joined by size. One 32-bit word an element: its parent, or for a root -size.
#pragma once

#include <cstdint>
#include <utility>

#include "core/large_array.h"

namespace blockwright {

class DisjointSets {
 public:
  // count must be below 2^31.
  explicit DisjointSets(uint32_t count) : count_(count), parent_(large_array<int32_t>(count)) {
    for (uint32_t i = 0; i < count; ++i) parent_[i] = -1;
  }

  uint32_t find(uint32_t element) {
    int32_t* parent = parent_.get();
    int32_t up = parent[element];
    while (up >= 0) {
      const int32_t next = parent[up];
      if (next < 0) return static_cast<uint32_t>(up);
      parent[element] = next;  // path halving
      element = static_cast<uint32_t>(next);
      up = parent[next];
    }
    return element;
  }

  // The same, without a branch on how far the root is: two steps reach it nearly always, soon after flatten().
  uint32_t find_near(uint32_t element) {
    const uint32_t root = parent(parent(element));
    return is_root(root) ? root : find(element);
  }

  // Its parent, or itself for a root: mostly the root.
  uint32_t parent(uint32_t element) const { return parent_[element] < 0 ? element : static_cast<uint32_t>(parent_[element]); }

  bool is_root(uint32_t element) const { return parent_[element] < 0; }

  // Gives a root another size than the number of its elements; all sizes together must stay below 2^31.
  void set_size(uint32_t root, uint32_t size) { parent_[root] = -static_cast<int32_t>(size); }
  uint32_t size(uint32_t root) const { return static_cast<uint32_t>(-parent_[root]); }

  // Joins two different roots; returns the one that stays, the root of the larger set.
  uint32_t join(uint32_t a, uint32_t b) {
    if (parent_[a] > parent_[b]) std::swap(a, b);
    parent_[a] += parent_[b];
    parent_[b] = static_cast<int32_t>(a);
    return a;
  }

  // Makes every element in [begin, end) that is no root point at its root, for roots(). Several threads may do this at once,
  // each for elements of its own, while nothing else is changed.
  void flatten(size_t begin, size_t end) {
    int32_t* parent = parent_.get();
    for (size_t i = begin; i < end; ++i) {
      int32_t root = parent[i];
      if (root < 0) continue;
      for (int32_t up; (up = __atomic_load_n(&parent[root], __ATOMIC_RELAXED)) >= 0;) root = up;
      __atomic_store_n(&parent[i], root, __ATOMIC_RELAXED);
    }
  }

  // Of each element: a root has a negative number; after flatten(), until the next join, others have their root.
  const int32_t* roots() const { return parent_.get(); }

  void prefetch(uint32_t element) const { __builtin_prefetch(&parent_[element]); }

 private:
  uint32_t count_;
  LargeArray<int32_t> parent_;
};

}  // namespace blockwright
