// blosc 1 chunks. The header and the table of blocks are checked before libblosc sees them, because it takes the sizes
// in them at their word (a chunk whose file was cut would be read beyond its end).
#pragma once

#include "io/codec.h"

namespace blockwright {

size_t decode_blosc(Bytes input, uint8_t* output, size_t capacity);
size_t encode_blosc(const Codec& codec, Bytes input, uint8_t* output, size_t capacity);

}  // namespace blockwright
