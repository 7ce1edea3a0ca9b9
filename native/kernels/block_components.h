// Connected components of one block of a volume, and how they go on in the blocks around it.
//
// A component of a block is named by its first voxel: 1 + the voxel's place in the volume in raster order. So is any part
// of a component, and a name means the same to every block that sees the voxel. Where blocks meet, each cuts its last
// layer of voxels (along every set of axes that a neighbour may differ in) into connected pieces, and the block behind,
// which reads that layer too, finds the same pieces: neither needs the other's result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

// What of a volume the labels are: the block, and before it along some axes one layer of voxels of the blocks before.
struct BlockPlace {
  Shape low;     // of each axis: 1 where the labels begin with such a layer, else 0
  Shape begin;   // first voxel of the block in the volume
  Shape volume;  // shape of the volume
};

// ERR_ARGUMENT unless labels of `shape` can lie there.
void check_place(const Shape& shape, const BlockPlace& place);

struct BlockComponents {
  uint64_t count = 0;            // components of the block
  std::vector<uint64_t> pieces;  // names of pieces of last layers that are not those of components, ascending
  std::vector<uint64_t> u, v;    // pairs of names, u < v, that belong together; ascending
};

// labels: C order, `shape` = low + the block's shape; 0 is background, other values are kept apart (with `binary`: not).
// output: the block's shape, 0 or the name of the component. `reach`: as in connected_components. The same for any number of
// threads. ERR_ARGUMENT when the block lies outside the volume or does not begin behind `low`; ERR_LIMIT as in
// connected_components. Every pair of neighbouring voxels in different blocks is looked at by one block: that of the voxel
// at the larger of their two places along each axis, for which one layer before it is enough, also across edges and corners.
// Peak memory beside the arrays: that of connected_components, one byte a voxel with `binary`, and about 100 a voxel of a
// layer.
template <class Label>  // uint8_t, uint16_t, uint32_t, uint64_t
BlockComponents block_components(const Label* labels, const Shape& shape, const BlockPlace& place, int reach, bool binary,
                                 size_t threads, uint64_t* output, const Cancellation& cancellation);

}  // namespace blockwright
