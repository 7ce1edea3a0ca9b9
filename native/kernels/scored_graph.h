// A graph of fragments with its nodes numbered 0, 1, ... in the order of their ids, and the order of its scores.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "core/cancellation.h"
#include "core/workspace.h"
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
  // What its arrays take of the workspace. Throws ERR_LIMIT where there are too many nodes or scores.
  static size_t room(const FragmentGraph& graph);
  ScoredGraph(const FragmentGraph& graph, Workspace& memory, const Cancellation& cancellation);

  uint32_t nodes() const { return nodes_; }
  uint32_t items() const { return edges_ * scores_; }
  // Pairs of nodes that the starting LUT joins.
  const std::vector<std::pair<uint32_t, uint32_t>>& joins() const { return joins_; }
  const EdgeEnds& ends(uint32_t id) const { return ends_[edge_of(id)]; }
  void prefetch(uint32_t id) const { __builtin_prefetch(&ends(id)); }

  // Calls use(item, ends) for each score that attracts two different nodes (or clusters), by attribute, then edge. item.key is
  // float32(|score|) as an integer.
  template <class Use>
  void for_each_attractive(const Use& use) const {
    for_each(attractive_, use);
  }

  // The same for scores that repel. Those of exactly 0 are left out: they precede no attractive one.
  template <class Use>
  void for_each_repulsive(const Use& use) const {
    for_each(repulsive_, use);
  }

  size_t count_attractive() const {
    const size_t words = words_of(graph_);
    return std::accumulate(attractive_, attractive_ + words, size_t{0},
                           [](size_t sum, uint64_t bits) { return sum + static_cast<size_t>(__builtin_popcountll(bits)); });
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
  void mark_scores();
  template <class Use>
  void for_each(const uint64_t* marks, const Use& use) const {
    const uint32_t* keys = keys_;
    for (uint32_t attribute = 0; attribute < scores_; ++attribute, keys += edges_) {
      for (uint32_t begin = 0; begin < edges_; begin += 64, ++marks) {
        if (begin % 65536 == 0) cancellation_.check();
        for (uint64_t left = *marks; left != 0; left &= left - 1) {
          const uint32_t edge = begin + static_cast<uint32_t>(__builtin_ctzll(left));
          use(ScoreItem{keys[edge] & ~REPULSIVE_SCORE, edge << shift_ | attribute}, ends_[edge]);
        }
      }
    }
  }
  [[noreturn]] void throw_not_a_number(uint32_t attribute, uint32_t edge) const;

  static size_t scores_of(const FragmentGraph& graph) { return graph.edge_per_attribute ? graph.attributes.size() : 1; }
  // Words of the marks.
  static size_t words_of(const FragmentGraph& graph) { return scores_of(graph) * ((graph.u.size + 63) / 64); }

  const FragmentGraph& graph_;
  const Cancellation& cancellation_;
  uint32_t nodes_ = 0;
  uint32_t edges_ = 0;
  uint32_t scores_ = 0;  // of an edge
  int shift_ = 0;        // bits for the attribute in an id
  std::vector<std::pair<uint32_t, uint32_t>> joins_;
  EdgeEnds* ends_;
  uint32_t* keys_;  // [scores, edges]
  // [scores, edges / 64]: a bit for each score of two different nodes (or clusters) that attracts, or repels. The processor guesses
  // every second sign of a score wrong: they are told apart once, without a branch.
  uint64_t* attractive_;
  uint64_t* repulsive_;
};

}  // namespace blockwright
