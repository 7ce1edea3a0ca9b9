// Joins what is certain in a graph of fragments, before anything is sorted.
#pragma once

#include <cstdint>

#include "core/cancellation.h"
#include "core/workspace.h"
#include "kernels/scored_graph.h"

namespace blockwright {

struct Contraction {
  uint32_t clusters = 0;
  uint32_t* cluster_of = nullptr;  // by node; clusters are numbered 0, 1, ...
};

// Joins the pairs of the starting LUT. Then each cluster with the other end of its strongest score where that is attractive:
// when it comes up the cluster is alone and nothing excludes it (a step of Boruvka's algorithm); again with the clusters so
// made, as long as that joins many. A mutex watershed of the clusters gives the same segments as one of the nodes: it finds the best
// partition for weights of which each exceeds the sum of all smaller ones (Wolf et al., The Mutex Watershed and its Objective,
// 2019), and of two partitions that both join some nodes the better one does not depend on the scores between those.
//
// The ends of the graph's edges are clusters afterwards. Peak memory: 20 bytes a node beside the graph.
Contraction contract(ScoredGraph& graph, Workspace& memory, const Cancellation& cancellation);

}  // namespace blockwright
