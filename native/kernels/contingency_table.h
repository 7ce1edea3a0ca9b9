// How often each pair of labels of two arrays meets, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"

namespace blockwright {

struct ContingencyTable {
  std::vector<uint64_t> a, b;   // ascending by (a, b); 0 counts as a label
  std::vector<double> counts;   // voxels, exact below 2^53
  std::vector<double> places;   // index of a voxel with both labels: the middle of the first of the longest runs of them
  std::vector<uint32_t> runs;   // voxels of that run, at most 2^20
};

// @param mask voxels where it is 0 are left out; null = none is
// Peak memory beside the inputs: up to 2 bytes a voxel, 32 a distinct label, 160 a pair.
ContingencyTable contingency_table(const uint64_t* a, const uint64_t* b, const uint8_t* mask, size_t count,
                                   const Cancellation& cancellation);

}  // namespace blockwright
