// One chunk on disk: reading and decoding it, and naming what is wrong with it.
#pragma once

#include <cstdint>
#include <string>

#include "io/array_description.h"
#include "io/codec.h"

namespace blockwright {

// What a thread keeps from chunk to chunk.
struct ChunkState {
  CodecState codec;
  Buffer file;   // encoded bytes
  Buffer chunk;  // decoded bytes
};

// Decodes chunk `key` into the chunk_bytes() at `target`, in the byte order of the file. False when there is no such
// chunk. ERR_CHUNK_CORRUPT and ERR_IO carry the array's path and the key.
bool read_chunk(const ArrayDescription& array, const std::string& key, uint8_t* target, ChunkState& state);

}  // namespace blockwright
