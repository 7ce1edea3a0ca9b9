// Size and centre of mass of every label of a block.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

struct FragmentStatistics {
  std::vector<uint64_t> ids;      // ascending, without 0
  std::vector<uint64_t> sizes;    // voxels
  std::vector<double> centres;    // [ids, dimensions], voxels from the block's corner, centre of voxel (0, 0, 0) = 0
};

// labels: C order, `shape`. Peak memory beside the input: up to 1 byte a voxel (ids close together) or 72 a label (a hash),
// and 40 + 32 * dimensions a label.
FragmentStatistics fragment_statistics(const uint64_t* labels, const Shape& shape, const Cancellation& cancellation);

}  // namespace blockwright
