// What the region engine knows of an array: TypeScript reads and checks the metadata and hands over only this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/shape.h"
#include "io/chunk_layout.h"

namespace blockwright {

struct ArrayDescription {
  std::string path;           // folder of the array, without a slash at the end
  Shape shape;                // voxels
  size_t item_size = 1;       // of a stored item: 1, 2, 4 or 8
  bool float16 = false;       // items are stored as half precision and are floats in memory
  std::string key_prefix;     // "c" or ""
  char key_separator = '/';   // '/' or '.'
  std::vector<uint8_t> fill;  // one stored item, in the byte order of this machine
  bool stores_fill = false;   // also chunks of nothing but `fill` are written
  ChunkLayout layout;         // of what one file holds

  // Throws ERR_ARGUMENT or ERR_LIMIT unless all of the above fits together.
  void check() const;
  size_t memory_item_size() const { return float16 ? 4 : item_size; }
  // The file's key: "c/0/1/2", "0.1.2", ...
  std::string key(const Shape& index) const;
  // Copies items of a chunk to a region's memory, or back; `swap` is the chunk's. Strides are in bytes.
  void to_memory(const Shape& extent, uint8_t* memory, const Shape& memory_strides, const uint8_t* chunk,
                 const Shape& chunk_strides, bool swap) const;
  void to_chunk(const Shape& extent, uint8_t* chunk, const Shape& chunk_strides, const uint8_t* memory,
                const Shape& memory_strides, bool swap) const;
  void fill_memory(const Shape& extent, uint8_t* memory, const Shape& memory_strides) const;
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

// The chunks of a regular grid that a region meets, numbered in raster order.
class ChunkRange {
 public:
  ChunkRange(const Shape& chunk, const Region& region);
  // Only the chunks inside the box [begin, end), which lies on the grid.
  ChunkRange(const Shape& chunk, const Region& region, const Shape& begin, const Shape& end);
  size_t count() const { return count_; }
  // Position in the grid.
  Shape index(size_t number) const;

 private:
  Shape first_;
  Shape extent_;
  size_t count_ = 0;
};

// Position in a grid of chunks -> first voxel.
Shape first_voxel(const Shape& index, const Shape& chunk);

// Where a region meets the chunk at `begin`.
struct Overlap {
  Shape extent;           // voxels, none of them negative; 0 where they do not meet
  Shape begin;            // voxels from the chunk's first
  bool whole_chunk;       // the region holds every voxel of the chunk, and the chunk does not leave the array
  bool all_inside_array;  // the region holds every voxel of the chunk that lies inside the array
  bool empty;             // they do not meet
  bool beyond_array;      // the chunk lies wholly outside the array

  Overlap(const ArrayDescription& array, const Region& region, const Shape& begin, const Shape& chunk);
  // Bytes from the chunk's first item, from the region's memory.
  size_t chunk_offset(const Shape& chunk_strides) const;
  // Behind the last item of the overlap; chunk_offset where there is none.
  size_t chunk_end(const Shape& chunk_strides, size_t item_size) const;
  size_t data_offset(const Region& region, const Shape& chunk_begin, const Shape& data_strides) const;
};

}  // namespace blockwright
