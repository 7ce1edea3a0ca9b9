#include "kernels/graph_contraction.h"

#include <algorithm>
#include <initializer_list>

#include "core/disjoint_sets.h"

namespace blockwright {

namespace {

// Of each cluster its strongest score, as key << 32 | id, or key << 32 | NO_SCORE where that is repulsive; 0 = none.
LargeArray<uint64_t> strongest_scores(const ScoredGraph& graph, uint32_t clusters) {
  LargeArray<uint64_t> strongest = large_array<uint64_t>(clusters);
  std::fill_n(strongest.get(), clusters, 0);
  graph.for_each_score(
      [&](const ScoreItem& item, const EdgeEnds& ends) {
        const uint64_t entry = uint64_t{item.key} << 32 | item.id;
        for (const uint32_t cluster : {ends.u, ends.v}) {
          uint64_t& best = strongest[cluster];
          // Where a repulsive score has the same key the cluster is left to the sorted visit: NO_SCORE is the largest id.
          if (__builtin_expect((best ^ entry) >> 32 == 0 && static_cast<uint32_t>(best) != NO_SCORE, 0)) {
            if (graph.precedes(item, {item.key, static_cast<uint32_t>(best)})) best = entry;
          } else {
            best = std::max(best, entry);
          }
        }
      },
      [&](const ScoreItem& item, const EdgeEnds& ends) {
        const uint64_t entry = uint64_t{item.key} << 32 | NO_SCORE;
        strongest[ends.u] = std::max(strongest[ends.u], entry);
        strongest[ends.v] = std::max(strongest[ends.v], entry);
      });
  return strongest;
}

// Numbers the sets and puts their numbers in the place of those of clusters.
void renumber(ScoredGraph& graph, DisjointSets& sets, Contraction& contraction) {
  LargeArray<uint32_t> numbers = large_array<uint32_t>(contraction.clusters);
  uint32_t count = 0;
  for (uint32_t cluster = 0; cluster < contraction.clusters; ++cluster) {
    if (sets.find(cluster) == cluster) numbers[cluster] = count++;
  }
  for (uint32_t cluster = 0; cluster < contraction.clusters; ++cluster) {
    const uint32_t root = sets.find(cluster);
    if (root != cluster) numbers[cluster] = numbers[root];
  }
  for (uint32_t node = 0; node < graph.nodes(); ++node) contraction.cluster_of[node] = numbers[contraction.cluster_of[node]];
  contraction.clusters = count;
  graph.renumber(numbers.get());
}

}  // namespace

Contraction contract(ScoredGraph& graph, const Cancellation& cancellation) {
  Contraction contraction{graph.nodes(), large_array<uint32_t>(graph.nodes())};
  for (uint32_t node = 0; node < graph.nodes(); ++node) contraction.cluster_of[node] = node;
  if (!graph.joins().empty()) {
    DisjointSets sets(graph.nodes());
    for (const auto& [u, v] : graph.joins()) {
      const uint32_t a = sets.find(u);
      const uint32_t b = sets.find(v);
      if (a != b) sets.join(a, b);
    }
    renumber(graph, sets, contraction);
  }
  for (bool again = true; again;) {
    DisjointSets sets(contraction.clusters);
    {
      const LargeArray<uint64_t> strongest = strongest_scores(graph, contraction.clusters);
      for (uint32_t cluster = 0; cluster < contraction.clusters; ++cluster) {
        if (cluster % 65536 == 0) cancellation.check();
        const uint32_t id = static_cast<uint32_t>(strongest[cluster]);
        if (strongest[cluster] == 0 || id == NO_SCORE) continue;
        const EdgeEnds ends = graph.ends(id);
        const uint32_t a = sets.find(ends.u);
        const uint32_t b = sets.find(ends.v);
        if (a != b) sets.join(a, b);
      }
    }
    const uint32_t before = contraction.clusters;
    renumber(graph, sets, contraction);
    again = contraction.clusters < before / 2;
  }
  return contraction;
}

}  // namespace blockwright
