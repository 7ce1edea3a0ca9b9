// Partial sums of affinities over the voxel pairs between touching (or nearby) fragments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/box.h"
#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

// One channel of the affinities: which pairs it describes and which scores it counts for.
struct EdgeChannel {
  int64_t index = 0;             // in the affinities
  Shape offset;                  // the pair is (p, p + offset), its affinity is read at p
  std::vector<uint32_t> scores;  // numbers of the scores
};

struct EdgeScores {
  std::vector<uint64_t> u, v;  // u < v, ascending by (u, v)
  // Per score, per edge. For uint8 the sums are exact sums of the stored integers (below 2^53 by the size of a block).
  std::vector<std::vector<double>> sums, counts;
};

// fragments: [shape]; affinities: [channels..., shape], Value is uint8_t or float. A pair (p, p + offset) counts when p
// lies in `box`, both ends lie in the array, and both labels are above 0 and differ. Float sums are float64 and added
// row by row in raster order, within a row in the order of `channels`, then along the row, where each unbroken run of one
// pair is summed by itself first. Edges without any pair are
// left out. ERR_NOT_A_NUMBER when a counted affinity is NaN.
// Peak memory beside the inputs: 5 bytes a voxel of the array, at most 120 a fragment, 130 an edge and 64 an edge and score
// (hash and result included; half of it while nothing grows).
template <class Value>
EdgeScores edge_scores(const uint64_t* fragments, const Value* affinities, const Shape& shape, const Box& box,
                       const std::vector<EdgeChannel>& channels, size_t scores, const Cancellation& cancellation);

extern template EdgeScores edge_scores(const uint64_t*, const uint8_t*, const Shape&, const Box&,
                                       const std::vector<EdgeChannel>&, size_t, const Cancellation&);
extern template EdgeScores edge_scores(const uint64_t*, const float*, const Shape&, const Box&,
                                       const std::vector<EdgeChannel>&, size_t, const Cancellation&);

}  // namespace blockwright
