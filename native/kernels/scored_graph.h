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
  uint32_t id;  // attribute * edges + edge
};

struct EdgeEnds {
  uint32_t u, v;  // numbers of nodes, or of the clusters they are in
};

// The graph with its nodes numbered 0, 1, ... in the order of their ids, and all that orders its scores.
class ScoredGraph {
 public:
  ScoredGraph(const FragmentGraph& graph, const Cancellation& cancellation);

  uint32_t nodes() const { return nodes_; }
  uint32_t items() const { return items_; }
  // Pairs of nodes that the starting LUT joins.
  const std::vector<std::pair<uint32_t, uint32_t>>& joins() const { return joins_; }
  const EdgeEnds& ends(uint32_t id) const { return ends_[id < edges_ ? id : id % edges_]; }
  void prefetch(uint32_t id) const { __builtin_prefetch(&ends(id)); }

  // Calls visit(item, ends) for each score of two different nodes (or clusters), in the order of ids. item.key is
  // float32(|score|) as an integer, with REPULSIVE_SCORE. Scores of exactly 0 are left out: they precede no attractive one.
  template <class Visit>
  void for_each_score(const Visit& visit) const {
    for (uint32_t first = 0; first < items_; first += edges_) {
      for (uint32_t edge = 0; edge < edges_; ++edge) {
        if (edge % 65536 == 0) cancellation_.check();
        const EdgeEnds ends = ends_[edge];
        const uint32_t key = keys_[first + edge];
        if (key != 0 && ends.u != ends.v) visit(ScoreItem{key, first + edge}, ends);
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
  double term(const EdgeAttribute& attribute, uint32_t edge) const;
  double score(uint32_t id) const;
  void number_nodes();
  void compute_keys();
  [[noreturn]] void throw_not_a_number(uint32_t id) const;

  const FragmentGraph& graph_;
  const Cancellation& cancellation_;
  uint32_t nodes_ = 0;
  uint32_t edges_ = 0;
  uint32_t items_ = 0;
  std::vector<std::pair<uint32_t, uint32_t>> joins_;
  LargeArray<EdgeEnds> ends_;
  LargeArray<uint32_t> keys_;
};

}  // namespace blockwright
