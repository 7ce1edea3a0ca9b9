// Clears fragments that lie in weak affinities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"

namespace blockwright {

// Sets every label to 0 whose mean, over its voxels and the named channels, is below `threshold` (in units of 1 for
// float, 1 / 255 for uint8), in place. Returns how many labels went.
// affinities: [channels..., count], C order; Value is uint8_t (exact sums) or float (float64 sums in raster order of the
// label's runs, channels in the order named). ERR_NOT_A_NUMBER when a NaN lies under a label.
// Peak memory beside the inputs: as remove_debris, and 48 bytes a label.
template <class Value>
size_t filter_fragments(uint64_t* labels, size_t count, const Value* affinities, const std::vector<int64_t>& channels,
                        double threshold, const Cancellation& cancellation);

extern template size_t filter_fragments(uint64_t*, size_t, const uint8_t*, const std::vector<int64_t>&, double,
                                        const Cancellation&);
extern template size_t filter_fragments(uint64_t*, size_t, const float*, const std::vector<int64_t>&, double,
                                        const Cancellation&);

}  // namespace blockwright
