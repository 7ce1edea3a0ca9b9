#include "kernels/graph_mutex_watershed.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/exclusions.h"
#include "core/large_array.h"
#include "kernels/graph_contraction.h"
#include "kernels/score_buckets.h"
#include "kernels/scored_graph.h"

namespace blockwright {

namespace {

// What contraction has left, one memory line for all that a visit needs.
struct Cluster {
  int32_t parent;      // of a root minus the number of clusters and repulsive scores in its set
  uint32_t next;       // the clusters of a set are a ring
  uint32_t repulsion;  // of a root: the largest key of the repulsive scores of its set; else of the cluster at least
  uint32_t begin;      // of its repulsive scores; the next cluster's is their end
};

// Clusters where searches will begin, and where their scores are.
using Searches = std::array<std::pair<uint32_t, uint32_t>, 32>;

class GraphWatershed {
 public:
  GraphWatershed(const FragmentGraph& graph, const Cancellation& cancellation);

  void run();
  void label(Span<uint64_t> nodes, uint64_t* segments);
  SearchCost cost() const { return {looked_at_, all_listed_}; }

 private:
  uint32_t find(uint32_t cluster);
  void join(uint32_t a, uint32_t b);
  bool list_scores();
  void visit(const ScoreItem& item);
  // Of two roots, whether the first has the set that is searched.
  bool smaller(uint32_t a, uint32_t b) const { return clusters_[a].parent >= clusters_[b].parent; }
  uint32_t other_end(const ScoreItem& repulsion, uint32_t cluster) const;
  void look_ahead(const ScoreItem* items, size_t count, size_t index, Searches& searches);
  bool repelled(uint32_t start, uint32_t to, const ScoreItem& item);
  void list_all_exclusions();
  void exclude_before(const ScoreItem& item);

