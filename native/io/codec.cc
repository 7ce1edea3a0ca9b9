#include "io/codec.h"

#include <libdeflate.h>
#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "core/error.h"
#include "core/error_codes.h"
#include "io/blosc_codec.h"
#include "io/crc32c.h"

namespace blockwright {

namespace {

[[noreturn]] void corrupt(const std::string& reason) { throw Error(ERR_CHUNK_CORRUPT, reason); }

void check_zstd(size_t result) {
  if (ZSTD_isError(result)) throw Error(ERR_NATIVE, std::string("zstd: ") + ZSTD_getErrorName(result));
}

size_t decode_zstd(Bytes input, uint8_t* output, size_t capacity, CodecState& state) {
  if (input.empty()) corrupt("zstd: no bytes");
  const size_t result = ZSTD_decompressDCtx(state.zstd_decompressor(), output, capacity, input.data, input.size);
  if (ZSTD_isError(result)) corrupt(std::string("zstd: ") + ZSTD_getErrorName(result));
  return result;
}

size_t encode_zstd(const Codec& codec, Bytes input, uint8_t* output, size_t capacity, CodecState& state) {
  ZSTD_CCtx* const context = state.zstd_compressor();
  check_zstd(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters));
  check_zstd(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, codec.level));
  check_zstd(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, codec.checksum ? 1 : 0));
  const size_t result = ZSTD_compress2(context, output, capacity, input.data, input.size);
  check_zstd(result);
  return result;
}

// gzip and zlib; a gzip file may have several members.
size_t decode_deflate(const Codec& codec, Bytes input, uint8_t* output, size_t capacity, CodecState& state) {
  const bool gzip = codec.kind == CodecKind::Gzip;
  const auto decompress = gzip ? libdeflate_gzip_decompress_ex : libdeflate_zlib_decompress_ex;
  const std::string name = gzip ? "gzip" : "zlib";
  if (input.empty()) corrupt(name + ": no bytes");
  size_t size = 0;
  size_t position = 0;
  do {
    size_t consumed = 0;
    size_t produced = 0;
    const libdeflate_result result = decompress(state.deflate_decompressor(), input.data + position, input.size - position,
                                                output + size, capacity - size, &consumed, &produced);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) corrupt(name + ": decodes to more than the chunk's size");
    if (result != LIBDEFLATE_SUCCESS) corrupt(name + ": bad data or checksum");
    size += produced;
    position += consumed;
  } while (gzip && position < input.size);
  if (position != input.size) corrupt(name + ": bytes after the end");
  return size;
}

size_t encode_deflate(const Codec& codec, Bytes input, uint8_t* output, size_t capacity, CodecState& state) {
  const auto compress = codec.kind == CodecKind::Gzip ? libdeflate_gzip_compress : libdeflate_zlib_compress;
  const size_t size = compress(state.deflate_compressor(codec.level), input.data, input.size, output, capacity);
  if (size == 0) throw Error(ERR_NATIVE, "deflate: the output does not fit its bound");
  return size;
}

