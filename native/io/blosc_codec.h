// blosc 1 chunks. The header and the table of blocks are checked before libblosc sees them, because it takes the sizes
// in them at their word (a chunk whose file was cut would be read beyond its end).
#pragma once

#include "io/codec.h"

namespace blockwright {

size_t decode_blosc(Bytes input, uint8_t* output, size_t capacity);
// decode_blosc of a chunk of `size` bytes of which only those from `first` to before `end` are wanted: blocks without any of them
// are not decoded. The other bytes of the output are left as they are, or are the chunk's.
void decode_blosc_part(Bytes input, uint8_t* output, size_t size, size_t first, size_t end);
size_t encode_blosc(const Codec& codec, Bytes input, uint8_t* output, size_t capacity);

}  // namespace blockwright
