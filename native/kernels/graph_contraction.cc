#include "kernels/graph_contraction.h"

#include <algorithm>
#include <initializer_list>

#include "core/disjoint_sets.h"

namespace blockwright {

namespace {

// Of each cluster its strongest score, as key << 32 | id, or key << 32 | NO_SCORE where that is repulsive; 0 = none.
const uint64_t* strongest_scores(const ScoredGraph& graph, uint32_t clusters, Workspace& memory, const Cancellation& cancellation) {
  uint64_t* const strongest = memory.array<uint64_t>(clusters);
  for_each_checked(clusters, cancellation, [&](size_t cluster) { strongest[cluster] = 0; });
  graph.for_each_repulsive([&](const ScoreItem& item, const EdgeEnds& ends) {
    const uint64_t entry = uint64_t{item.key} << 32 | NO_SCORE;
    strongest[ends.u] = std::max(strongest[ends.u], entry);
    strongest[ends.v] = std::max(strongest[ends.v], entry);
  });
  graph.for_each_attractive([&](const ScoreItem& item, const EdgeEnds& ends) {
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
  });
  return strongest;
}

// Numbers the sets and puts their numbers in the place of those of clusters.
void renumber(ScoredGraph& graph, DisjointSets& sets, Contraction& contraction, Workspace& memory, const Cancellation& cancellation) {
  const size_t before = memory.used();
  uint32_t* const numbers = memory.array<uint32_t>(contraction.clusters);
  uint32_t count = 0;
  for_each_checked(contraction.clusters, cancellation, [&](size_t cluster) {
    numbers[cluster] = count;
    count += static_cast<uint32_t>(sets.is_root(static_cast<uint32_t>(cluster)));
  });
  for_each_checked(contraction.clusters, cancellation,
                   [&](size_t cluster) { numbers[cluster] = numbers[sets.find_near(static_cast<uint32_t>(cluster))]; });
  uint32_t* const cluster_of = contraction.cluster_of;
  for_each_checked(graph.nodes(), cancellation, [&](size_t node) { cluster_of[node] = numbers[cluster_of[node]]; });
  contraction.clusters = count;
  graph.renumber(numbers);
  memory.forget(before);
}

}  // namespace

Contraction contract(ScoredGraph& graph, Workspace& memory, const Cancellation& cancellation) {
  Contraction contraction{graph.nodes(), memory.array<uint32_t>(graph.nodes())};
  for_each_checked(graph.nodes(), cancellation, [&](size_t node) { contraction.cluster_of[node] = static_cast<uint32_t>(node); });
  if (!graph.joins().empty()) {
    DisjointSets sets(graph.nodes());
    for_each_checked(graph.joins().size(), cancellation, [&](size_t i) {
      const auto [u, v] = graph.joins()[i];
      const uint32_t a = sets.find(u);
      const uint32_t b = sets.find(v);
      if (a != b) sets.join(a, b);
    });
    renumber(graph, sets, contraction, memory, cancellation);
  }
  for (bool again = true; again;) {
    DisjointSets sets(contraction.clusters);
    {
      const size_t used = memory.used();
      const uint64_t* const strongest = strongest_scores(graph, contraction.clusters, memory, cancellation);
      for_each_checked(contraction.clusters, cancellation, [&](size_t cluster) {
        const uint32_t id = static_cast<uint32_t>(strongest[cluster]);
        if (strongest[cluster] == 0 || id == NO_SCORE) return;
        const EdgeEnds ends = graph.ends(id);
        const uint32_t a = sets.find(ends.u);
        const uint32_t b = sets.find(ends.v);
        if (a != b) sets.join(a, b);
      });
      memory.forget(used);
    }
    const uint32_t before = contraction.clusters;
    renumber(graph, sets, contraction, memory, cancellation);
    again = contraction.clusters < before / 2;
  }
  return contraction;
}

}  // namespace blockwright
