#include "kernels/scored_graph.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <unordered_map>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/id_index.h"
#include "core/radix_sort.h"

namespace blockwright {

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
  ends_ = large_array<EdgeEnds>(edges_);
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
    joins_.emplace_back(number(graph_.lut_fragments[i]), number(graph_.lut_segments[i]));
  }
  if (!joins_.empty()) joined_.assign(nodes_, false);
  for (const auto& [u, v] : joins_) joined_[u] = joined_[v] = true;
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
  keys_ = large_array<uint32_t>(items_);
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
    if (value < 0) keys_[id] |= REPULSIVE_SCORE;
  }
}

bool ScoredGraph::precedes(const ScoreItem& a, const ScoreItem& b) const {
  if (a.key != b.key) return a.key > b.key;
  const double x = std::fabs(score(a.id));
  const double y = std::fabs(score(b.id));
  if (x != y) return x > y;
  const uint32_t attribute_a = a.id / edges_;
  const uint32_t attribute_b = b.id / edges_;
  if (attribute_a != attribute_b) return attribute_a < attribute_b;
  const EdgeEnds& p = ends(a.id);
  const EdgeEnds& q = ends(b.id);
  if (p.u != q.u) return p.u < q.u;
  if (p.v != q.v) return p.v < q.v;
  return a.id < b.id;
}

std::vector<ScoreItem> ScoredGraph::sorted(std::vector<ScoreItem> items) const {
  uint32_t lowest = ~uint32_t{0};
  uint32_t highest = 0;
  for (const ScoreItem& item : items) {
    lowest = std::min(lowest, item.key);
    highest = std::max(highest, item.key);
  }
  if (items.empty()) return items;
  std::vector<ScoreItem> scratch(items.size());
  const ScoreItem* result = radix_sort(items.data(), scratch.data(), items.size(), uint32_t{0}, highest - lowest,
                                  [highest](const ScoreItem& item) { return highest - item.key; });
  if (result != items.data()) items.swap(scratch);
  for (size_t begin = 0, end; begin < items.size(); begin = end) {
    for (end = begin + 1; end < items.size() && items[end].key == items[begin].key;) ++end;
    if (end - begin > 1) {
      std::sort(items.begin() + begin, items.begin() + end, [this](const ScoreItem& a, const ScoreItem& b) { return precedes(a, b); });
    }
  }
  return items;
}

}  // namespace blockwright
