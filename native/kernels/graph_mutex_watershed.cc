#include "kernels/graph_mutex_watershed.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/exclusions.h"
#include "core/large_array.h"
#include "core/recent_pairs.h"
#include "core/workspace.h"
#include "kernels/graph_contraction.h"
#include "kernels/score_buckets.h"
#include "kernels/scored_graph.h"

namespace blockwright {

namespace {

// What contraction has left, one memory line for all that a visit needs.
struct Cluster {
  uint32_t size;       // of a root: the number of clusters and repulsive scores in its set
  uint32_t next;       // the clusters of a set are a ring
  uint32_t repulsion;  // of a root: the largest key of the repulsive scores of its set; else of the cluster at least
  uint32_t begin;      // of its repulsive scores; the next cluster's is their end
};

// A repulsive score as one of its ends sees it.
struct Repulsion {
  uint32_t key;
  uint32_t other;  // the cluster at the other end
};

// How many scores are looked at together.
constexpr size_t BATCH = 256;

struct Visit {
  ScoreItem item;
  EdgeEnds ends;
  uint32_t search = 0;  // where the row of repulsive scores is that it may begin with
};

using Visits = std::array<Visit, BATCH>;

class GraphWatershed {
 public:
  GraphWatershed(const FragmentGraph& graph, const Cancellation& cancellation);

  void run();
  void label(Span<uint64_t> nodes, uint64_t* segments);
  SearchCost cost() const { return {looked_at_, all_listed_}; }

 private:
  void join(uint32_t a, uint32_t b);
  bool list_scores();
  void visit(const ScoreItem& item, const EdgeEnds& ends);
  // Of two roots, whether the first has the set that is searched.
  bool smaller(uint32_t a, uint32_t b) const { return clusters_[a].size <= clusters_[b].size; }
  bool matters(const ScoreItem& repulsion, const EdgeEnds& ends) const {
    return (static_cast<uint32_t>(repulsion.key >= lowest_) & attracted_[ends.u] & attracted_[ends.v]) != 0;
  }
  uint32_t put_repulsion(uint32_t cluster, uint32_t key, uint32_t other) {
    const uint32_t at = --clusters_[cluster].begin;
    repulsions_[at] = {key, other};
    return at;
  }
  void list_ids();
  size_t choose(const ScoreItem* items, size_t count, const ScoreItem* end, Visits& visits) const;
  void look_ahead(Visits& visits, size_t count, size_t index) const;
  uint32_t first_between(uint32_t begin, uint32_t end, uint32_t to, uint32_t key) const;
  bool repelled(uint32_t start, uint32_t to, const ScoreItem& item);
  void list_all_exclusions();
  void exclude_before(const ScoreItem& item);

  static size_t room(const FragmentGraph& graph);

