#include "fuzz/choices.h"

#include "test/check.h"

namespace blockwright {

namespace {

const char* const NAMES[] = {"zstd", "blosc", "gzip", "zlib", "lz4", "crc32c"};
const char* const COMPRESSORS[] = {"lz4", "lz4hc", "blosclz", "zstd", "zlib"};

Codec read_codec(InputReader& input) {
  Codec codec;
  codec.kind = static_cast<CodecKind>(input.below(6));
  const auto level = static_cast<int>(input.below(10));
  codec.level = codec.kind == CodecKind::Zstd ? level % 6 - 2 : level % 7;
  codec.checksum = input.below(2) == 1;
  codec.blosc_compressor = COMPRESSORS[input.below(5)];
  codec.blosc_shuffle = static_cast<int>(input.below(3));
  constexpr size_t TYPE_SIZES[] = {1, 2, 4, 8, 3, 16, 255};
  codec.blosc_type_size = TYPE_SIZES[input.below(7)];
  constexpr size_t BLOCK_SIZES[] = {0, 0, 1, 64, 1000, 4096, 1 << 20};
  codec.blosc_block_size = BLOCK_SIZES[input.below(7)];
  return codec;
}

}  // namespace

std::vector<Codec> read_codecs(InputReader& input) {
  std::vector<Codec> codecs(input.below(4));
  for (Codec& codec : codecs) codec = read_codec(input);
  return codecs;
}

std::string describe(const std::vector<Codec>& codecs) {
  std::string text;
  for (const Codec& codec : codecs) {
    text += (text.empty() ? "" : " > ") + std::string(NAMES[static_cast<int>(codec.kind)]);
    if (codec.kind != CodecKind::Blosc) continue;
    text += "(" + codec.blosc_compressor + ", shuffle " + std::to_string(codec.blosc_shuffle) + ", type size " +
            std::to_string(codec.blosc_type_size) + ", block size " + std::to_string(codec.blosc_block_size) + ")";
  }
  return text.empty() ? "no codecs" : text;
}

std::vector<uint8_t> read_content(InputReader& input, size_t size) {
  const uint64_t kind = input.below(4);
  const uint64_t step = input.below(9);
  Random random(input.number());
  std::vector<uint8_t> content(size, static_cast<uint8_t>(step));
  if (kind == 0) return content;
  uint8_t value = 0;
  for (size_t i = 0; i < size; ++i) {
    if (kind == 1) {
      value = static_cast<uint8_t>(random.next());
    } else if (kind == 2) {
      value = static_cast<uint8_t>(i / 4 * step);
    } else if (random.below(16) == 0) {
      value = static_cast<uint8_t>(random.below(4));
    }
    content[i] = value;
  }
  return content;
}

uint32_t plain_crc32c(Span<const uint8_t> bytes) {
  uint32_t remainder = 0xffffffffu;
  for (const uint8_t byte : bytes) {
    remainder ^= byte;
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ ((remainder & 1u) != 0 ? 0x82f63b78u : 0u);
  }
  return ~remainder;
}

}  // namespace blockwright
