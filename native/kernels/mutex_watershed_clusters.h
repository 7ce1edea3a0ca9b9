// The clusters of a mutex watershed on a grid: their voxels, repulsive edges and exclusions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/disjoint_sets.h"
#include "core/exclusion_pairs.h"
#include "core/large_array.h"

namespace blockwright {

// What is known of a voxel, in one place because edges come up in random order and every line of memory is a cache miss.
struct Node {
  uint32_t next;        // the voxels of a cluster that may have repulsive edges to others are a ring; UNLINKED: this one is none of them
  uint32_t repulsion;   // of a root: the largest |key| of the repulsive edges of its cluster
  uint32_t directions;  // of repulsive edges up to this stage, and MORE; before the first stage: the first edge
  uint32_t number;      // of a root: of its cluster among the exclusions, or NO_NUMBER
};
inline constexpr uint32_t NO_NUMBER = ~uint32_t{0};
inline constexpr uint32_t UNLINKED = uint32_t{1} << 31;
inline constexpr uint32_t MORE = uint32_t{1} << 31;  // repulsive edges of later stages; not kept with more than 15 channels

class GridClusters {
 public:
  explicit GridClusters(uint32_t voxels) : sets(voxels), nodes(large_array<Node>(voxels)) {}

  // Joins two different roots; returns the one that stays.
  uint32_t join(uint32_t a, uint32_t b) {
    const uint32_t kept_root = sets.join(a, b);
    Node& kept = nodes[kept_root];
    const uint32_t gone_root = kept_root == a ? b : a;
    Node& gone = nodes[gone_root];
    if (gone.next == gone_root && gone.repulsion == 0) {
      gone.next = kept_root | UNLINKED;
    } else {
      std::swap(kept.next, gone.next);
    }
    kept.repulsion = std::max(kept.repulsion, gone.repulsion);
    if (kept.number == NO_NUMBER) {
      kept.number = gone.number;
    } else if (gone.number != NO_NUMBER) {
      kept.number = exclusions_.join(kept.number, gone.number);
    }
    return kept_root;
  }

  // Whether two roots are known to be exclusive.
  bool excluded(uint32_t a, uint32_t b) const {
    const uint32_t x = nodes[a].number;
    const uint32_t y = nodes[b].number;
    return x != NO_NUMBER && y != NO_NUMBER && exclusions_.contains(x, y);
  }
  void exclude(uint32_t a, uint32_t b) {
    for (const uint32_t root : {a, b}) {
      if (nodes[root].number == NO_NUMBER) nodes[root].number = exclusions_.fresh();
    }
    exclusions_.add(nodes[a].number, nodes[b].number);
  }
  void prefetch_exclusion(uint32_t a, uint32_t b) const {
    const uint32_t x = nodes[a].number;
    const uint32_t y = nodes[b].number;
    if (x != NO_NUMBER && y != NO_NUMBER) exclusions_.prefetch(x, y);
  }

  DisjointSets sets;
  LargeArray<Node> nodes;

 private:
  ExclusionPairs exclusions_;
};

}  // namespace blockwright
