// One chunk of an array whose encoded bytes are in memory, because they came from a remote store.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "io/array_description.h"
#include "io/chunk_reader.h"
#include "io/codec.h"

namespace blockwright {

class MemoryChunk {
 public:
  // The chunk at a position of the array's grid; `inner` then leads into shards, a position in each. Throws ERR_ARGUMENT
  // when there is no such chunk. The array must outlive it.
  MemoryChunk(const ArrayDescription& array, const Shape& index, std::vector<Shape> inner);

  // Decodes its voxels that lie in the region; ERR_CHUNK_CORRUPT as reading it from a file.
  void decode(Bytes encoded, const Region& region) const;
  // The same for a chunk that is missing.
  void fill(const Region& region) const;
  // Of a shard of `shard_size` bytes, given its index: offset and length of each inner chunk that the region meets, in raster
  // order. One that is missing is filled, and has offset -1.
  std::vector<double> find_inner(Bytes index, size_t shard_size, const Region& region) const;

 private:
  // `error` with the names of shard and file before the reason.
  Error named(const Error& error) const;

  const ArrayDescription* array_;
  std::string key_;
  std::vector<Shape> inner_;
  const ChunkLayout* layout_;
  Shape begin_;
};

}  // namespace blockwright
