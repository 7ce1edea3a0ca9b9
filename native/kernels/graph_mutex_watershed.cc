#include "kernels/graph_mutex_watershed.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/disjoint_sets.h"
#include "core/exclusions.h"
#include "core/large_array.h"
#include "kernels/scored_graph.h"

namespace blockwright {

namespace {

struct Node {
  uint32_t next;       // the nodes of a cluster are a ring
  uint32_t repulsion;  // of a root: the largest key of the repulsive scores of its cluster; else of the node at least
  uint32_t begin;      // of its repulsive scores; the next node's is their end
};

struct Repulsion {
  uint32_t key;
  uint32_t other;  // node at the other end
};

class GraphWatershed {
 public:
  GraphWatershed(ScoredGraph&& graph, uint64_t budget, const Cancellation& cancellation);

  void run();
  void label(Span<uint64_t> nodes, uint64_t* segments);

 private:
  void list_repulsion();
  void join(uint32_t a, uint32_t b);
  void join_first();
  bool repelled(uint32_t start, uint32_t to, const ScoreItem& item);
  void run_with_all_exclusions(const ScoreItem* begin, const ScoreItem* end);

  ScoredGraph graph_;
  uint64_t budget_;  // how many more scores repelled() may look at
  const Cancellation& cancellation_;
  DisjointSets clusters_;  // sizes are the numbers of nodes and of repulsive scores at them
  LargeArray<Node> nodes_;
  LargeArray<Repulsion> repulsions_;
  LargeArray<uint32_t> repulsion_ids_;  // ids of the scores in repulsions_, read only where keys are equal
  Exclusions exclusions_;
};

GraphWatershed::GraphWatershed(ScoredGraph&& graph, uint64_t budget, const Cancellation& cancellation)
    : graph_(std::move(graph)),
      budget_(budget),
      cancellation_(cancellation),
      clusters_(graph_.nodes()),
      nodes_(large_array<Node>(size_t{graph_.nodes()} + 1)) {
  for (uint32_t i = 0; i <= graph_.nodes(); ++i) nodes_[i] = {i, 0, 0};
}

void GraphWatershed::list_repulsion() {
  const auto for_each_end = [this](const auto& visit) {
    for (uint32_t id = 0; id < graph_.items(); ++id) {
      if (id % 65536 == 0) cancellation_.check();
      const uint32_t key = graph_.key(id);
      if ((key & REPULSIVE_SCORE) == 0) continue;
      const EdgeEnds ends = graph_.ends(id);
      if (ends.u == ends.v) continue;
      visit(ends.u, ends.v, key & ~REPULSIVE_SCORE, id);
      visit(ends.v, ends.u, key & ~REPULSIVE_SCORE, id);
    }
  };
  for_each_end([this](uint32_t node, uint32_t, uint32_t key, uint32_t) {
    ++nodes_[node].begin;
    nodes_[node].repulsion = std::max(nodes_[node].repulsion, key);
  });
  uint32_t sum = 0;
  for (uint32_t node = 0; node <= graph_.nodes(); ++node) {
    const uint32_t degree = nodes_[node].begin;
    if (node < graph_.nodes()) clusters_.set_size(node, 1 + degree);
    sum += degree;
    nodes_[node].begin = sum;
  }
  repulsions_ = large_array<Repulsion>(sum);
  repulsion_ids_ = large_array<uint32_t>(sum);
  for_each_end([this](uint32_t node, uint32_t other, uint32_t key, uint32_t id) {
    const uint32_t at = --nodes_[node].begin;
    repulsions_[at] = {key, other};
    repulsion_ids_[at] = id;
  });
}

inline void GraphWatershed::join(uint32_t a, uint32_t b) {
  const uint32_t kept = clusters_.join(a, b);
  const uint32_t gone = kept == a ? b : a;
  std::swap(nodes_[a].next, nodes_[b].next);
  nodes_[kept].repulsion = std::max(nodes_[kept].repulsion, nodes_[gone].repulsion);
  exclusions_.join(kept, gone);
}

// Joins each node with the other end of its first score where that is attractive: when it comes up the node is alone and
// nothing excludes it (one step of Boruvka's algorithm). Needs the repulsion of nodes as it is before any join.
void GraphWatershed::join_first() {
  LargeArray<ScoreItem> first = large_array<ScoreItem>(graph_.nodes());
  for (uint32_t node = 0; node < graph_.nodes(); ++node) first[node] = {nodes_[node].repulsion, NO_SCORE};
  for (uint32_t id = 0; id < graph_.items(); ++id) {
    if (id % 65536 == 0) cancellation_.check();
    const uint32_t key = graph_.key(id);
    if (key == 0 || (key & REPULSIVE_SCORE) != 0) continue;
    const ScoreItem item{key, id};
    const EdgeEnds ends = graph_.ends(id);
    for (const uint32_t node : {ends.u, ends.v}) {
      ScoreItem& best = first[node];
      // Where a repulsive score has the same key the node is left to the sorted visit.
      if (key > best.key || (key == best.key && best.id != NO_SCORE && graph_.precedes(item, best))) best = item;
    }
  }
  for (uint32_t node = 0; node < graph_.nodes(); ++node) {
    // The LUT may have joined the node before: then it is not alone.
    if (first[node].id == NO_SCORE || graph_.joined(node)) continue;
    const EdgeEnds ends = graph_.ends(first[node].id);
    const uint32_t a = clusters_.find(ends.u);
    const uint32_t b = clusters_.find(ends.v);
    if (a != b) join(a, b);
  }
}

// Whether a repulsive score that precedes `item` joins the cluster of node `start` and the one with root `to`.
bool GraphWatershed::repelled(uint32_t start, uint32_t to, const ScoreItem& item) {
  uint32_t node = start;
  uint64_t work = 0;
  bool found = false;
  do {
    ++work;
    const uint32_t next = nodes_[node].next;
    if (nodes_[node].repulsion >= item.key) {
      const uint32_t end = nodes_[node + 1].begin;
      work += end - nodes_[node].begin;
      for (uint32_t at = nodes_[node].begin; at < end && !found; ++at) {
        const Repulsion repulsion = repulsions_[at];
        found = repulsion.key >= item.key && clusters_.find(repulsion.other) == to &&
                (repulsion.key > item.key || graph_.precedes({repulsion.key, repulsion_ids_[at]}, item));
      }
    }
    node = next;
  } while (node != start && !found);
  budget_ -= std::min(budget_, work);
  return found;
}

void GraphWatershed::run() {
  list_repulsion();
  for (const auto& [u, v] : graph_.joins()) {
    const uint32_t a = clusters_.find(u);
    const uint32_t b = clusters_.find(v);
    if (a != b) join(a, b);
  }
  join_first();
  std::vector<ScoreItem> attractive;
  for (uint32_t id = 0; id < graph_.items(); ++id) {
    const uint32_t key = graph_.key(id);
    if (key == 0 || (key & REPULSIVE_SCORE) != 0) continue;
    const EdgeEnds ends = graph_.ends(id);
    if (clusters_.find(ends.u) != clusters_.find(ends.v)) attractive.push_back({key, id});
  }
  attractive = graph_.sorted(std::move(attractive));
  const ScoreItem* const end = attractive.data() + attractive.size();
  for (const ScoreItem* item = attractive.data(); item < end; ++item) {
    if ((item - attractive.data()) % 4096 == 0) cancellation_.check();
    if (end - item > 16) graph_.prefetch(item[16].id);
    if (end - item > 8) {
      const EdgeEnds ahead = graph_.ends(item[8].id);
      clusters_.prefetch(ahead.u);
      clusters_.prefetch(ahead.v);
    }
    const EdgeEnds ends = graph_.ends(item->id);
    const uint32_t a = clusters_.find(ends.u);
    const uint32_t b = clusters_.find(ends.v);
    if (a == b) continue;
    if (nodes_[a].repulsion >= item->key && nodes_[b].repulsion >= item->key) {
      if (exclusions_.contains(a, b)) continue;
      if (budget_ == 0) return run_with_all_exclusions(item, end);
      const bool from_u = clusters_.size(a) <= clusters_.size(b);
      if (from_u ? repelled(ends.u, b, *item) : repelled(ends.v, a, *item)) {
        exclusions_.add(a, b);
        continue;
      }
    }
    join(a, b);
  }
}

// The rest of run() where looking for repulsive scores costs too much: all of them are sorted and entered into the table.
void GraphWatershed::run_with_all_exclusions(const ScoreItem* begin, const ScoreItem* end) {
  std::vector<ScoreItem> repulsive;
  for (uint32_t id = 0; id < graph_.items(); ++id) {
    const uint32_t key = graph_.key(id);
    if ((key & REPULSIVE_SCORE) != 0) repulsive.push_back({key & ~REPULSIVE_SCORE, id});
  }
  repulsive = graph_.sorted(std::move(repulsive));
  const ScoreItem* repulsion = repulsive.data();
  const ScoreItem* const last = repulsion + repulsive.size();
  for (const ScoreItem* item = begin; item < end; ++item) {
    if ((item - begin) % 1024 == 0) cancellation_.check();
    for (; repulsion < last && graph_.precedes(*repulsion, *item); ++repulsion) {
      if ((last - repulsion) % 4096 == 0) cancellation_.check();
      const EdgeEnds ends = graph_.ends(repulsion->id);
      const uint32_t a = clusters_.find(ends.u);
      const uint32_t b = clusters_.find(ends.v);
      if (a != b) exclusions_.add(a, b);
    }
    const EdgeEnds ends = graph_.ends(item->id);
    const uint32_t a = clusters_.find(ends.u);
    const uint32_t b = clusters_.find(ends.v);
    if (a != b && !exclusions_.contains(a, b)) join(a, b);
  }
}

void GraphWatershed::label(Span<uint64_t> nodes, uint64_t* segments) {
  // Ids ascend, so the first node of a cluster that is met has its smallest id; `next` keeps it by root from here on.
  constexpr uint32_t NONE = ~uint32_t{0};
  for (uint32_t node = 0; node < graph_.nodes(); ++node) nodes_[node].next = NONE;
  for (uint32_t node = 0; node < nodes.size; ++node) {
    uint32_t& first = nodes_[clusters_.find(node)].next;
    if (first == NONE) first = node;
    segments[node] = nodes[first];
  }
}

}  // namespace

void graph_mutex_watershed(const FragmentGraph& graph, uint64_t* segments, const Cancellation& cancellation) {
  ScoredGraph scored(graph, cancellation);
  const uint64_t budget = graph.search_budget * (uint64_t{scored.items()} + scored.nodes());
  GraphWatershed watershed(std::move(scored), budget, cancellation);
  watershed.run();
  watershed.label(graph.nodes, segments);
}

}  // namespace blockwright
