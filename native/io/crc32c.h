// CRC-32C (Castagnoli, RFC 3720 appendix B.4).
#pragma once

#include <cstddef>
#include <cstdint>

namespace blockwright {

// By the processor's instruction where it has one, else by tables.
uint32_t crc32c(const uint8_t* data, size_t size);
uint32_t crc32c_by_tables(const uint8_t* data, size_t size);

}  // namespace blockwright
