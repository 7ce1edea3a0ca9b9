#include "io/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#define BLOCKWRIGHT_CRC32C_INSTRUCTION
#endif

namespace blockwright {

namespace {

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// Table k gives the checksum of a byte that is followed by k zero bytes ("slicing by eight", Kounavis and Berry 2008).
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78u : 0u);
    tables[0][byte] = value;
  }
  for (uint32_t byte = 0; byte < 256; ++byte) {
    for (int k = 1; k < 8; ++k) {
      tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
    }
  }
  return tables;
}

constexpr Tables TABLES = make_tables();

uint32_t load_little(const uint8_t* bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

uint32_t by_tables(uint32_t value, const uint8_t* data, size_t size) {
  for (; size >= 8; data += 8, size -= 8) {
    const uint32_t low = load_little(data) ^ value;
    const uint32_t high = load_little(data + 4);
    value = TABLES[7][low & 0xff] ^ TABLES[6][(low >> 8) & 0xff] ^ TABLES[5][(low >> 16) & 0xff] ^ TABLES[4][low >> 24] ^
            TABLES[3][high & 0xff] ^ TABLES[2][(high >> 8) & 0xff] ^ TABLES[1][(high >> 16) & 0xff] ^ TABLES[0][high >> 24];
  }
  for (; size > 0; ++data, --size) value = (value >> 8) ^ TABLES[0][(value ^ *data) & 0xff];
  return value;
}

#if defined(BLOCKWRIGHT_CRC32C_INSTRUCTION)
// The instruction of SSE 4.2: the same value, four times faster.
__attribute__((target("sse4.2"))) uint32_t by_instruction(uint32_t value, const uint8_t* data, size_t size) {
  uint64_t wide = value;
  for (; size >= 8; data += 8, size -= 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  value = static_cast<uint32_t>(wide);
  for (; size > 0; ++data, --size) value = _mm_crc32_u8(value, *data);
  return value;
}
#endif

}  // namespace

uint32_t crc32c_by_tables(const uint8_t* data, size_t size) { return ~by_tables(0xffffffffu, data, size); }

uint32_t crc32c(const uint8_t* data, size_t size) {
#if defined(BLOCKWRIGHT_CRC32C_INSTRUCTION)
  if (__builtin_cpu_supports("sse4.2")) return ~by_instruction(0xffffffffu, data, size);
#endif
  return crc32c_by_tables(data, size);
}

}  // namespace blockwright
