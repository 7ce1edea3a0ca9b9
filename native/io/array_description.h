// What the region engine knows of an array: TypeScript reads and checks the metadata and hands over only this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/shape.h"
#include "io/codec.h"

namespace blockwright {

struct ArrayDescription {
  std::string path;           // folder of the array, without a slash at the end
  Shape shape;                // voxels
  Shape chunk;                // voxels of one chunk, each at least 1
  Shape order;                // the axes as they lie in a chunk, slowest first: 0, 1, 2 = C order, 2, 1, 0 = F order
  size_t item_size = 1;       // 1, 2, 4 or 8
  bool swap = false;          // items in the files have the other byte order
  std::string key_prefix;     // "c" or ""
  char key_separator = '/';   // '/' or '.'
  std::vector<uint8_t> fill;  // one item, in the byte order of this machine
  std::vector<Codec> codecs;  // in the order of encoding

  // Throws ERR_ARGUMENT unless all of the above fits together.
  void check() const;
  size_t chunk_items() const { return chunk.count(); }
  size_t chunk_bytes() const { return chunk.count() * item_size; }
  // Strides in bytes of the items of a chunk, one an array axis.
  Shape chunk_strides() const;
  // The chunk's key: "c/0/1/2", "0.1.2", ...
  std::string key(const Shape& index) const;
};

// A region of an array and the memory it is read into or written from. The memory may be a larger box (in voxels of the
// array, also beyond its ends), of which only the region is touched.
struct Region {
  Shape begin;  // voxels, inside the array
  Shape end;
  uint8_t* data = nullptr;  // C order
  Shape data_begin;         // voxels; box around the region
  Shape data_shape;

  void check(const ArrayDescription& array, size_t data_bytes) const;
  Shape data_strides(size_t item_size) const;
};

// Whether a box of `extent` lies in memory in the same way with either strides (an axis of one item has no stride).
bool same_strides(const Shape& extent, const Shape& a, const Shape& b);

// The chunks that a region meets, numbered in raster order.
class ChunkRange {
 public:
  ChunkRange(const ArrayDescription& array, const Region& region);
  size_t count() const { return count_; }
  Shape index(size_t number) const;

 private:
  Shape first_;
  Shape extent_;
  size_t count_ = 0;
};

// Where a chunk and a region meet.
struct Overlap {
  Shape extent;           // voxels
  size_t chunk_offset;    // bytes from the chunk's first item
  size_t data_offset;     // bytes from the region's memory
  bool whole_chunk;       // the region holds every voxel of the chunk, and the chunk does not leave the array
  bool all_inside_array;  // the region holds every voxel of the chunk that lies inside the array

  Overlap(const ArrayDescription& array, const Region& region, const Shape& index);
};

}  // namespace blockwright
