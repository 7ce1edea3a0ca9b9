// A graph of fragments with its nodes numbered 0, 1, ... in the order of their ids, and the order of its scores.
#pragma once

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
  uint32_t u, v;  // numbers of nodes, u < v unless the edge is a loop
};

// The graph with its nodes numbered 0, 1, ... in the order of their ids, and all that orders its scores.
class ScoredGraph {
 public:
  ScoredGraph(const FragmentGraph& graph, const Cancellation& cancellation);

  uint32_t nodes() const { return nodes_; }
  uint32_t items() const { return items_; }
  // Pairs of nodes that the starting LUT joins, and whether a node is in one.
  const std::vector<std::pair<uint32_t, uint32_t>>& joins() const { return joins_; }
  bool joined(uint32_t node) const { return !joined_.empty() && joined_[node]; }
  const EdgeEnds& ends(uint32_t id) const { return ends_[id < edges_ ? id : id % edges_]; }
  // float32(|score|) as an integer, with REPULSIVE_SCORE; 0 = no such score, or one of exactly 0, which precedes no attractive one.
  uint32_t key(uint32_t id) const { return keys_[id]; }
  // The total order: |score| in float64, descending, then attribute, smaller id, larger id.
  bool precedes(const ScoreItem& a, const ScoreItem& b) const;
  // In that order. Needs as much memory again while it sorts.
  std::vector<ScoreItem> sorted(std::vector<ScoreItem> items) const;
  void prefetch(uint32_t id) const { __builtin_prefetch(&ends(id)); }

 private:
  double term(const EdgeAttribute& attribute, uint32_t edge) const;
  double score(uint32_t id) const;
  void number_nodes();
  void compute_keys();

  const FragmentGraph& graph_;
  const Cancellation& cancellation_;
  uint32_t nodes_ = 0;
  uint32_t edges_ = 0;
  uint32_t items_ = 0;
  std::vector<std::pair<uint32_t, uint32_t>> joins_;
  std::vector<bool> joined_;  // by node; empty without a LUT
  LargeArray<EdgeEnds> ends_;
  LargeArray<uint32_t> keys_;
};

}  // namespace blockwright