uint32_t load_little(const uint8_t* bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

void store_little(uint32_t value, uint8_t* bytes) {
  for (int byte = 0; byte < 4; ++byte) bytes[byte] = static_cast<uint8_t>(value >> (8 * byte));
}

// The decoded size in 4 bytes, then an LZ4 block, as numcodecs has it.
size_t decode_lz4(Bytes input, uint8_t* output, size_t capacity) {
  if (input.size < 4) corrupt("lz4: fewer than 4 bytes");
  const size_t size = load_little(input.data);
  if (size > capacity) corrupt("lz4: decodes to " + std::to_string(size) + " bytes, more than the chunk's size");
  if (input.size - 4 > LZ4_MAX_INPUT_SIZE + size_t{LZ4_MAX_INPUT_SIZE} / 255 + 16) corrupt("lz4: longer than any block");
  const int decoded = LZ4_decompress_safe(reinterpret_cast<const char*>(input.data) + 4, reinterpret_cast<char*>(output),
                                          static_cast<int>(input.size - 4), static_cast<int>(size));
  if (decoded < 0 || static_cast<size_t>(decoded) != size) corrupt("lz4: bad data");
  return size;
}

size_t encode_lz4(const Codec& codec, Bytes input, uint8_t* output, size_t capacity) {
  if (input.size > LZ4_MAX_INPUT_SIZE) throw Error(ERR_LIMIT, "lz4: a chunk of more than 2113929216 bytes");
  store_little(static_cast<uint32_t>(input.size), output);
  const int room = static_cast<int>(std::min<size_t>(capacity - 4, 0x7fffffff));
  const int size = LZ4_compress_fast(reinterpret_cast<const char*>(input.data), reinterpret_cast<char*>(output) + 4,
                                     static_cast<int>(input.size), room, codec.level);
  if (size <= 0) throw Error(ERR_NATIVE, "lz4: the output does not fit its bound");
  return static_cast<size_t>(size) + 4;
}

// The bytes before the checksum, where they are.
Bytes verified_crc32c(Bytes input) {
  if (input.size < 4) corrupt("crc32c: fewer than 4 bytes");
  const size_t size = input.size - 4;
  if (crc32c(input.data, size) != load_little(input.data + size)) corrupt("crc32c: the checksum does not match");
  return {input.data, size};
}

size_t copy_bytes(Bytes input, uint8_t* output, size_t capacity) {
  if (input.size > capacity) {
    corrupt("expected " + std::to_string(capacity) + " bytes, found " + std::to_string(input.size));
  }
  if (!input.empty()) std::memcpy(output, input.data, input.size);
  return input.size;
}

size_t encode_crc32c(Bytes input, uint8_t* output) {
  std::memcpy(output, input.data, input.size);
  store_little(crc32c(input.data, input.size), output + input.size);
  return input.size + 4;
}

// Room for what a compressor makes of `size` bytes, also the least efficient one: no encoder at hand exceeds size + size / 255
// + a header by more than this.
size_t bound_of(const Codec& codec, size_t size) {
  return codec.kind == CodecKind::Crc32c ? size + 4 : size + size / 64 + 4096;
}

template <class T>
T* allocated(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

}  // namespace

CodecState::CodecState() = default;

CodecState::~CodecState() {
  ZSTD_freeCCtx(zstd_compressor_);
  ZSTD_freeDCtx(zstd_decompressor_);
  libdeflate_free_compressor(deflate_compressor_);
  libdeflate_free_decompressor(deflate_decompressor_);
}

size_t CodecState::bytes() const {
  constexpr size_t DEFLATE_BYTES = size_t{1} << 20;  // about; the library does not tell
  return stages[0].capacity() + stages[1].capacity() + ZSTD_sizeof_CCtx(zstd_compressor_) +
         ZSTD_sizeof_DCtx(zstd_decompressor_) + (deflate_compressor_ != nullptr ? DEFLATE_BYTES : 0);
}

ZSTD_CCtx_s* CodecState::zstd_compressor() {
  if (zstd_compressor_ == nullptr) zstd_compressor_ = allocated(ZSTD_createCCtx());
  return zstd_compressor_;
}

ZSTD_DCtx_s* CodecState::zstd_decompressor() {
  if (zstd_decompressor_ == nullptr) zstd_decompressor_ = allocated(ZSTD_createDCtx());
  return zstd_decompressor_;
}

libdeflate_compressor* CodecState::deflate_compressor(int level) {
  if (deflate_compressor_ == nullptr || deflate_level_ != level) {
    libdeflate_free_compressor(deflate_compressor_);
    deflate_compressor_ = nullptr;
    deflate_compressor_ = allocated(libdeflate_alloc_compressor(level));
    deflate_level_ = level;
  }
  return deflate_compressor_;
}

libdeflate_decompressor* CodecState::deflate_decompressor() {
  if (deflate_decompressor_ == nullptr) deflate_decompressor_ = allocated(libdeflate_alloc_decompressor());
  return deflate_decompressor_;
}

size_t decode_one(const Codec& codec, Bytes input, uint8_t* output, size_t capacity, CodecState& state) {
  switch (codec.kind) {
    case CodecKind::Zstd:
      return decode_zstd(input, output, capacity, state);
    case CodecKind::Blosc:
      return decode_blosc(input, output, capacity);
    case CodecKind::Gzip:
    case CodecKind::Zlib:
      return decode_deflate(codec, input, output, capacity, state);
    case CodecKind::Lz4:
      return decode_lz4(input, output, capacity);
    case CodecKind::Crc32c:
      return copy_bytes(verified_crc32c(input), output, capacity);
  }
  throw Error(ERR_NATIVE, "unknown codec");
}

size_t encode_one(const Codec& codec, Bytes input, uint8_t* output, size_t capacity, CodecState& state) {
  switch (codec.kind) {
    case CodecKind::Zstd:
      return encode_zstd(codec, input, output, capacity, state);
    case CodecKind::Blosc:
      return encode_blosc(codec, input, output, capacity);
    case CodecKind::Gzip:
    case CodecKind::Zlib:
      return encode_deflate(codec, input, output, capacity, state);
    case CodecKind::Lz4:
      return encode_lz4(codec, input, output, capacity);
    case CodecKind::Crc32c:
      return encode_crc32c(input, output);
  }
  throw Error(ERR_NATIVE, "unknown codec");
}

size_t encoded_bound(const std::vector<Codec>& codecs, size_t size) {
  for (const Codec& codec : codecs) size = bound_of(codec, size);
  return size;
}

namespace {

// Undoes all codecs but the first.
Bytes undo_later(const std::vector<Codec>& codecs, Bytes encoded, size_t capacity, CodecState& state) {
  std::vector<size_t> bounds = {capacity};  // of what goes into each codec when encoding
  for (const Codec& codec : codecs) bounds.push_back(bound_of(codec, bounds.back()));
  size_t stages = 0;
  for (size_t position = codecs.size(); position-- > 1;) {
    if (codecs[position].kind == CodecKind::Crc32c) {
      encoded = verified_crc32c(encoded);
      continue;
    }
    uint8_t* const stage = state.stages[stages++ % 2].reserve(bounds[position]);
    encoded = {stage, decode_one(codecs[position], encoded, stage, bounds[position], state)};
  }
  return encoded;
}

}  // namespace

size_t decode_at_most(const std::vector<Codec>& codecs, Bytes encoded, uint8_t* output, size_t capacity, CodecState& state) {
  if (codecs.empty()) return copy_bytes(encoded, output, capacity);
  return decode_one(codecs[0], undo_later(codecs, encoded, capacity, state), output, capacity, state);
}

void decode(const std::vector<Codec>& codecs, Bytes encoded, uint8_t* output, size_t size, CodecState& state) {
  const size_t decoded = decode_at_most(codecs, encoded, output, size, state);
  if (decoded != size) corrupt("expected " + std::to_string(size) + " bytes, decoded " + std::to_string(decoded));
}

void decode_part(const std::vector<Codec>& codecs, Bytes encoded, uint8_t* output, size_t size, size_t first, size_t end,
                 CodecState& state) {
  if (codecs.empty() || codecs[0].kind != CodecKind::Blosc) return decode(codecs, encoded, output, size, state);
  decode_blosc_part(undo_later(codecs, encoded, size, state), output, size, first, end);
}

Bytes encode(const std::vector<Codec>& codecs, Bytes plain, CodecState& state) {
  for (size_t position = 0; position < codecs.size(); ++position) {
    const size_t bound = bound_of(codecs[position], plain.size);
    uint8_t* const stage = state.stages[position % 2].reserve(bound);
    plain = {stage, encode_one(codecs[position], plain, stage, bound, state)};
  }
  return plain;
}

}  // namespace blockwright
