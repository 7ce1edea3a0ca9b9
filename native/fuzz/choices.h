// What several targets read from their inputs: codecs, content.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "io/codec.h"

namespace blockwright {

// A chain of up to three codecs.
std::vector<Codec> read_codecs(InputReader& input);
std::string describe(const std::vector<Codec>& codecs);

// Numbers that codecs squeeze well, badly, or not at all.
std::vector<uint8_t> read_content(InputReader& input, size_t size);

// CRC-32C by its definition, bit by bit.
uint32_t plain_crc32c(Span<const uint8_t> bytes);

}  // namespace blockwright
