// Seeds in the middle of what a mask holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

// mask[p] = the mean of the named channels at p is above `threshold` (in units of 1 for float, 1 / 255 for uint8; uint8
// exactly). affinities: [channels..., count]. ERR_NOT_A_NUMBER when a NaN is met.
template <class Value>
void threshold_mean(const Value* affinities, size_t count, const std::vector<int64_t>& channels, double threshold,
                    uint8_t* mask, const Cancellation& cancellation);

extern template void threshold_mean(const uint8_t*, size_t, const std::vector<int64_t>&, double, uint8_t*, const Cancellation&);
extern template void threshold_mean(const float*, size_t, const std::vector<int64_t>&, double, uint8_t*, const Cancellation&);

// output: [shape]; seeds 1.. in raster order of their first voxel, else 0. A seed is a face-connected piece of the voxels
// of the mask whose distance (in voxels) to the outside of the mask is the largest in the cube of `window` voxels about
// them: from -(window / 2) to window - window / 2 - 1 along each axis, cut at the ends of the array.
// Returns the number of seeds. Peak memory beside the arrays: 24 bytes a voxel.
uint64_t find_seeds(const uint8_t* mask, const Shape& shape, int64_t window, uint64_t* output,
                    const Cancellation& cancellation);

// In place: values[p] = largest of the window about p along every axis (van Herk, 1992: three comparisons a value).
void maximum_filter(double* values, const Shape& shape, int64_t window, const Cancellation& cancellation);

}  // namespace blockwright
