// How often each pair of labels of two arrays meets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"

namespace blockwright {

struct ContingencyTable {
  std::vector<uint64_t> a, b;  // ascending by (a, b); 0 counts as a label
  std::vector<double> counts;  // voxels, exact below 2^53
};

// Peak memory beside the inputs: up to 2 bytes a voxel, 32 a distinct label, 160 a pair.
ContingencyTable contingency_table(const uint64_t* a, const uint64_t* b, size_t count, const Cancellation& cancellation);

}  // namespace blockwright
