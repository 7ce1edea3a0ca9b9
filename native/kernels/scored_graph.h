// A graph of fragments with its nodes numbered 0, 1, ... in the order of their ids, and the order of its scores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/cancellation.h"
#include "core/large_array.h"
#include "kernels/graph_mutex_watershed.h"

namespace blockwright {

inline constexpr uint32_t REPULSIVE_SCORE = 0x80000000;
inline constexpr uint32_t NO_SCORE = ~uint32_t{0};

// One score of one edge. The key is float32(|score|) as an integer: it orders scores unless they are nearly equal.
struct ScoreItem {
  uint32_t key;
  uint32_t id;  // edge << shift | attribute; see ScoredGraph
};

struct EdgeEnds {
  uint32_t u, v;  // numbers of nodes, or of the clusters they are in
};

// The graph with its nodes numbered 0, 1, ... in the order of their ids, and all that orders its scores.
class ScoredGraph {
 public:
  ScoredGraph(const FragmentGraph& graph, const Cancellation& cancellation);

  uint32_t nodes() const { return nodes_; }
  uint32_t items() const { return edges_ * scores_; }
  // Pairs of nodes that the starting LUT joins.
  const std::vector<std::pair<uint32_t, uint32_t>>& joins() const { return joins_; }
  const EdgeEnds& ends(uint32_t id) const { return ends_[edge_of(id)]; }
  void prefetch(uint32_t id) const { __builtin_prefetch(&ends(id)); }

  // Calls visit(item, ends) for each score of two different nodes (or clusters), by attribute, then edge. item.key is
  // float32(|score|) as an integer, with REPULSIVE_SCORE. Scores of exactly 0 are left out: they precede no attractive one.
  template <class Visit>
  void for_each_score(const Visit& visit) const {
    const uint32_t* keys = keys_.get();
    for (uint32_t attribute = 0; attribute < scores_; ++attribute, keys += edges_) {
      for (uint32_t edge = 0; edge < edges_; ++edge) {
        if (edge % 65536 == 0) cancellation_.check();
        const EdgeEnds ends = ends_[edge];
        if (keys[edge] != 0 && ends.u != ends.v) visit(ScoreItem{keys[edge], edge << shift_ | attribute}, ends);
      }
    }
  }

  // Puts numbers of clusters in the place of those of nodes, or of coarser clusters in that of finer ones.
  void renumber(const uint32_t* clusters);

  // The total order: |score| in float64, descending, then attribute, smaller id, larger id. Keys without REPULSIVE_SCORE.
  bool precedes(const ScoreItem& a, const ScoreItem& b) const;
  // Puts items into that order; `scratch` has room for as many.
  void sort(ScoreItem* items, ScoreItem* scratch, size_t count) const;

 private:
  uint32_t edge_of(uint32_t id) const { return id >> shift_; }
  uint32_t attribute_of(uint32_t id) const { return id & ((uint32_t{1} << shift_) - 1); }
  double term(const EdgeAttribute& attribute, uint32_t edge) const;
  double score(uint32_t attribute, uint32_t edge) const;
  void number_nodes();
  void compute_keys();
  [[noreturn]] void throw_not_a_number(uint32_t attribute, uint32_t edge) const;

  const FragmentGraph& graph_;
  const Cancellation& cancellation_;
  uint32_t nodes_ = 0;
  uint32_t edges_ = 0;
  uint32_t scores_ = 0;  // of an edge
  int shift_ = 0;        // bits for the attribute in an id
  std::vector<std::pair<uint32_t, uint32_t>> joins_;
  LargeArray<EdgeEnds> ends_;
  LargeArray<uint32_t> keys_;  // [scores, edges]
};

}  // namespace blockwright