  Workspace memory_;
  ScoredGraph graph_;
  const Cancellation& cancellation_;
  uint64_t budget_;
  uint64_t looked_at_ = 0;
  Contraction contraction_;
  Cluster* clusters_;
  uint32_t* roots_;  // by cluster: the cluster that stands for its set
  std::optional<ScoreBuckets> attractive_;
  uint32_t lowest_ = ~uint32_t{0};   // key that attracts
  uint8_t* attracted_ = nullptr;     // by cluster: whether a score attracts it
  Repulsion* repulsions_ = nullptr;  // by cluster
  LargeArray<uint32_t> ids_;         // of their scores, once list_ids() was called
  RecentPairs known_;                // roots that are exclusive; most pairs of sets are asked for several times
  Exclusions exclusions_;
  bool all_listed_ = false;           // beyond the budget: exclusions_ holds all that precede the item of the visit
  std::vector<ScoreItem> repulsive_;  // those still to come, in their order, from `coming_` on
  size_t coming_ = 0;
};

GraphWatershed::GraphWatershed(const FragmentGraph& graph, const Cancellation& cancellation)
    : memory_(room(graph)),
      graph_(graph, memory_, cancellation),
      cancellation_(cancellation),
      budget_(graph.search_budget * (uint64_t{graph_.items()} + graph_.nodes())),
      contraction_(contract(graph_, memory_, cancellation)),
      clusters_(memory_.array<Cluster>(size_t{contraction_.clusters} + 1)),
      roots_(memory_.array<uint32_t>(contraction_.clusters)),
      known_(contraction_.clusters, memory_) {
  for_each_checked(size_t{contraction_.clusters} + 1, cancellation_,
                   [&](size_t i) { clusters_[i] = {1, static_cast<uint32_t>(i), 0, 0}; });
  for_each_checked(contraction_.clusters, cancellation_, [&](size_t i) { roots_[i] = static_cast<uint32_t>(i); });
}

// What is needed at most. Contraction takes less than what comes after it.
size_t GraphWatershed::room(const FragmentGraph& graph) {
  const size_t scored = ScoredGraph::room(graph);
  const size_t nodes = graph.nodes.size + 2 * graph.lut_fragments.size;
  const size_t scores = graph.edge_per_attribute ? graph.attributes.size() : 1;
  const size_t items = scores * graph.u.size;
  return scored + 2 * Workspace::room<uint32_t>(nodes) + Workspace::room<Cluster>(nodes + 1) + RecentPairs::room(nodes) +
         Workspace::room<uint8_t>(nodes) + Workspace::room<Repulsion>(2 * items + 1) + 4 * Workspace::room<uint64_t>(1);
}

// Joins the sets of two different roots. Every cluster of the smaller one is told at once: roots are asked for far more often than
// they change, and then no path has to be followed, of which the processor would guess the length wrong.
inline void GraphWatershed::join(uint32_t a, uint32_t b) {
  if (clusters_[a].size < clusters_[b].size) std::swap(a, b);
  Cluster& kept = clusters_[a];
  Cluster& gone = clusters_[b];
  uint32_t told = 0;
  uint32_t cluster = b;
  do {
    if (++told % 65536 == 0) cancellation_.check();
    roots_[cluster] = a;
    cluster = clusters_[cluster].next;
  } while (cluster != b);
  kept.size += gone.size;
  std::swap(kept.next, gone.next);
  kept.repulsion = std::max(kept.repulsion, gone.repulsion);
  exclusions_.join(a, b);
}

// Makes the lists of scores that can still matter; whether there is an attractive one. A repulsive score matters only if one that is
// attractive may come after it and if each of its ends has one that is.
bool GraphWatershed::list_scores() {
  attracted_ = memory_.array<uint8_t>(contraction_.clusters);
  std::fill_n(attracted_, contraction_.clusters, 0);
  const size_t count = graph_.count_attractive();
  if (count == 0) return false;
  const bool few = count <= ScoreBuckets::FEW;
  if (few) attractive_.emplace(count, memory_);
  uint32_t highest = 0;
  graph_.for_each_attractive([&](const ScoreItem& item, const EdgeEnds& ends) {
    lowest_ = std::min(lowest_, item.key);
    highest = std::max(highest, item.key);
    attracted_[ends.u] = attracted_[ends.v] = 1;
    if (few) attractive_->put(item);
  });
  if (!few) {
    attractive_.emplace(lowest_, highest, count);
    graph_.for_each_attractive([&](const ScoreItem& item, const EdgeEnds&) { attractive_->count(item.key); });
    attractive_->make_room(memory_);
    graph_.for_each_attractive([&](const ScoreItem& item, const EdgeEnds&) { attractive_->put(item); });
  }
  graph_.for_each_repulsive([&](const ScoreItem& item, const EdgeEnds& ends) {
    if (!matters(item, ends)) return;
    for (const uint32_t cluster : {ends.u, ends.v}) {
      ++clusters_[cluster].begin;
      clusters_[cluster].repulsion = std::max(clusters_[cluster].repulsion, item.key);
    }
  });
  uint32_t sum = 0;
  for_each_checked(size_t{contraction_.clusters} + 1, cancellation_, [&](size_t cluster) {
    const uint32_t degree = clusters_[cluster].begin;
    clusters_[cluster].size = 1 + degree;
    sum += degree;
    clusters_[cluster].begin = sum;
  });
  repulsions_ = memory_.array<Repulsion>(size_t{sum} + 1);
  repulsions_[sum] = {0, 0};  // look_ahead() may read it
  graph_.for_each_repulsive([&](const ScoreItem& item, const EdgeEnds& ends) {
    if (!matters(item, ends)) return;
    put_repulsion(ends.u, item.key, ends.v);
    put_repulsion(ends.v, item.key, ends.u);
  });
  return true;
}

// Makes the rows of repulsive scores once more, now with their ids: these are asked for where two keys are equal.
void GraphWatershed::list_ids() {
  for_each_checked(contraction_.clusters, cancellation_,
                   [&](size_t cluster) { clusters_[cluster].begin = clusters_[cluster + 1].begin; });
  ids_ = large_array<uint32_t>(clusters_[contraction_.clusters].begin);
  graph_.for_each_repulsive([&](const ScoreItem& item, const EdgeEnds& ends) {
    if (!matters(item, ends)) return;
    ids_[put_repulsion(ends.u, item.key, ends.v)] = item.id;
    ids_[put_repulsion(ends.v, item.key, ends.u)] = item.id;
  });
}

// The first of the repulsive scores [begin, end) of `key` at least whose other end is in the set with root `to`, or `end`.
inline uint32_t GraphWatershed::first_between(uint32_t begin, uint32_t end, uint32_t to, uint32_t key) const {
  for (uint32_t at = begin; at < end; ++at) {
    const Repulsion repulsion = repulsions_[at];
    if ((static_cast<uint32_t>(repulsion.key >= key) & static_cast<uint32_t>(roots_[repulsion.other] == to)) != 0) return at;
  }
  return end;
}

// Whether a repulsive score that precedes `item` joins the set of cluster `start` and the one with root `to`.
bool GraphWatershed::repelled(uint32_t start, uint32_t to, const ScoreItem& item) {
  // A search that was not long is made again once `known_` has forgotten it: to keep its result up to date costs more.
  constexpr uint64_t SHORT = 512;
  constexpr uint32_t CHECKED = 65536;
  const uint64_t before = looked_at_;
  const auto look_at = [this](uint32_t count) {  // there may be many searches between two checks
    if (looked_at_ % CHECKED + count >= CHECKED) cancellation_.check();
    looked_at_ += count;
  };
  uint32_t cluster = start;
  bool found = false;
  do {
    uint32_t at = clusters_[cluster].begin;
    const uint32_t end = clusters_[cluster].repulsion >= item.key ? clusters_[cluster + 1].begin : at;
    look_at(1);
    while (at < end && !found) {
      const uint32_t stop = std::min(end, at + CHECKED);
      const uint32_t next = first_between(at, stop, to, item.key);
      look_at(next - at);
      at = next;
      if (at == stop) continue;
      found = true;
      if (repulsions_[at].key != item.key) continue;
      if (ids_ == nullptr) list_ids();
      found = graph_.precedes({item.key, ids_[at]}, item);
      ++at;
    }
    cluster = clusters_[cluster].next;
  } while (cluster != start && !found);
  if (!found) return false;
  known_.add(roots_[start], to);
  if (looked_at_ - before > SHORT) exclusions_.add(roots_[start], to);
  return true;
}

inline void GraphWatershed::visit(const ScoreItem& item, const EdgeEnds& ends) {
  const uint32_t a = roots_[ends.u];
  const uint32_t b = roots_[ends.v];
  if (a == b || known_.contains(a, b)) return;
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
  repulsive_.reserve(clusters_[contraction_.clusters].begin / 2);  // each is in two rows
  for_each_checked(contraction_.clusters, cancellation_, [&](size_t cluster) {
    for (uint32_t at = clusters_[cluster].begin; at < clusters_[cluster + 1].begin; ++at) {
      if (cluster < repulsions_[at].other) repulsive_.push_back({repulsions_[at].key, ids_[at]});
    }
  });
  std::vector<ScoreItem> scratch(repulsive_.size());
  graph_.sort(repulsive_.data(), scratch.data(), repulsive_.size());
  all_listed_ = true;
}

void GraphWatershed::exclude_before(const ScoreItem& item) {
  for (; coming_ < repulsive_.size() && graph_.precedes(repulsive_[coming_], item); ++coming_) {
    if (coming_ % 4096 == 0) cancellation_.check();
    const EdgeEnds ends = graph_.ends(repulsive_[coming_].id);
    const uint32_t a = roots_[ends.u];
    const uint32_t b = roots_[ends.v];
    if (a != b) exclusions_.add(a, b);
  }
}

// Of the next scores those that are worth a visit: most others are of one set by now, or of two that are known to be exclusive, and stay
// so. Which they are the processor guesses wrong every second time, so they are sorted out without a branch.
inline size_t GraphWatershed::choose(const ScoreItem* items, size_t count, const ScoreItem* end, Visits& visits) const {
  EdgeEnds ends[BATCH];
  const size_t left = static_cast<size_t>(end - items);
  for (size_t i = 0; i < count; ++i) {
    if (BATCH + i < left) graph_.prefetch(items[BATCH + i].id);
    ends[i] = graph_.ends(items[i].id);
  }
  size_t chosen = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t a = roots_[ends[i].u];
    const uint32_t b = roots_[ends[i].v];
    visits[chosen] = {items[i], ends[i]};
    chosen += static_cast<size_t>(a != b) & static_cast<size_t>(!known_.contains(a, b));
  }
  return chosen;
}

// Asks for the memory that the next visits read, each step for what the step before it has brought: the processor would wait for
// most of it otherwise.
inline void GraphWatershed::look_ahead(Visits& visits, size_t count, size_t index) const {
  constexpr size_t CLUSTERS = 16, ROWS = 10, OTHERS = 4;
  if (index + CLUSTERS < count) {
    const EdgeEnds ends = visits[index + CLUSTERS].ends;
    __builtin_prefetch(&clusters_[roots_[ends.u]]);
    __builtin_prefetch(&clusters_[roots_[ends.v]]);
    __builtin_prefetch(&clusters_[ends.u]);
    __builtin_prefetch(&clusters_[ends.v]);
  }
  if (index + ROWS < count) {
    Visit& visit = visits[index + ROWS];
    const uint32_t start = smaller(roots_[visit.ends.u], roots_[visit.ends.v]) ? visit.ends.u : visit.ends.v;
    visit.search = clusters_[start].begin;
    __builtin_prefetch(&repulsions_[visit.search]);
  }
  if (index + OTHERS < count) __builtin_prefetch(&roots_[repulsions_[visits[index + OTHERS].search].other]);
}

void GraphWatershed::run() {
  if (!list_scores()) return;
  Visits visits;
  for (size_t bucket = 0; bucket < ScoreBuckets::COUNT; ++bucket) {
    const Span<const ScoreItem> items = attractive_->sorted(bucket, graph_);
    for (size_t begin = 0; begin < items.size; begin += BATCH) {
      cancellation_.check();
      const size_t count = choose(items.data + begin, std::min(BATCH, items.size - begin), items.end(), visits);
      for (size_t i = 0; i < count; ++i) {
        look_ahead(visits, count, i);
        if (looked_at_ >= budget_ && !all_listed_) list_all_exclusions();
        visit(visits[i].item, visits[i].ends);
      }
    }
  }
}

void GraphWatershed::label(Span<uint64_t> nodes, uint64_t* segments) {
  // Ids ascend, so the first node of a set that is met has its smallest id; `next` keeps it by root from here on.
  constexpr uint32_t NONE = ~uint32_t{0};
  for_each_checked(contraction_.clusters, cancellation_, [&](size_t cluster) { clusters_[cluster].next = NONE; });
  for_each_checked(nodes.size, cancellation_, [&](size_t node) {
    uint32_t& first = clusters_[roots_[contraction_.cluster_of[node]]].next;
    if (first == NONE) first = static_cast<uint32_t>(node);
    segments[node] = nodes[first];
  });
}

}  // namespace

SearchCost graph_mutex_watershed(const FragmentGraph& graph, uint64_t* segments, const Cancellation& cancellation) {
  GraphWatershed watershed(graph, cancellation);
  watershed.run();
  watershed.label(graph.nodes, segments);
  return watershed.cost();
}

}  // namespace blockwright
