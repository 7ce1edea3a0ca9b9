#include "io/blosc_codec.h"

#include <blosc.h>

#include <string>

#include "core/error.h"
#include "core/error_codes.h"

namespace blockwright {

namespace {

constexpr size_t HEADER = 16;
constexpr uint8_t STORED = 0x2;  // flag: the bytes follow as they are

[[noreturn]] void corrupt(const std::string& reason) { throw Error(ERR_CHUNK_CORRUPT, "blosc: " + reason); }

// Sizes are signed in libblosc: one beyond 2^31 - 1 comes out as larger than any chunk.
uint32_t load32(const uint8_t* bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

// Checks header, table of block offsets and the first stream of each block; returns the decoded size.
size_t check_layout(Bytes input, size_t capacity) {
  if (input.size < HEADER) corrupt("shorter than its header");
  const uint8_t version = input.data[0];
  const uint8_t flags = input.data[2];
  const size_t type_size = input.data[3];
  const size_t size = load32(input.data + 4);
  const size_t block_size = load32(input.data + 8);
  const size_t encoded_size = load32(input.data + 12);
  if (version != BLOSC_VERSION_FORMAT) corrupt("format version " + std::to_string(version));
  if (encoded_size != input.size) {
    corrupt("header says " + std::to_string(encoded_size) + " bytes, found " + std::to_string(input.size));
  }
  if (size > capacity) corrupt("decodes to " + std::to_string(size) + " bytes, more than the chunk's size");
  if (type_size == 0) corrupt("type size 0");
  if (size == 0) return 0;
  if (block_size == 0 || block_size > size || block_size > 0x7fffffff) corrupt("block size " + std::to_string(block_size));
  if ((flags & STORED) != 0) {
    if (encoded_size != size + HEADER) corrupt("stored size does not match");
    return size;
  }
  const size_t blocks = (size + block_size - 1) / block_size;
  if (blocks > (input.size - HEADER) / 4) corrupt("table of blocks is cut");
  const size_t streams_begin = HEADER + 4 * blocks;
  for (size_t block = 0; block < blocks; ++block) {
    const size_t offset = load32(input.data + HEADER + 4 * block);
    if (offset < streams_begin || offset > input.size - 4) corrupt("a block lies outside the chunk");
    const size_t stream = load32(input.data + offset);
    if (stream > input.size - offset - 4) corrupt("a block is longer than the chunk");
  }
  return size;
}

}  // namespace

size_t decode_blosc(Bytes input, uint8_t* output, size_t capacity) {
  const size_t size = check_layout(input, capacity);
  if (size == 0) return 0;
  const int decoded = blosc_decompress_ctx(input.data, output, size, 1);
  if (decoded < 0 || static_cast<size_t>(decoded) != size) corrupt("bad data");
  return size;
}

void decode_blosc_part(Bytes input, uint8_t* output, size_t size, size_t first, size_t end) {
  const size_t found = check_layout(input, size);
  if (found != size) corrupt("expected " + std::to_string(size) + " bytes, decodes to " + std::to_string(found));
  if (first >= end) return;
  const size_t block = load32(input.data + 8);
  const size_t wanted = (end - 1) / block - first / block + 1;
  const size_t type_size = input.data[3];
  // libblosc counts in items and decodes into memory of its own first: for most of a chunk the whole of it is quicker
  if (4 * wanted * block > 3 * size || size % type_size != 0) {
    const int decoded = blosc_decompress_ctx(input.data, output, size, 1);
    if (decoded < 0 || static_cast<size_t>(decoded) != size) corrupt("bad data");
    return;
  }
  first -= first % type_size;
  end += (type_size - end % type_size) % type_size;
  const auto items = [&](size_t bytes) { return static_cast<int>(bytes / type_size); };
  const int decoded = blosc_getitem(input.data, items(first), items(end - first), output + first);
  if (decoded < 0 || static_cast<size_t>(decoded) != end - first) corrupt("bad data");
}

size_t encode_blosc(const Codec& codec, Bytes input, uint8_t* output, size_t capacity) {
  const int size = blosc_compress_ctx(codec.level, codec.blosc_shuffle, codec.blosc_type_size, input.size, input.data, output,
                                      capacity, codec.blosc_compressor.c_str(), codec.blosc_block_size, 1);
  if (size <= 0) throw Error(ERR_UNSUPPORTED, "blosc: libblosc cannot compress with " + codec.blosc_compressor);
  return static_cast<size_t>(size);
}

}  // namespace blockwright
