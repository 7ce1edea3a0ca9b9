#include "fuzz/mutate.h"

#include <algorithm>

namespace blockwright {

namespace {

constexpr size_t HEADER = 40;  // bytes that decide most: half of the changes hit them

size_t position_in(Random& random, const std::vector<uint8_t>& bytes) {
  const size_t limit = random.below(2) == 0 ? std::min(bytes.size(), HEADER) : bytes.size();
  return random.below(limit);
}

void store_number(Random& random, std::vector<uint8_t>& bytes) {
  const size_t width = size_t{1} << random.below(4);
  if (bytes.size() < width) return;
  size_t position = std::min(position_in(random, bytes), bytes.size() - width);
  if (random.below(2) == 0) position -= position % width;
  const uint64_t value = hostile_number(random, bytes.size());
  const bool big_endian = random.below(4) == 0;
  for (size_t byte = 0; byte < width; ++byte) {
    bytes[position + (big_endian ? width - 1 - byte : byte)] = static_cast<uint8_t>(value >> (8 * byte));
  }
}

// A part of the bytes.
std::vector<uint8_t> part_of(Random& random, const std::vector<uint8_t>& bytes, size_t& begin) {
  begin = random.below(bytes.size());
  const size_t length = random.below(std::min<size_t>(bytes.size() - begin, random.below(2) == 0 ? 16 : 4096)) + 1;
  return {bytes.begin() + static_cast<ptrdiff_t>(begin), bytes.begin() + static_cast<ptrdiff_t>(begin + length)};
}

}  // namespace

uint64_t hostile_number(Random& random, uint64_t around) {
  // How zstd's frames begin, those of its old formats and skippable ones too.
  constexpr uint64_t FRAMES[] = {0x1eb52ffd, 0xfd2fb522, 0xfd2fb523, 0xfd2fb524, 0xfd2fb525,
                                 0xfd2fb526, 0xfd2fb527, 0xfd2fb528, 0x184d2a50};
  const uint64_t nearly = random.below(5) - 2;  // -2 to 2
  switch (random.below(5)) {
    case 4:
      return FRAMES[random.below(9)];
    case 0:
      return nearly;
    case 1:
      return (uint64_t{1} << random.below(64)) + nearly;
    case 2:
      return around + nearly;
    default:
      return random.next() >> random.below(64);
  }
}

void mutate(Random& random, std::vector<uint8_t>& bytes) {
  const auto at = [&](size_t position) { return bytes.begin() + static_cast<ptrdiff_t>(position); };
  if (bytes.empty()) {
    bytes.resize(1 + random.below(40), static_cast<uint8_t>(random.next()));
    return;
  }
  size_t begin = 0;
  switch (random.below(8)) {
    case 0:
      bytes[position_in(random, bytes)] ^= static_cast<uint8_t>(1u << random.below(8));
      return;
    case 1:
      bytes[position_in(random, bytes)] = static_cast<uint8_t>(random.next());
      return;
    case 2:
    case 3:
      return store_number(random, bytes);
    case 4:
      bytes.resize(random.below(2) == 0 ? bytes.size() - 1 - random.below(std::min<size_t>(bytes.size(), 9))
                                        : random.below(bytes.size()));
      return;
    case 5: {
      const uint8_t value = static_cast<uint8_t>(random.below(2) == 0 ? 0 : random.next());
      bytes.resize(bytes.size() + 1 + random.below(random.below(2) == 0 ? 8 : 2000), value);
      return;
    }
    case 6: {
      const std::vector<uint8_t> part = part_of(random, bytes, begin);
      bytes.erase(at(begin), at(begin + part.size()));
      return;
    }
    default: {
      const std::vector<uint8_t> part = part_of(random, bytes, begin);
      const size_t target = random.below(bytes.size() + 1);
      if (random.below(2) == 0) {
        bytes.insert(at(target), part.begin(), part.end());
      } else {
        std::copy_n(part.begin(), std::min(part.size(), bytes.size() - target), at(target));
      }
    }
  }
}

}  // namespace blockwright
