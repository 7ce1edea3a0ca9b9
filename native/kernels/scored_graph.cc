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
#include "core/target_clones.h"

namespace blockwright {

size_t ScoredGraph::room(const FragmentGraph& graph) {
  const size_t scores = scores_of(graph);
  size_t items = 0;
  if (__builtin_mul_overflow(scores, graph.u.size, &items) || items >= (size_t{1} << 29) ||
      graph.u.size >= (size_t{1} << 29) || graph.nodes.size + graph.lut_fragments.size >= (size_t{1} << 29)) {
    throw Error(ERR_LIMIT, "edges: expected fewer than 2^29 nodes, with the rows of the starting LUT, and scores, found " +
                               std::to_string(graph.nodes.size) + " nodes, " + std::to_string(graph.lut_fragments.size) + " rows, " +
                               std::to_string(graph.u.size) + " edges, " + std::to_string(scores) + " scores each");
  }
  return Workspace::room<EdgeEnds>(graph.u.size) + Workspace::room<uint32_t>(items) + 2 * Workspace::room<uint64_t>(words_of(graph));
}

ScoredGraph::ScoredGraph(const FragmentGraph& graph, Workspace& memory, const Cancellation& cancellation)
    : graph_(graph),
      cancellation_(cancellation),
      edges_(static_cast<uint32_t>(graph.u.size)),
      scores_(static_cast<uint32_t>(scores_of(graph))),
      ends_(memory.array<EdgeEnds>(edges_)),
      keys_(memory.array<uint32_t>(items())),
      attractive_(memory.array<uint64_t>(words_of(graph))),
      repulsive_(memory.array<uint64_t>(words_of(graph))) {
  while ((uint32_t{1} << shift_) < scores_) ++shift_;
  number_nodes();
  compute_keys();
  mark_scores();
}

void ScoredGraph::number_nodes() {
  const Span<uint64_t> nodes = graph_.nodes;
  for_each_checked(nodes.empty() ? 0 : nodes.size - 1, cancellation_, [&](size_t i) {
    if (nodes[i] >= nodes[i + 1]) {
      throw Error(ERR_ARGUMENT, "nodes: expected ascending, unique ids, found " + std::to_string(nodes[i + 1]) + " after " +
                                    std::to_string(nodes[i]) + " at " + std::to_string(i + 1));
    }
  });
  const IdIndex index(nodes, cancellation_);
  const uint64_t* const us = graph_.u.data;
  const uint64_t* const vs = graph_.v.data;
  for (uint32_t edge = 0; edge < edges_; ++edge) {
    if (edge % 65536 == 0) cancellation_.check();
    const size_t u = index.find(us[edge]);
    const size_t v = index.find(vs[edge]);
    if (u == IdIndex::NONE || v == IdIndex::NONE) {
      throw Error(ERR_ARGUMENT, "edges: expected ids of nodes, found " +
                                    std::to_string(u == IdIndex::NONE ? graph_.u[edge] : graph_.v[edge]) + " in edge " +
                                    std::to_string(edge) + ", which is no node");
    }
    ends_[edge] = {static_cast<uint32_t>(u), static_cast<uint32_t>(v)};
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
  joins_.reserve(graph_.lut_fragments.size);
  for_each_checked(graph_.lut_fragments.size, cancellation_, [&](size_t i) {
    joins_.emplace_back(number(graph_.lut_fragments[i]), number(graph_.lut_segments[i]));
  });
}

double ScoredGraph::term(const EdgeAttribute& attribute, uint32_t edge) const {
  const double count = attribute.counts[edge];
  const double mean = attribute.sums[edge] * attribute.scale / count;
  return (attribute.weight * mean + attribute.bias) * (count / (count + graph_.pseudo_count));
}

double ScoredGraph::score(uint32_t attribute, uint32_t edge) const {
  if (graph_.edge_per_attribute) return term(graph_.attributes[attribute], edge);
  double sum = 0;
  for (const EdgeAttribute& each : graph_.attributes) {
    if (each.counts[edge] != 0) sum += term(each, edge);
  }
  return sum;
}

namespace {

// float32(|score|) as an integer, with REPULSIVE_SCORE; 0 where there is no score, or one of exactly 0.
inline uint32_t key_of(double score, bool present) {
  const float magnitude = static_cast<float>(std::fabs(score));
  uint32_t key;
  std::memcpy(&key, &magnitude, sizeof key);
  key |= static_cast<uint32_t>(key == 0 && score != 0);  // a score that float32 rounds to 0 keeps the smallest key
  key |= score < 0 ? REPULSIVE_SCORE : 0;
  return present ? key : 0;
}

// Keys of the scores of one attribute; whether one is NaN.
BLOCKWRIGHT_TARGET_CLONES
bool keys_of_attribute(const double* sums, const double* counts, size_t count, double scale, double weight, double bias,
                       double pseudo_count, uint32_t* keys) {
  uint32_t nan = 0;
  for (size_t i = 0; i < count; ++i) {
    const double n = counts[i];
    const double mean = sums[i] * scale / n;
    const double score = (weight * mean + bias) * (n / (n + pseudo_count));
    nan |= static_cast<uint32_t>(n != 0) & static_cast<uint32_t>(score != score);
    keys[i] = key_of(score, n != 0);
  }
  return nan != 0;
}

}  // namespace

void ScoredGraph::compute_keys() {
  constexpr uint32_t PIECE = 16384;
  uint32_t* keys = keys_;
  for (uint32_t attribute = 0; attribute < scores_; ++attribute, keys += edges_) {
    for (uint32_t begin = 0; begin < edges_; begin += PIECE) {
      cancellation_.check();
      const uint32_t end = std::min(edges_, begin + PIECE);
      bool nan = false;
      if (graph_.edge_per_attribute) {
        const EdgeAttribute& given = graph_.attributes[attribute];
        nan = keys_of_attribute(given.sums.data + begin, given.counts.data + begin, end - begin, given.scale, given.weight,
                                given.bias, graph_.pseudo_count, keys + begin);
      } else {
        for (uint32_t edge = begin; edge < end; ++edge) {
          const double sum = score(attribute, edge);
          nan = nan || std::isnan(sum);
          keys[edge] = key_of(sum, true);
        }
      }
      for (uint32_t edge = begin; nan && edge < end; ++edge) {
        const bool present = !graph_.edge_per_attribute || graph_.attributes[attribute].counts[edge] != 0;
        if (present && std::isnan(score(attribute, edge))) throw_not_a_number(attribute, edge);
      }
    }
  }
}

void ScoredGraph::throw_not_a_number(uint32_t attribute, uint32_t edge) const {
  const std::string name = graph_.edge_per_attribute ? graph_.attributes[attribute].name : "all attributes";
  throw Error(ERR_NOT_A_NUMBER, "score of edge " + std::to_string(edge) + " (" + std::to_string(graph_.u[edge]) + ", " +
                                    std::to_string(graph_.v[edge]) + "), " + name + ": NaN");
}

void ScoredGraph::renumber(const uint32_t* clusters) {
  for (uint32_t edge = 0; edge < edges_; ++edge) {
    if (edge % 65536 == 0) cancellation_.check();
    ends_[edge] = {clusters[ends_[edge].u], clusters[ends_[edge].v]};
  }
  mark_scores();
}

namespace {

// Bit i of words: whether values[i] is 1; others are 0. There are 64 values a word.
void pack_bits(const uint8_t* values, size_t words, uint64_t* packed) {
  for (size_t word = 0; word < words; ++word) {
    uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) {
      uint64_t eight;
      std::memcpy(&eight, values + 64 * word + 8 * i, sizeof eight);
      bits |= (eight * 0x0102040810204080 >> 56) << (8 * i);
    }
    packed[word] = bits;
  }
}

// Whether each score counts, and whether it repels.
BLOCKWRIGHT_TARGET_CLONES
void mark(const uint32_t* keys, const EdgeEnds* ends, size_t count, uint8_t* counts, uint8_t* repels) {
  for (size_t i = 0; i < count; ++i) {
    counts[i] = static_cast<uint8_t>(keys[i] != 0) & static_cast<uint8_t>(ends[i].u != ends[i].v);
    repels[i] = static_cast<uint8_t>(keys[i] >> 31);
  }
}

}  // namespace

void ScoredGraph::mark_scores() {
  constexpr uint32_t PIECE = 4096;
  constexpr size_t WORDS = PIECE / 64;
  uint8_t counts[PIECE], repels[PIECE];
  uint64_t counting[WORDS], repelling[WORDS];
  const uint32_t* keys = keys_;
  size_t word = 0;
  for (uint32_t attribute = 0; attribute < scores_; ++attribute, keys += edges_) {
    for (uint32_t begin = 0; begin < edges_; begin += PIECE) {
      cancellation_.check();
      const uint32_t count = std::min(PIECE, edges_ - begin);
      const size_t words = (count + 63) / 64;
      mark(keys + begin, ends_ + begin, count, counts, repels);
      std::fill(counts + count, counts + 64 * words, uint8_t{0});
      std::fill(repels + count, repels + 64 * words, uint8_t{0});
      pack_bits(counts, words, counting);
      pack_bits(repels, words, repelling);
      for (size_t i = 0; i < words; ++i, ++word) {
        attractive_[word] = counting[i] & ~repelling[i];
        repulsive_[word] = counting[i] & repelling[i];
      }
    }
  }
}

bool ScoredGraph::precedes(const ScoreItem& a, const ScoreItem& b) const {
  if (a.key != b.key) return a.key > b.key;
  const double x = std::fabs(score(attribute_of(a.id), edge_of(a.id)));
  const double y = std::fabs(score(attribute_of(b.id), edge_of(b.id)));
  if (x != y) return x > y;
  if (attribute_of(a.id) != attribute_of(b.id)) return attribute_of(a.id) < attribute_of(b.id);
  const auto ids = [this](uint32_t id) { return std::minmax(graph_.u[edge_of(id)], graph_.v[edge_of(id)]); };
  if (ids(a.id) != ids(b.id)) return ids(a.id) < ids(b.id);
  return a.id < b.id;
}

void ScoredGraph::sort(ScoreItem* items, ScoreItem* scratch, size_t count) const {
  if (count < 2) return;
  uint32_t lowest = ~uint32_t{0};
  uint32_t highest = 0;
  for (size_t i = 0; i < count; ++i) {
    lowest = std::min(lowest, items[i].key);
    highest = std::max(highest, items[i].key);
  }
  size_t compared = 0;  // many equal keys take long
  const auto before = [&](const ScoreItem& a, const ScoreItem& b) {
    if (++compared % 65536 == 0) cancellation_.check();
    return precedes(a, b);
  };
  if (count < 256) return std::sort(items, items + count, before);  // a radix sort's digits have 2048 values
  // Two digits tell most scores apart; those whose keys are equal but for a few bits are compared.
  int shift = 0;
  while ((highest - lowest) >> shift >= uint32_t{1} << 22) ++shift;
  const auto rank = [=](const ScoreItem& item) { return (highest - item.key) >> shift; };
  const ScoreItem* const sorted = radix_sort(items, scratch, count, uint32_t{0}, (highest - lowest) >> shift, rank, cancellation_);
  if (sorted != items) std::copy_n(sorted, count, items);
  for (size_t i = 1; i < count; ++i) {
    if (__builtin_expect(rank(items[i]) != rank(items[i - 1]), 1)) continue;
    const size_t begin = i - 1;
    while (i < count && rank(items[i]) == rank(items[begin])) ++i;
    // Scores that are equal in float64, too, are in order already where the edges came in theirs.
    if (!std::is_sorted(items + begin, items + i, before)) std::sort(items + begin, items + i, before);
  }
}

}  // namespace blockwright
