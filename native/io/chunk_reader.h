// Decodes the part of one chunk that a region wants, whatever the chunk's layout.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "io/array_description.h"
#include "io/codec.h"
#include "io/shard_index.h"
#include "io/stretch.h"

namespace blockwright {

// What a thread keeps from chunk to chunk.
struct ChunkState {
  CodecState codec;
  Buffer file;   // encoded bytes
  Buffer chunk;  // decoded bytes

  size_t bytes() const { return codec.bytes() + file.capacity() + chunk.capacity(); }
};

// Reads the voxels of a region that lie in the chunk at `begin` (first voxel of the array) into the region's memory. Of a shard
// only the index and the inner chunks that the region meets are loaded, unless codecs lie around it. A chunk of items that
// lies wholly in the region in the same layout is decoded in place.
void read_chunk(const ArrayDescription& array, const ChunkLayout& layout, const Stretch& encoded, const Shape& begin,
                const Region& region, ChunkState& state);

// The inner chunks of the shard at `shard_begin` that a region meets.
class InnerRange {
 public:
  InnerRange(const ChunkLayout& shard, const Shape& shard_begin, const Region& region);
  size_t count() const { return range_.count(); }
  // Number in the index.
  size_t number(size_t i) const;

 private:
  const ChunkLayout* shard_;
  Shape first_;
  ChunkRange range_;
};

// read_chunk for one inner chunk of a shard without codecs around it, its number in the index given.
void read_inner_chunk(const ArrayDescription& array, const ChunkLayout& shard, const ShardIndex& index, const Stretch& encoded,
                      size_t number, const Shape& shard_begin, const Region& region, ChunkState& state);

// Decodes the items of a chunk, in the byte order of the file, into `target`; the second where only the bytes from `first` to
// before `end` are wanted, see decode_part.
void read_items(const ChunkLayout& layout, const Stretch& encoded, size_t item_size, uint8_t* target, ChunkState& state);
void read_items(const ChunkLayout& layout, const Stretch& encoded, size_t item_size, uint8_t* target, size_t first, size_t end,
                ChunkState& state);

// A shard's bytes without the codecs around it: itself where there are none, else decoded into `buffer`.
Stretch opened_shard(const ChunkLayout& shard, const Stretch& encoded, size_t item_size, Buffer& buffer, ChunkState& state);

// Fills the voxels of a region that lie in the chunk at `begin`.
void fill_chunk(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Region& region);

// The error of a damaged inner chunk or file with its name before the reason.
Error damaged_inner(const Shape& position, const Error& error);
Error damaged_file(const ArrayDescription& array, const std::string& key, const Error& error);

}  // namespace blockwright
