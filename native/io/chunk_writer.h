// Encodes one chunk with the voxels of a region in it, whatever the chunk's layout.
#pragma once

#include <cstdint>
#include <vector>

#include "io/array_description.h"
#include "io/chunk_reader.h"
#include "io/stretch.h"

namespace blockwright {

struct EncodedChunk {
  bool empty = true;             // all fill value: nothing is stored, unless the array stores that too
  Bytes bytes;                   // in `storage`, the thread's state, the region's memory or the old chunk
  std::vector<uint8_t> storage;  // of a shard
};

// Whether a chunk that the region covers in part must be read first.
bool keeps_old_voxels(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Region& region);

// The bytes of the chunk at `begin`. `old` is what is stored there, nullptr where nothing is; its voxels outside the region are
// kept, and of a shard the encoded inner chunks that the region does not meet. What lies beyond the array becomes fill value.
EncodedChunk encode_chunk(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Region& region,
                          const Stretch* old, ChunkState& state);

// encode_chunk for one inner chunk of a shard, its number in the index given. `index` is of the old shard, nullptr where there is none.
EncodedChunk encode_inner_chunk(const ArrayDescription& array, const ChunkLayout& shard, const Shape& shard_begin,
                                size_t number, const Region& region, const Stretch* old, const ShardIndex* index,
                                ChunkState& state);

}  // namespace blockwright