  ScoredGraph graph_;
  const Cancellation& cancellation_;
  uint64_t budget_;
  uint64_t looked_at_ = 0;
  Contraction contraction_;
  LargeArray<Cluster> clusters_;
  std::optional<ScoreBuckets> attractive_;
  LargeArray<ScoreItem> repulsions_;  // by cluster
  Exclusions exclusions_;
  bool all_listed_ = false;           // beyond the budget: exclusions_ holds all that precede the item of the visit
  std::vector<ScoreItem> repulsive_;  // those still to come, in their order, from `coming_` on
  size_t coming_ = 0;
};

GraphWatershed::GraphWatershed(const FragmentGraph& graph, const Cancellation& cancellation)
    : graph_(graph, cancellation),
      cancellation_(cancellation),
      budget_(graph.search_budget * (uint64_t{graph_.items()} + graph_.nodes())),
      contraction_(contract(graph_, cancellation)),
      clusters_(large_array<Cluster>(size_t{contraction_.clusters} + 1)) {
  for (uint32_t i = 0; i <= contraction_.clusters; ++i) clusters_[i] = {-1, i, 0, 0};
}

inline uint32_t GraphWatershed::find(uint32_t cluster) {
  int32_t up = clusters_[cluster].parent;
  while (up >= 0) {
    const int32_t next = clusters_[up].parent;
    if (next < 0) return static_cast<uint32_t>(up);
    clusters_[cluster].parent = next;  // path halving
    cluster = static_cast<uint32_t>(next);
    up = clusters_[cluster].parent;
  }
  return cluster;
}

// Joins the sets of two different roots.
inline void GraphWatershed::join(uint32_t a, uint32_t b) {
  if (clusters_[a].parent > clusters_[b].parent) std::swap(a, b);
  Cluster& kept = clusters_[a];
  Cluster& gone = clusters_[b];
  kept.parent += gone.parent;
  gone.parent = static_cast<int32_t>(a);
  std::swap(kept.next, gone.next);
  kept.repulsion = std::max(kept.repulsion, gone.repulsion);
  exclusions_.join(a, b);
}

// Makes the lists of scores that can still matter; whether there is an attractive one. A repulsive score matters only if one that is
// attractive may come after it and if each of its ends has one that is.
bool GraphWatershed::list_scores() {
  constexpr int32_t ATTRACTED = -2;  // as a parent, until the sizes of sets take its place
  uint32_t lowest = ~uint32_t{0};
  uint32_t highest = 0;
  uint32_t count = 0;
  const auto ignore = [](const ScoreItem&, const EdgeEnds&) {};
  graph_.for_each_score(
      [&](const ScoreItem& item, const EdgeEnds& ends) {
        lowest = std::min(lowest, item.key);
        highest = std::max(highest, item.key);
        ++count;
        clusters_[ends.u].parent = clusters_[ends.v].parent = ATTRACTED;
      },
      ignore);
  if (count == 0) return false;
  const auto matters = [&](const ScoreItem& item, const EdgeEnds& ends) {
    return (static_cast<uint32_t>(item.key >= lowest) & static_cast<uint32_t>(clusters_[ends.u].parent == ATTRACTED) &
            static_cast<uint32_t>(clusters_[ends.v].parent == ATTRACTED)) != 0;
  };
  attractive_.emplace(lowest, highest, count);
  graph_.for_each_score([&](const ScoreItem& item, const EdgeEnds&) { attractive_->count(item.key); },
                        [&](const ScoreItem& item, const EdgeEnds& ends) {
                          if (!matters(item, ends)) return;
                          for (const uint32_t cluster : {ends.u, ends.v}) {
                            ++clusters_[cluster].begin;
                            clusters_[cluster].repulsion = std::max(clusters_[cluster].repulsion, item.key);
                          }
                        });
  attractive_->make_room();
  uint32_t sum = 0;
  for (uint32_t cluster = 0; cluster <= contraction_.clusters; ++cluster) {
    sum += clusters_[cluster].begin;
    clusters_[cluster].begin = sum;
  }
  repulsions_ = large_array<ScoreItem>(size_t{sum} + 1);
  repulsions_[sum] = {0, 0};  // look_ahead() may read it
  graph_.for_each_score([&](const ScoreItem& item, const EdgeEnds&) { attractive_->put(item); },
                        [&](const ScoreItem& item, const EdgeEnds& ends) {
                          if (!matters(item, ends)) return;
                          for (const uint32_t cluster : {ends.u, ends.v}) repulsions_[--clusters_[cluster].begin] = item;
                        });
  for (uint32_t cluster = 0; cluster < contraction_.clusters; ++cluster) {
    clusters_[cluster].parent = -1 - static_cast<int32_t>(clusters_[cluster + 1].begin - clusters_[cluster].begin);
  }
  return true;
}

// Of a score of a cluster.
inline uint32_t GraphWatershed::other_end(const ScoreItem& repulsion, uint32_t cluster) const {
  const EdgeEnds& ends = graph_.ends(repulsion.id);
  return ends.u == cluster ? ends.v : ends.u;
}

// Whether a repulsive score that precedes `item` joins the set of cluster `start` and the one with root `to`.
bool GraphWatershed::repelled(uint32_t start, uint32_t to, const ScoreItem& item) {
  // A search that was short is made again: to remember its result costs more.
  constexpr uint64_t SHORT = 16;
  constexpr uint64_t CHECKED = 65536;
  uint32_t cluster = start;
  uint64_t looked_at = looked_at_;  // goes on from search to search: there may be many between two checks
  bool found = false;
  do {
    if (++looked_at % CHECKED == 0) cancellation_.check();
    if (clusters_[cluster].repulsion >= item.key) {
      const uint32_t begin = clusters_[cluster].begin;
      const uint32_t end = clusters_[cluster + 1].begin;
      for (uint32_t at = begin; at < end && !found; ++at) {
        if (++looked_at % CHECKED == 0) cancellation_.check();
        const ScoreItem repulsion = repulsions_[at];
        if (repulsion.key < item.key || find(other_end(repulsion, cluster)) != to) continue;
        found = repulsion.key > item.key || graph_.precedes(repulsion, item);
        if (found) std::swap(repulsions_[at], repulsions_[begin]);  // it is likely to be asked for again
      }
    }
    cluster = clusters_[cluster].next;
  } while (cluster != start && !found);
  if (found && looked_at - looked_at_ > SHORT) exclusions_.add(find(start), to);
  looked_at_ = looked_at;
  return found;
}

inline void GraphWatershed::visit(const ScoreItem& item) {
  const EdgeEnds ends = graph_.ends(item.id);
  const uint32_t a = find(ends.u);
  const uint32_t b = find(ends.v);
  if (a == b) return;
  if (all_listed_) {
    exclude_before(item);
    if (exclusions_.contains(a, b)) return;
  } else if (clusters_[a].repulsion >= item.key && clusters_[b].repulsion >= item.key) {
    if (exclusions_.contains(a, b)) return;
    if (smaller(a, b) ? repelled(ends.u, b, item) : repelled(ends.v, a, item)) return;
  }
  join(a, b);
}

// Looking for repulsive scores costs too much: all of them are sorted, to be entered into the table as their turn comes.
void GraphWatershed::list_all_exclusions() {
  for (uint32_t cluster = 0; cluster < contraction_.clusters; ++cluster) {
    for (uint32_t at = clusters_[cluster].begin; at < clusters_[cluster + 1].begin; ++at) {
      if (cluster < other_end(repulsions_[at], cluster)) repulsive_.push_back(repulsions_[at]);
    }
  }
  std::vector<ScoreItem> scratch(repulsive_.size());
  graph_.sort(repulsive_.data(), scratch.data(), repulsive_.size());
  all_listed_ = true;
}

void GraphWatershed::exclude_before(const ScoreItem& item) {
  for (; coming_ < repulsive_.size() && graph_.precedes(repulsive_[coming_], item); ++coming_) {
    if (coming_ % 4096 == 0) cancellation_.check();
    const EdgeEnds ends = graph_.ends(repulsive_[coming_].id);
    const uint32_t a = find(ends.u);
    const uint32_t b = find(ends.v);
    if (a != b) exclusions_.add(a, b);
  }
}

// Asks for the memory that the next visits read, each step for what the step before it has brought: the processor would wait for
// most of it otherwise. `searches` are those that steps pass on to each other.
inline void GraphWatershed::look_ahead(const ScoreItem* items, size_t count, size_t index, Searches& searches) {
  constexpr size_t ENDS = 40, CLUSTERS = 28, ROWS = 20, ROW_ENDS = 12, OTHERS = 5;
  if (ENDS < count) graph_.prefetch(items[ENDS].id);
  if (CLUSTERS < count) {
    const EdgeEnds ends = graph_.ends(items[CLUSTERS].id);
    __builtin_prefetch(&clusters_[ends.u]);
    __builtin_prefetch(&clusters_[ends.v]);
  }
  if (ROWS < count) {
    const EdgeEnds ends = graph_.ends(items[ROWS].id);
    const uint32_t start = smaller(find(ends.u), find(ends.v)) ? ends.u : ends.v;
    searches[(index + ROWS) % searches.size()] = {start, clusters_[start].begin};
    __builtin_prefetch(&repulsions_[clusters_[start].begin]);
  }
  if (index < ROWS) return;
  if (ROW_ENDS < count) graph_.prefetch(repulsions_[searches[(index + ROW_ENDS) % searches.size()].second].id);
  if (OTHERS < count) {
    const auto [start, begin] = searches[(index + OTHERS) % searches.size()];
    __builtin_prefetch(&clusters_[other_end(repulsions_[begin], start)]);
  }
}

void GraphWatershed::run() {
  if (!list_scores()) return;
  Searches searches{};
  for (size_t bucket = 0; bucket < ScoreBuckets::COUNT; ++bucket) {
    const Span<const ScoreItem> items = attractive_->sorted(bucket, graph_);
    for (size_t i = 0; i < items.size; ++i) {
      if (i % 4096 == 0) cancellation_.check();
      look_ahead(items.data + i, items.size - i, i, searches);
      if (looked_at_ >= budget_ && !all_listed_) list_all_exclusions();
      visit(items[i]);
    }
  }
}

void GraphWatershed::label(Span<uint64_t> nodes, uint64_t* segments) {
  // Ids ascend, so the first node of a set that is met has its smallest id; `next` keeps it by root from here on.
  constexpr uint32_t NONE = ~uint32_t{0};
  for (uint32_t cluster = 0; cluster < contraction_.clusters; ++cluster) clusters_[cluster].next = NONE;
  for (uint32_t node = 0; node < nodes.size; ++node) {
    uint32_t& first = clusters_[find(contraction_.cluster_of[node])].next;
    if (first == NONE) first = node;
    segments[node] = nodes[first];
  }
}

}  // namespace

SearchCost graph_mutex_watershed(const FragmentGraph& graph, uint64_t* segments, const Cancellation& cancellation) {
  GraphWatershed watershed(graph, cancellation);
  watershed.run();
  watershed.label(graph.nodes, segments);
  return watershed.cost();
}

}  // namespace blockwright
