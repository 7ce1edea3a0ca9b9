#include "io/chunk_file.h"

#include "core/error.h"
#include "core/error_codes.h"
#include "io/file.h"

namespace blockwright {

namespace {

bool read_and_decode(const ArrayDescription& array, const std::string& path, uint8_t* target, ChunkState& state) {
  File file;
  size_t size = 0;
  if (!open_chunk(path, file, size)) return false;
  const size_t chunk_bytes = array.chunk_bytes();
  if (array.codecs.empty()) {
    if (size != chunk_bytes) {
      throw Error(ERR_CHUNK_CORRUPT, "expected " + std::to_string(chunk_bytes) + " bytes, found " + std::to_string(size));
    }
    read_exactly(file, path, target, size);
    return true;
  }
  if (size > encoded_bound(array.codecs, chunk_bytes)) {
    throw Error(ERR_CHUNK_CORRUPT, std::to_string(size) + " bytes are more than a chunk of " + std::to_string(chunk_bytes) +
                                       " bytes can need");
  }
  uint8_t* const encoded = state.file.reserve(size);
  read_exactly(file, path, encoded, size);
  decode(array.codecs, {encoded, size}, target, chunk_bytes, state.codec);
  return true;
}

}  // namespace

bool read_chunk(const ArrayDescription& array, const std::string& key, uint8_t* target, ChunkState& state) {
  try {
    return read_and_decode(array, array.path + "/" + key, target, state);
  } catch (const Error& error) {
    if (error.code() != ERR_CHUNK_CORRUPT) throw;
    throw Error(ERR_CHUNK_CORRUPT, "chunk " + key + " of " + array.path + " is damaged: " + error.what(),
                {{"path", array.path}, {"chunk", key}});
  }
}

}  // namespace blockwright
