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

// A repulsive score as one of its ends sees it.
struct Repulsion {
  uint32_t key;
  uint32_t other;  // the cluster at the other end
};

// Where the rows of repulsive scores are that searches will begin with.
using Searches = std::array<uint32_t, 32>;

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
  bool matters(const ScoreItem& repulsion, const EdgeEnds& ends) const {
    return (static_cast<uint32_t>(repulsion.key >= lowest_) & attracted_[ends.u] & attracted_[ends.v]) != 0;
  }
  uint32_t put_repulsion(uint32_t cluster, uint32_t key, uint32_t other) {
    const uint32_t at = --clusters_[cluster].begin;
    repulsions_[at] = {key, other};
    return at;
  }
  void list_ids();
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
  uint32_t lowest_ = ~uint32_t{0};      // key that attracts
  LargeArray<uint8_t> attracted_;       // by cluster: whether a score attracts it
  LargeArray<Repulsion> repulsions_;    // by cluster
  LargeArray<uint32_t> ids_;            // of their scores, once list_ids() was called
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
  attracted_ = large_array<uint8_t>(contraction_.clusters);
  std::fill_n(attracted_.get(), contraction_.clusters, 0);
  uint32_t highest = 0;
  uint32_t count = 0;
  const auto ignore = [](const ScoreItem&, const EdgeEnds&) {};
  graph_.for_each_score(
      [&](const ScoreItem& item, const EdgeEnds& ends) {
        lowest_ = std::min(lowest_, item.key);
        highest = std::max(highest, item.key);
        ++count;
        attracted_[ends.u] = attracted_[ends.v] = 1;
      },
      ignore);
  if (count == 0) return false;
  attractive_.emplace(lowest_, highest, count);
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
    const uint32_t degree = clusters_[cluster].begin;
    clusters_[cluster].parent = -1 - static_cast<int32_t>(degree);
    sum += degree;
    clusters_[cluster].begin = sum;
  }
  repulsions_ = large_array<Repulsion>(size_t{sum} + 1);
  repulsions_[sum] = {0, 0};  // look_ahead() may read it
  graph_.for_each_score([&](const ScoreItem& item, const EdgeEnds&) { attractive_->put(item); },
                        [&](const ScoreItem& item, const EdgeEnds& ends) {
                          if (!matters(item, ends)) return;
                          put_repulsion(ends.u, item.key, ends.v);
                          put_repulsion(ends.v, item.key, ends.u);
                        });
  return true;
}

// Makes the rows of repulsive scores once more, now with their ids: these are asked for where two keys are equal.
void GraphWatershed::list_ids() {
  for (uint32_t cluster = 0; cluster < contraction_.clusters; ++cluster) clusters_[cluster].begin = clusters_[cluster + 1].begin;
  ids_ = large_array<uint32_t>(clusters_[contraction_.clusters].begin);
  graph_.for_each_score([](const ScoreItem&, const EdgeEnds&) {},
                        [&](const ScoreItem& item, const EdgeEnds& ends) {
                          if (!matters(item, ends)) return;
                          ids_[put_repulsion(ends.u, item.key, ends.v)] = item.id;
                          ids_[put_repulsion(ends.v, item.key, ends.u)] = item.id;
                        });
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
        const Repulsion repulsion = repulsions_[at];
        if (repulsion.key < item.key || find(repulsion.other) != to) continue;
        if (repulsion.key == item.key) {
          if (ids_ == nullptr) {
            list_ids();
            at = begin - 1;  // the row has its first order again
            continue;
          }
          if (!graph_.precedes({repulsion.key, ids_[at]}, item)) continue;
        }
        found = true;  // and likely to be asked for again
        std::swap(repulsions_[at], repulsions_[begin]);
        if (ids_ != nullptr) std::swap(ids_[at], ids_[begin]);
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
  if (ids_ == nullptr) list_ids();
  for (uint32_t cluster = 0; cluster < contraction_.clusters; ++cluster) {
    for (uint32_t at = clusters_[cluster].begin; at < clusters_[cluster + 1].begin; ++at) {
      if (cluster < repulsions_[at].other) repulsive_.push_back({repulsions_[at].key, ids_[at]});
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
  constexpr size_t ENDS = 40, CLUSTERS = 28, ROWS = 16, OTHERS = 6;
  if (ENDS < count) graph_.prefetch(items[ENDS].id);
  if (CLUSTERS < count) {
    const EdgeEnds ends = graph_.ends(items[CLUSTERS].id);
    __builtin_prefetch(&clusters_[ends.u]);
    __builtin_prefetch(&clusters_[ends.v]);
  }
  if (ROWS < count) {
    const EdgeEnds ends = graph_.ends(items[ROWS].id);
    const uint32_t start = smaller(find(ends.u), find(ends.v)) ? ends.u : ends.v;
    searches[(index + ROWS) % searches.size()] = clusters_[start].begin;
    __builtin_prefetch(&repulsions_[clusters_[start].begin]);
  }
  if (index < ROWS || OTHERS >= count) return;
  __builtin_prefetch(&clusters_[repulsions_[searches[(index + OTHERS) % searches.size()]].other]);
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
