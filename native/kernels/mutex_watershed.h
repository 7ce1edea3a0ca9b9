// The mutex watershed on a grid (Wolf, Pape, Bailoni, Rahaman, Kreshuk, Koethe, Hamprecht: The mutex watershed, ECCV 2018),
// exact, without a table of all mutexes.
//
// Edges are visited by falling |value|, then channel, then raster index of the voxel where they start. A repulsive edge makes
// two clusters exclusive, an attractive one joins them unless they are exclusive. When an attractive edge e comes up between
// clusters A and B, they are exclusive if and only if a repulsive edge that precedes e joins A and B. So repulsive edges
// are neither sorted nor stored: they are looked for, from the smaller cluster, when an attractive edge asks.
#pragma once

#include <cstdint>

#include "core/cancellation.h"
#include "kernels/mutex_watershed_keys.h"
#include "kernels/mutex_watershed_seeds.h"

namespace blockwright {

// labels: [shape], written. Background (no attractive edge touches the voxel, and no seed) is 0; a seeded cluster has its
// seed id (the smallest, where user edges joined some); others are numbered in raster order of their first voxel from 1,
// or from the largest seed id + 1.
//
// Peak memory besides inputs and labels: 20 bytes a voxel, 4 bytes an edge (2 for bytes without noise and smoothing), a
// quarter of a byte a voxel for each channel with strides, an eighth with seeds, with threads 4 to 12 for each voxel whose strongest edge
// goes into another thread's slab, 30 to 60 bytes for each pair of clusters that was found exclusive (up to
// 165 where each is exclusive with one other), and what seed_joins takes. Time: nearly linear on images of cells; on any input
// O(edges * log(edges)) in the end, because a search for repulsive edges that costs too much is given up for a table. Threads share
// the making of edges, first joins, listing and sorting, not the visits of sorted edges and their searches.
void mutex_watershed(const MutexWatershedInput& input, const MutexWatershedSeeds& seeds, uint64_t* labels,
                     const Cancellation& cancellation);

}  // namespace blockwright
