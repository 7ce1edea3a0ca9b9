#include "io/crc32c.h"

#include "check.h"

using namespace blockwright;

namespace {

// RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
void test_known_values() {
  const std::vector<uint8_t> zeros(32, 0);
  const std::vector<uint8_t> ones(32, 0xff);
  std::vector<uint8_t> rising(32);
  for (size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<uint8_t>(i);
  const std::string digits = "123456789";
  for (const auto checksum : {crc32c, crc32c_by_tables}) {
    CHECK(checksum(nullptr, 0) == 0);
    CHECK(checksum(zeros.data(), zeros.size()) == 0x8a9136aa);
    CHECK(checksum(ones.data(), ones.size()) == 0x62a8ab43);
    CHECK(checksum(rising.data(), rising.size()) == 0x46dd794e);
    CHECK(checksum(reinterpret_cast<const uint8_t*>(digits.data()), digits.size()) == 0xe3069283);
  }
}

void test_instruction_equals_tables() {
  std::vector<uint8_t> bytes(300);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 2654435761u >> 13);
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t size = 0; begin + size <= bytes.size(); ++size) {
      CHECK(crc32c(bytes.data() + begin, size) == crc32c_by_tables(bytes.data() + begin, size));
    }
  }
}

}  // namespace

int main() {
  test_known_values();
  test_instruction_equals_tables();
  return 0;
}
