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

// labels: uint8, 16, 32 or 64, C order, `shape`. Only what lies in `box` is looked at. output: [box.shape], 0 where the label
// is 0, else id_offset + the number of the component, 1.. in raster order of its first voxel in the box; may overlap labels,
// as all of them are read before anything is written. Returns the number of components. `reach`: how many coordinates may
// differ (by one) between neighbours, 1 = faces, dimensions = all corners. The same for any number of threads. ERR_LIMIT when
// an id would exceed 2^64 - 1, or at 2^32 runs.
// Peak memory beside the arrays: at most 36 bytes a run of equal labels along the last axis, a quarter of a byte a voxel of a
// plane and thread, and 30 bytes a voxel of a row and thread.
template <class T>
uint64_t connected_components(const T* labels, const Shape& shape, const Box& box, int reach, uint64_t id_offset,
                              size_t threads, uint64_t* output, const Cancellation& cancellation);

}  // namespace blockwright
