// Coarser versions of an array: one value for every cell of voxels.
#pragma once

#include <cstdint>

#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

enum class DownsampleMethod { mean, mode, stride };

// The shape of the output: extents divided by the factors, rounded up. ERR_ARGUMENT where a factor is below 1, another number of
// factors than axes is given, or a cell has more than 2^31 voxels.
Shape downsampled_shape(const Shape& shape, const Shape& factors);

// output, of downsampled_shape, gets one value for every cell of `factors` voxels; cells at the upper ends of the axes are
// cut to the voxels that there are. As tensorstore's downsample driver:
// - mean: sums of integers are exact and rounded to nearest, ties to even; sums of floats are float64 in raster order of
//   the cell, and NaN spreads;
// - mode: the most frequent value, ties to the smallest; integers only (ERR_ARGUMENT). With ignore_background 0 counts
//   only where a cell has nothing else;
// - stride: the first voxel of the cell.
// For the fixed-width integers, float and double. Memory beside the arrays: a row of the output, or 16 bytes a voxel of a cell.
template <class T>
void downsample(const T* values, const Shape& shape, const Shape& factors, DownsampleMethod method, bool ignore_background,
                T* output, const Cancellation& cancellation);

}  // namespace blockwright
