// Components of a volume out of those of its blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/span.h"

namespace blockwright {

// Pairs of names that belong together: those of a block, or of a part of one.
struct PairRun {
  Span<uint64_t> u;
  Span<uint64_t> v;
};

// Room for as many rows as there are names.
struct JoinedComponents {
  uint64_t* fragments;
  uint64_t* segments;
  uint64_t* sizes;
};

struct JoinedCount {
  size_t rows = 0;        // names with voxels
  size_t components = 0;  // of at least `minimum_size` voxels
};

// names: ascending, unique. sizes: voxels of each; 0 for a mere name of a part. Pairs with a name that is not among them are
// left out. Writes a row for each name that has voxels: the name, the number of its component (1.. in the order of the
// components' smallest names; 0 where it has fewer than `minimum_size` voxels), the voxels of its component. Union by size,
// paths halved. Peak memory beside inputs and outputs: 24 to 32 bytes a name. ERR_LIMIT at 2^31 names; ERR_ARGUMENT when
// names do not ascend.
JoinedCount join_components(Span<uint64_t> names, Span<uint64_t> sizes, const std::vector<PairRun>& runs,
                            uint64_t minimum_size, const JoinedComponents& joined, const Cancellation& cancellation);

}  // namespace blockwright
