// Whether a repulsive edge joins two clusters of a mutex watershed on a grid.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/cancellation.h"
#include "kernels/mutex_watershed_clusters.h"
#include "kernels/mutex_watershed_keys.h"

namespace blockwright {

template <class Key>
class RepulsionSearch {
 public:
  // `budget`: how many edges may be looked at.
  RepulsionSearch(const EdgeKeys<Key>& keys, GridClusters& clusters, uint64_t budget, const Cancellation& cancellation)
      : keys_(keys), clusters_(clusters), cancellation_(cancellation), simple_(2 * keys.channels < 31), budget_(budget) {
    for (uint32_t d = 0; d < 32 && d < 2 * keys_.channels; ++d) displacement_[d] = keys_.neighbour(0, d);
  }

  bool budget_spent() const { return budget_ == 0; }

  // Whether directions have bits of their own and MORE is kept.
  bool simple() const { return simple_; }

  // Asks for the memory that is read first when a search starts at a voxel.
  void prefetch(uint32_t start) const {
    const Node& node = clusters_.nodes[start];
    __builtin_prefetch(&clusters_.nodes[node.next & ~UNLINKED]);
    for (uint32_t bits = simple_ ? node.directions & ~MORE : 0; bits != 0; bits &= bits - 1) {
      clusters_.sets.prefetch(start + displacement_[__builtin_ctz(bits)]);
    }
  }

  // Whether a repulsive edge that precedes the edge (key, id) joins the clusters with roots `own`, which `start` belongs to, and
  // `to`. Takes voxels that no longer matter out of the ring.
  //
  // The ring is walked from two voxels at once, each to where the other began: the processor waits for every next voxel.
  bool repelled(uint32_t start, uint32_t own, uint32_t to, uint32_t key, uint32_t id) {
    const Target target{own, to, key, id};
    const uint32_t first = in_ring(start);
    work_ = 0;
    const uint32_t ends[2] = {first, own};
    const bool found = repelled_at(ends, first == own ? 1 : 2, target) || walk(first, target);
    budget_ -= std::min(budget_, work_);
    return found;
  }

 private:
  static constexpr size_t BATCH = 8;
  struct Target {
    uint32_t own, to, key, id;
  };

  // The voxel itself, or the first behind it that is still in the ring.
  uint32_t in_ring(uint32_t voxel) {
    uint32_t at = voxel;
    while ((clusters_.nodes[at].next & UNLINKED) != 0) at = clusters_.nodes[at].next & ~UNLINKED;
    if (at != voxel) clusters_.nodes[voxel].next = at | UNLINKED;
    return at;
  }

  bool walk(uint32_t first, const Target& target) {
    const uint32_t own = target.own;
    Node* const nodes = clusters_.nodes.get();
    struct {
      uint32_t last, at, end;
    } walks[2] = {{own, nodes[own].next, first}, {first, first == own ? own : nodes[first].next, own}};
    while (walks[0].at != walks[0].end || walks[1].at != walks[1].end) {
      // A few voxels first, so that what they need comes at the same time.
      uint32_t voxels[BATCH];
      size_t count = 0;
      for (size_t step = 0; step < BATCH / 2; ++step) {
        for (auto& [last, at, end] : walks) {
          if (at == end) continue;
          Node& node = nodes[at];
          const uint32_t next = node.next;
          __builtin_prefetch(&nodes[next]);
          if (node.directions == 0 && simple_) {
            nodes[last].next = next;
            node.next = next | UNLINKED;
            ++work_;
          } else {
            voxels[count++] = at;
            last = at;
          }
          at = next;
        }
      }
      if (repelled_at(voxels, count, target)) return true;
    }
    return false;
  }

  // Whether one of the edges at some voxels is such an edge. Forgets those inside its own cluster.
  //
  // Where an edge ends cannot be foretold, so there is no branch on it: two steps upwards nearly always reach the root. Few
  // edges end in `to`; only of them the value is read.
  bool repelled_at(const uint32_t* voxels, size_t count, const Target& target) {
    DisjointSets& sets = clusters_.sets;
    // counted from search to search: there may be many between two looks
    voxels_ += count;
    if (voxels_ >= 16384) {
      voxels_ = 0;
      cancellation_.check();
    }
    work_ += count;
    if (!simple_) {
      return std::any_of(voxels, voxels + count, [&](uint32_t voxel) { return repelled_at_shared(voxel, target); });
    }
    struct {
      uint32_t voxel, direction, parent;
    } edges[BATCH * 31];
    size_t number = 0;
    for (size_t i = 0; i < count; ++i) {
      for (uint32_t bits = clusters_.nodes[voxels[i]].directions & ~MORE; bits != 0; bits &= bits - 1) {
        const uint32_t direction = static_cast<uint32_t>(__builtin_ctz(bits));
        const uint32_t other = voxels[i] + displacement_[direction];
        sets.prefetch(other);
        edges[number++] = {voxels[i], direction, other};
      }
    }
    work_ += number;
    for (size_t i = 0; i < number; ++i) {
      edges[i].parent = sets.parent(edges[i].parent);
      sets.prefetch(edges[i].parent);
    }
    bool deep = false;
    bool met = false;
    for (size_t i = 0; i < number; ++i) {
      const uint32_t root = sets.parent(edges[i].parent);
      met |= root == target.to;
      deep |= !sets.is_root(root);
      clusters_.nodes[edges[i].voxel].directions &= ~(uint32_t{root == target.own} << edges[i].direction);
    }
    if (!met && !deep) return false;
    return std::any_of(edges, edges + number, [&](const auto& edge) {
      return sets.find(edge.parent) == target.to && precedes(edge.voxel, edge.direction, target);
    });
  }

  // The same where directions share bits.
  bool repelled_at_shared(uint32_t voxel, const Target& target) {
    for (uint32_t bits = clusters_.nodes[voxel].directions; bits != 0; bits &= bits - 1) {
      for (uint32_t d = static_cast<uint32_t>(__builtin_ctz(bits)); d < 2 * keys_.channels; d += 32) {
        ++work_;
        const uint32_t other = keys_.neighbour(voxel, d);
        if (other >= keys_.voxels || keys_.at(d / 2, d % 2 == 0 ? voxel : other) >= 0) continue;
        if (precedes(voxel, d, target) && clusters_.sets.find(other) == target.to) return true;
      }
    }
    return false;
  }

  // Of a repulsive edge.
  bool precedes(uint32_t voxel, uint32_t direction, const Target& target) const {
    const uint32_t c = direction / 2;
    const uint32_t start = direction % 2 == 0 ? voxel : keys_.neighbour(voxel, direction);
    const uint32_t size = static_cast<uint32_t>(-keys_.at(c, start));
    return size > target.key || (size == target.key && c * keys_.voxels + start < target.id);
  }

  const EdgeKeys<Key>& keys_;
  GridClusters& clusters_;
  const Cancellation& cancellation_;
  const bool simple_;
  std::array<uint32_t, 32> displacement_{};  // of a direction, where they are simple
  uint64_t budget_;
  uint64_t work_ = 0;    // of the search that goes on
  uint64_t voxels_ = 0;  // looked at since the last look at the cancellation
};

}  // namespace blockwright
