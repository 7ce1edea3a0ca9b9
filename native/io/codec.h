// The codecs between the bytes of a chunk and the bytes of its file. Sizes that come from a file are never trusted: a
// decoder may write at most what its caller says, and anything short, long or inconsistent is ERR_CHUNK_CORRUPT.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/span.h"
#include "io/buffer.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;
struct libdeflate_compressor;
struct libdeflate_decompressor;

namespace blockwright {

enum class CodecKind { Zstd, Blosc, Gzip, Zlib, Lz4, Crc32c };

struct Codec {
  CodecKind kind = CodecKind::Zstd;
  int level = 1;                 // lz4: its acceleration
  bool checksum = false;        // zstd: a content checksum in the frame
  std::string blosc_compressor;  // blosc: "lz4", "lz4hc", "blosclz", "zstd", "zlib", "snappy"
  int blosc_shuffle = 0;         // blosc: 0 none, 1 bytes, 2 bits
  size_t blosc_type_size = 1;
  size_t blosc_block_size = 0;  // blosc: 0 = automatic
};

using Bytes = Span<const uint8_t>;

// Buffers and contexts of one thread, reused from chunk to chunk.
class CodecState {
 public:
  CodecState();
  ~CodecState();
  CodecState(const CodecState&) = delete;
  CodecState& operator=(const CodecState&) = delete;

  ZSTD_CCtx_s* zstd_compressor();
  ZSTD_DCtx_s* zstd_decompressor();
  libdeflate_compressor* deflate_compressor(int level);
  libdeflate_decompressor* deflate_decompressor();

  Buffer stages[2];  // between two codecs of a chain

  // Memory of all of it.
  size_t bytes() const;

 private:
  ZSTD_CCtx_s* zstd_compressor_ = nullptr;
  ZSTD_DCtx_s* zstd_decompressor_ = nullptr;
  libdeflate_compressor* deflate_compressor_ = nullptr;
  libdeflate_decompressor* deflate_decompressor_ = nullptr;
  int deflate_level_ = 0;
};

// One codec. `decode_one` writes at most `capacity` bytes and returns how many; `encode_one` needs encoded_bound().
size_t decode_one(const Codec& codec, Bytes input, uint8_t* output, size_t capacity, CodecState& state);
size_t encode_one(const Codec& codec, Bytes input, uint8_t* output, size_t capacity, CodecState& state);

// The most bytes that a file of a chunk of `size` bytes may have; also enough room for encoding.
size_t encoded_bound(const std::vector<Codec>& codecs, size_t size);

// Undoes the codecs, the last one first. Writes at most `capacity` bytes and returns how many.
size_t decode_at_most(const std::vector<Codec>& codecs, Bytes encoded, uint8_t* output, size_t capacity, CodecState& state);

// decode_at_most where the result must be exactly `size` bytes.
void decode(const std::vector<Codec>& codecs, Bytes encoded, uint8_t* output, size_t size, CodecState& state);

// decode() where only the bytes from `first` to before `end` are wanted; the others may be the chunk's or be left as they were.
// What a codec can leave out is not checked either.
void decode_part(const std::vector<Codec>& codecs, Bytes encoded, uint8_t* output, size_t size, size_t first, size_t end,
                 CodecState& state);

// Applies the codecs in order. The result lies in `plain` (no codecs) or in a buffer of `state`.
Bytes encode(const std::vector<Codec>& codecs, Bytes plain, CodecState& state);

}  // namespace blockwright
