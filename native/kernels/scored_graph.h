// A graph of fragments with its nodes numbered 0, 1, ... in the order of their ids, and the order of its scores.
#pragma once

#include <algorithm>
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

  // Calls attract(item, ends) and repel(item, ends) for each score of two different nodes (or clusters). item.key is float32(|score|)
  // as an integer. Those that attract come by attribute, then edge, and so do those that repel. Scores of exactly 0 are left out:
  // they precede no attractive one. Edges are told apart some at a time, without a branch: the processor guesses every second sign wrong.
  template <class Attract, class Repel>
  void for_each_score(const Attract& attract, const Repel& repel) const {
    constexpr uint32_t PIECE = 512;
    uint32_t attracting[PIECE], repelling[PIECE];
    const uint32_t* keys = keys_.get();
    for (uint32_t attribute = 0; attribute < scores_; ++attribute, keys += edges_) {
      for (uint32_t begin = 0; begin < edges_; begin += PIECE) {
        if (begin % 65536 == 0) cancellation_.check();
        const uint32_t end = std::min(edges_, begin + PIECE);
        uint32_t attracted = 0, repelled = 0;
        for (uint32_t edge = begin; edge < end; ++edge) {
          const uint32_t counts = static_cast<uint32_t>(keys[edge] != 0) & static_cast<uint32_t>(ends_[edge].u != ends_[edge].v);
          const uint32_t repels = keys[edge] >> 31;
          attracting[attracted] = edge;
          attracted += counts & (repels ^ 1);
          repelling[repelled] = edge;
          repelled += counts & repels;
        }
        for (uint32_t i = 0; i < attracted; ++i) {
          const uint32_t edge = attracting[i];
          attract(ScoreItem{keys[edge], edge << shift_ | attribute}, ends_[edge]);
        }
        for (uint32_t i = 0; i < repelled; ++i) {
          const uint32_t edge = repelling[i];
          repel(ScoreItem{keys[edge] & ~REPULSIVE_SCORE, edge << shift_ | attribute}, ends_[edge]);
        }
      }
    }
  }

  // Puts numbers of clusters in the place of those of nodes, or of coarser clusters in that of finer ones.
  void renumber(const uint32_t* clusters);

  // The total order: |score| in float64, descending, then attribute, smaller id, larger id.
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
