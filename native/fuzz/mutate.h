// Damages bytes as files are damaged, and as an attacker would.
#pragma once

#include <cstdint>
#include <vector>

#include "test/check.h"

namespace blockwright {

// A number that has broken readers of sizes and offsets: 0, -1, powers of two and their neighbours, and near `around`.
uint64_t hostile_number(Random& random, uint64_t around);

// One change: bits, bytes, a number in the header or anywhere, cut, grown, a part removed, repeated or moved.
void mutate(Random& random, std::vector<uint8_t>& bytes);

}  // namespace blockwright
