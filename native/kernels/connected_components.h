// Connected components of a label array; different labels stay apart.
// Runs and a union-find over them, as in He, Chao, Suzuki, "A run-based two-scan labeling algorithm" (2008); the union
// by smaller run keeps the first run of a component as its root, so numbers follow the raster order of first voxels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/box.h"
#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

// labels: uint8, 16, 32 or 64, C order, `shape`. Only what lies in `box` is looked at. output: uint32 or 64, [box.shape], 0
// where the label is 0, else id_offset + the number of the component, 1.. in raster order of its first voxel in the box; may
// overlap labels, as all of them are read before anything is written. Returns the number of components. `reach`: how many
// coordinates may differ (by one) between neighbours, 1 = faces, dimensions = all corners. The same for any number of
// threads. ERR_LIMIT when an id would exceed the type of output, or at 2^32 runs.
// Peak memory beside the arrays: 20 bytes for each 64 voxels of a row or part of them (0.31 a voxel of long rows), at most
// 10 bytes a run of equal labels other than 0 along the last axis, and for each thread, where rows have neighbours, 16 bytes a
// voxel of a row but no more than 2 MB.
template <class T, class Id>
uint64_t connected_components(const T* labels, const Shape& shape, const Box& box, int reach, uint64_t id_offset,
                              size_t threads, Id* output, const Cancellation& cancellation);

}  // namespace blockwright
