#include "kernels/graph_mutex_watershed.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/disjoint_sets.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/exclusions.h"
#include "core/id_index.h"
#include "core/radix_sort.h"

namespace blockwright {

namespace {

constexpr uint32_t REPULSIVE = 0x80000000;

// One score of one edge. The key is float32(|score|) as an integer: it orders scores unless they are nearly equal.
struct Item {
  uint32_t key;
  uint32_t id;  // attribute * edges + edge
};

struct Ends {
  uint32_t u, v;  // numbers of nodes, u < v unless the edge is a loop
};

// The graph with its nodes numbered 0, 1, ... in the order of their ids, and all that orders its scores.
class ScoredGraph {
 public:
  ScoredGraph(const FragmentGraph& graph, const Cancellation& cancellation);

  uint32_t nodes() const { return nodes_; }
  uint32_t items() const { return items_; }
  const std::vector<std::pair<uint32_t, uint32_t>>& joined() const { return joined_; }
  const Ends& ends(uint32_t id) const { return ends_[id % edges_]; }
  // float32(|score|) as an integer, with REPULSIVE; 0 = no such score, or one of exactly 0, which precedes no attractive one.
  uint32_t key(uint32_t id) const { return keys_[id]; }
  bool precedes(const Item& a, const Item& b) const;
  std::vector<Item> sorted(std::vector<Item> items) const;
  void prefetch(uint32_t id) const { __builtin_prefetch(&ends_[id % edges_]); }

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
  std::vector<std::pair<uint32_t, uint32_t>> joined_;  // by the starting LUT
  std::unique_ptr<Ends[]> ends_;
  std::unique_ptr<uint32_t[]> keys_;
};

ScoredGraph::ScoredGraph(const FragmentGraph& graph, const Cancellation& cancellation)
    : graph_(graph), cancellation_(cancellation) {
  const size_t scores = graph.edge_per_attribute ? graph.attributes.size() : 1;
  size_t items = 0;
  if (__builtin_mul_overflow(scores, graph.u.size, &items) || items >= (size_t{1} << 29) ||
      graph.u.size >= (size_t{1} << 29) || graph.nodes.size + graph.lut_fragments.size >= (size_t{1} << 29)) {
    throw Error(ERR_LIMIT, "edges: expected fewer than 2^29 nodes and scores, found " + std::to_string(graph.nodes.size) +
                               " nodes, " + std::to_string(graph.u.size) + " edges, " + std::to_string(scores) + " scores each");
  }
  edges_ = static_cast<uint32_t>(graph.u.size);
  items_ = static_cast<uint32_t>(items);
  number_nodes();
  compute_keys();
}

void ScoredGraph::number_nodes() {
  const Span<uint64_t> nodes = graph_.nodes;
  for (size_t i = 1; i < nodes.size; ++i) {
    if (nodes[i - 1] >= nodes[i]) {
      throw Error(ERR_ARGUMENT, "nodes: expected ascending, unique ids, found " + std::to_string(nodes[i]) + " after " +
                                    std::to_string(nodes[i - 1]) + " at " + std::to_string(i));
    }
  }
  const IdIndex index(nodes);
  ends_.reset(new Ends[edges_]);
  for (uint32_t edge = 0; edge < edges_; ++edge) {
    if (edge % 65536 == 0) cancellation_.check();
    const size_t u = index.find(graph_.u[edge]);
    const size_t v = index.find(graph_.v[edge]);
    if (u == IdIndex::NONE || v == IdIndex::NONE) {
      throw Error(ERR_ARGUMENT, "edges: expected ids of nodes, found " +
                                    std::to_string(u == IdIndex::NONE ? graph_.u[edge] : graph_.v[edge]) + " in edge " +
                                    std::to_string(edge) + ", which is no node");
    }
    ends_[edge] = {static_cast<uint32_t>(std::min(u, v)), static_cast<uint32_t>(std::max(u, v))};
  }
  // The LUT may name fragments and segments that are no nodes here; they get numbers after the nodes.
  std::unordered_map<uint64_t, uint32_t> others;
  nodes_ = static_cast<uint32_t>(nodes.size);
  const auto number = [&](uint64_t id) {
    const size_t found = index.find(id);
    if (found != IdIndex::NONE) return static_cast<uint32_t>(found);
    const auto [entry, fresh] = others.emplace(id, nodes_);
    nodes_ += fresh;
    return entry->second;
  };
  for (size_t i = 0; i < graph_.lut_fragments.size; ++i) {
    joined_.emplace_back(number(graph_.lut_fragments[i]), number(graph_.lut_segments[i]));
  }
}

double ScoredGraph::term(const EdgeAttribute& attribute, uint32_t edge) const {
  const double count = attribute.counts[edge];
  const double mean = attribute.sums[edge] * attribute.scale / count;
  return (attribute.weight * mean + attribute.bias) * (count / (count + graph_.pseudo_count));
}

double ScoredGraph::score(uint32_t id) const {
  if (graph_.edge_per_attribute) return term(graph_.attributes[id / edges_], id % edges_);
  double sum = 0;
  for (const EdgeAttribute& attribute : graph_.attributes) {
    if (attribute.counts[id] != 0) sum += term(attribute, id);
  }
  return sum;
}

void ScoredGraph::compute_keys() {
  keys_.reset(new uint32_t[items_]);
  for (uint32_t id = 0; id < items_; ++id) {
    if (id % 65536 == 0) cancellation_.check();
    if (graph_.edge_per_attribute && graph_.attributes[id / edges_].counts[id % edges_] == 0) {
      keys_[id] = 0;
      continue;
    }
    const double value = score(id);
    if (std::isnan(value)) {
      const uint32_t edge = id % edges_;
      const std::string name = graph_.edge_per_attribute ? graph_.attributes[id / edges_].name : "all attributes";
      throw Error(ERR_NOT_A_NUMBER, "score of edge " + std::to_string(edge) + " (" + std::to_string(graph_.u[edge]) + ", " +
                                        std::to_string(graph_.v[edge]) + "), " + name + ": NaN");
    }
    const float magnitude = static_cast<float>(std::fabs(value));
    std::memcpy(&keys_[id], &magnitude, sizeof magnitude);
    // A score that float32 rounds to 0 keeps the smallest key.
    if (value != 0 && keys_[id] == 0) keys_[id] = 1;
    if (value < 0) keys_[id] |= REPULSIVE;
  }
}

bool ScoredGraph::precedes(const Item& a, const Item& b) const {
  if (a.key != b.key) return a.key > b.key;
  const double x = std::fabs(score(a.id));
  const double y = std::fabs(score(b.id));
  if (x != y) return x > y;
  const uint32_t attribute_a = a.id / edges_;
  const uint32_t attribute_b = b.id / edges_;
  if (attribute_a != attribute_b) return attribute_a < attribute_b;
  const Ends& p = ends(a.id);
  const Ends& q = ends(b.id);
  if (p.u != q.u) return p.u < q.u;
  if (p.v != q.v) return p.v < q.v;
  return a.id < b.id;
}

std::vector<Item> ScoredGraph::sorted(std::vector<Item> items) const {
  uint32_t lowest = ~uint32_t{0};
  uint32_t highest = 0;
  for (const Item& item : items) {
    lowest = std::min(lowest, item.key);
    highest = std::max(highest, item.key);
  }
  if (items.empty()) return items;
  std::vector<Item> scratch(items.size());
  const Item* result = radix_sort(items.data(), scratch.data(), items.size(), uint32_t{0}, highest - lowest,
                                  [highest](const Item& item) { return highest - item.key; });
  if (result != items.data()) items.swap(scratch);
  for (size_t begin = 0, end; begin < items.size(); begin = end) {
    for (end = begin + 1; end < items.size() && items[end].key == items[begin].key;) ++end;
    if (end - begin > 1) {
      std::sort(items.begin() + begin, items.begin() + end, [this](const Item& a, const Item& b) { return precedes(a, b); });
    }
  }
  return items;
}

class GraphWatershed {
 public:
  GraphWatershed(const ScoredGraph& graph, const Cancellation& cancellation);

