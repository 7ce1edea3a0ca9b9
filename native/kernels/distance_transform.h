// Exact Euclidean distance to the nearest voxel outside a mask.
// Axis by axis: a scan along the first; then every voxel looks at the nearest places along an axis, many voxels at once, and where
// something further away could be nearer after all, a lower envelope of parabolas decides (parabolas.h). Linear in the number of
// voxels.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

// output[p] = distance (or its square) from p to the nearest voxel where mask is 0 (0 there), in units of `voxel_size`;
// infinity everywhere when there is none. With a voxel size of 1 all squares are exact integers.
// The same for any number of threads and on every machine.
// Peak memory beside the arrays, per thread: 8 bytes a voxel of a slab (all axes but the first with more than one voxel; 16 where
// squares are no whole numbers below 2^30), and 300 a voxel of the longest axis.
void distance_transform(const uint8_t* mask, const Shape& shape, const std::vector<double>& voxel_size, bool squared,
                        double* output, size_t threads, const Cancellation& cancellation);

}  // namespace blockwright
