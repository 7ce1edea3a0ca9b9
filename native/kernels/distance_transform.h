// Exact Euclidean distance to the nearest voxel outside a mask.
// Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions" (Theory of Computing, 2012): lower envelope of
// parabolas along each axis in turn; linear in the number of voxels.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

// output[p] = distance (or its square) from p to the nearest voxel where mask is 0 (0 there), in units of `voxel_size`;
// infinity everywhere when there is none. With a voxel size of 1 all squares are exact integers.
// Peak memory beside the arrays: 600 bytes a voxel of the longest axis.
void distance_transform(const uint8_t* mask, const Shape& shape, const std::vector<double>& voxel_size, bool squared,
                        double* output, const Cancellation& cancellation);

}  // namespace blockwright