  void run();
  void label(Span<uint64_t> nodes, uint64_t* segments);

 private:
  void list_repulsion();
  uint32_t join(uint32_t a, uint32_t b);
  bool repelled(uint32_t start, uint32_t to, const Item& item);
  void run_with_all_exclusions(const Item* begin, const Item* end);

  const ScoredGraph& graph_;
  const Cancellation& cancellation_;
  DisjointSets clusters_;           // sizes are the numbers of nodes and of repulsive scores at them
  std::vector<uint32_t> next_;       // the nodes of a cluster as a ring
  std::vector<uint32_t> repulsion_;  // the largest key of the repulsive scores of a node at least; of a root of its cluster
  std::vector<uint32_t> begin_;      // of each node in adjacent_
  std::unique_ptr<Item[]> adjacent_;
  Exclusions exclusions_;
  uint64_t work_ = 0;
};

GraphWatershed::GraphWatershed(const ScoredGraph& graph, const Cancellation& cancellation)
    : graph_(graph), cancellation_(cancellation), clusters_(graph.nodes()), next_(graph.nodes()), repulsion_(graph.nodes(), 0) {
  for (uint32_t i = 0; i < graph_.nodes(); ++i) next_[i] = i;
}

void GraphWatershed::list_repulsion() {
  begin_.assign(size_t{graph_.nodes()} + 1, 0);
  const auto for_each_end = [this](const auto& visit) {
    for (uint32_t id = 0; id < graph_.items(); ++id) {
      if (id % 65536 == 0) cancellation_.check();
      const uint32_t key = graph_.key(id);
      if ((key & REPULSIVE) == 0) continue;
      const Ends ends = graph_.ends(id);
      if (ends.u == ends.v) continue;
      visit(ends.u, Item{key & ~REPULSIVE, id});
      visit(ends.v, Item{key & ~REPULSIVE, id});
    }
  };
  for_each_end([this](uint32_t node, const Item& item) {
    ++begin_[node];
    repulsion_[node] = std::max(repulsion_[node], item.key);
  });
  uint32_t sum = 0;
  for (uint32_t node = 0; node < graph_.nodes(); ++node) {
    clusters_.set_size(node, 1 + begin_[node]);
    sum += begin_[node];
    begin_[node] = sum;
  }
  begin_[graph_.nodes()] = sum;
  adjacent_.reset(new Item[sum]);
  for_each_end([this](uint32_t node, const Item& item) { adjacent_[--begin_[node]] = item; });
}

uint32_t GraphWatershed::join(uint32_t a, uint32_t b) {
  const uint32_t kept = clusters_.join(a, b);
  const uint32_t gone = kept == a ? b : a;
  std::swap(next_[a], next_[b]);
  repulsion_[kept] = std::max(repulsion_[kept], repulsion_[gone]);
  exclusions_.join(kept, gone);
  return kept;
}

// Whether a repulsive score that precedes `item` joins the cluster of node `start` and the one with root `to`.
bool GraphWatershed::repelled(uint32_t start, uint32_t to, const Item& item) {
  uint32_t node = start;
  do {
    ++work_;
    if (repulsion_[node] >= item.key) {
      const Item* const end = adjacent_.get() + begin_[node + 1];
      work_ += begin_[node + 1] - begin_[node];
      for (const Item* at = adjacent_.get() + begin_[node]; at < end; ++at) {
        if (at->key < item.key || (at->key == item.key && !graph_.precedes(*at, item))) continue;
        const Ends ends = graph_.ends(at->id);
        if (clusters_.find(ends.u == node ? ends.v : ends.u) == to) return true;
      }
    }
    node = next_[node];
  } while (node != start);
  return false;
}

void GraphWatershed::run() {
  list_repulsion();
  for (const auto& [u, v] : graph_.joined()) {
    const uint32_t a = clusters_.find(u);
    const uint32_t b = clusters_.find(v);
    if (a != b) join(a, b);
  }
  std::vector<Item> attractive;
  for (uint32_t id = 0; id < graph_.items(); ++id) {
    const uint32_t key = graph_.key(id);
    if (key != 0 && (key & REPULSIVE) == 0) attractive.push_back({key, id});
  }
  attractive = graph_.sorted(std::move(attractive));
  // Beyond this much looking for repulsive scores it is cheaper to enter all of them.
  const uint64_t budget = 32 * (uint64_t{graph_.items()} + graph_.nodes());
  const Item* const end = attractive.data() + attractive.size();
  for (const Item* item = attractive.data(); item < end; ++item) {
    if ((item - attractive.data()) % 4096 == 0) cancellation_.check();
    if (item + 16 < end) graph_.prefetch(item[16].id);
    if (item + 8 < end) {
      const Ends ahead = graph_.ends(item[8].id);
      clusters_.prefetch(ahead.u);
      clusters_.prefetch(ahead.v);
    }
    const Ends ends = graph_.ends(item->id);
    const uint32_t a = clusters_.find(ends.u);
    const uint32_t b = clusters_.find(ends.v);
    if (a == b) continue;
    if (repulsion_[a] >= item->key && repulsion_[b] >= item->key) {
      if (exclusions_.contains(a, b)) continue;
      if (work_ > budget) return run_with_all_exclusions(item, end);
      const bool from_u = clusters_.size(a) <= clusters_.size(b);
      if (from_u ? repelled(ends.u, b, *item) : repelled(ends.v, a, *item)) {
        exclusions_.add(a, b);
        continue;
      }
    }
    join(a, b);
  }
}

void GraphWatershed::run_with_all_exclusions(const Item* begin, const Item* end) {
  std::vector<Item> repulsive;
  for (uint32_t id = 0; id < graph_.items(); ++id) {
    const uint32_t key = graph_.key(id);
    if ((key & REPULSIVE) != 0) repulsive.push_back({key & ~REPULSIVE, id});
  }
  repulsive = graph_.sorted(std::move(repulsive));
  const Item* repulsion = repulsive.data();
  const Item* const last = repulsion + repulsive.size();
  for (const Item* item = begin; item < end; ++item) {
    if ((item - begin) % 1024 == 0) cancellation_.check();
    for (; repulsion < last && graph_.precedes(*repulsion, *item); ++repulsion) {
      if ((last - repulsion) % 4096 == 0) cancellation_.check();
      const Ends ends = graph_.ends(repulsion->id);
      const uint32_t a = clusters_.find(ends.u);
      const uint32_t b = clusters_.find(ends.v);
      if (a != b) exclusions_.add(a, b);
    }
    const Ends ends = graph_.ends(item->id);
    const uint32_t a = clusters_.find(ends.u);
    const uint32_t b = clusters_.find(ends.v);
    if (a != b && !exclusions_.contains(a, b)) join(a, b);
  }
}

void GraphWatershed::label(Span<uint64_t> nodes, uint64_t* segments) {
  // Ids ascend, so the first node of a cluster that is met has its smallest id; next_ keeps it by root from here on.
  constexpr uint32_t NONE = ~uint32_t{0};
  std::fill(next_.begin(), next_.end(), NONE);
  for (uint32_t node = 0; node < nodes.size; ++node) {
    uint32_t& first = next_[clusters_.find(node)];
    if (first == NONE) first = node;
    segments[node] = nodes[first];
  }
}

}  // namespace

void graph_mutex_watershed(const FragmentGraph& graph, uint64_t* segments, const Cancellation& cancellation) {
  const ScoredGraph scored(graph, cancellation);
  GraphWatershed watershed(scored, cancellation);
  watershed.run();
  watershed.label(graph.nodes, segments);
}

}  // namespace blockwright
