// The mutex watershed on a graph of fragments: which fragments are one segment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/cancellation.h"
#include "core/span.h"

namespace blockwright {

// Of each edge: the sum and the number of the values behind its score. Count 0 = the edge has no such attribute.
struct EdgeAttribute {
  std::string name;     // for messages
  Span<double> sums;    // [edges]
  Span<double> counts;  // [edges]
  double scale = 1;
  double weight = 1;
  double bias = 0;
};

struct FragmentGraph {
  Span<uint64_t> nodes;    // ascending, unique
  Span<uint64_t> u, v;     // [edges]: ids of nodes
  std::vector<EdgeAttribute> attributes;
  double pseudo_count = 0;
  bool edge_per_attribute = true;
  Span<uint64_t> lut_fragments, lut_segments;  // pairs of ids that are joined before everything else
  // How many scores may be looked at, for each node and score, to find exclusions when they are needed. Beyond it they are
  // all put into a table. Only time and memory depend on it.
  uint64_t search_budget = 16;
};

// What looking for exclusions took.
struct SearchCost {
  uint64_t looked_at = 0;  // nodes and scores
  bool all_listed = false;  // it came to the budget
};

// segments[i]: the smallest id of the nodes that are one segment with nodes[i].
//
// score = (weight * mean + bias) * (count / (count + pseudo_count)), mean = sum * scale / count, in float64; attractive iff
// > 0. Without edge_per_attribute an edge has one score, the sum of those of its attributes, and 0 (repulsive) if it has
// none. Order: |score| descending, attribute, smaller id, larger id.
//
// The method is that of mutex_watershed.h, after what is certain was joined (graph_contraction.h): repulsive scores are looked
// for when an attractive one asks.
//
// Peak memory: 8 bytes an edge, 4 a score, and of what contraction leaves 8 an attractive score (16 where nearly all are equal) and 16 a
// repulsive one (24 once an attractive and a repulsive score of two sets are equal in float32) and 25 to 29 a node; 4 a node of the
// graph; 30 to 170 for each pair of segments that a long search found exclusive; the rest of a large page. Beyond the search budget 40 a
// repulsive score in place of 16, and such pairs are all that are exclusive. Of lut_fragments 8 a pair, and for ids that are no nodes what
// nodes take and some 50 more. Address space is taken for 16 a score from the beginning.
SearchCost graph_mutex_watershed(const FragmentGraph& graph, uint64_t* segments, const Cancellation& cancellation);

}  // namespace blockwright
