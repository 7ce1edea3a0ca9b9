// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3,
// SC 2011). Random access: every number is a function of a key and a counter, so blocks, threads and machines agree.
#pragma once

#include <array>
#include <cstdint>

namespace blockwright {

using RandomKey = std::array<uint32_t, 2>;
using RandomWords = std::array<uint32_t, 4>;

inline RandomWords philox(RandomWords counter, RandomKey key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// A key for one use of random numbers, from the user's seed, a stream (for example a block's index) and a purpose.
inline RandomKey derive_key(RandomKey key, uint64_t stream, uint32_t purpose) {
  const RandomWords words = philox({static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32), purpose, 0}, key);
  return {words[0], words[1]};
}

inline RandomKey seed_key(uint64_t seed) { return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}; }

// A nearly normal deviate made of integers only: 40 fair coins and 24 bits that fill the gaps between their sums.
// Returns an odd integer below 2^30; times NORMAL_SCALE its mean is 0 (exactly), its variance 1 (to 1e-15), its excess
// kurtosis -0.05, its largest magnitude 6.46; the distribution function differs from the normal one by less than 0.0021.
inline int32_t normal_deviate(uint32_t a, uint32_t b) {
  // Ones in a and in the upper 8 bits of b, by halves, quarters, ... so that compilers turn rows of this into vectors.
  uint32_t ones = a - ((a >> 1) & 0x55555555);
  uint32_t rest = b >> 24;
  rest -= (rest >> 1) & 0x55;
  ones = (ones & 0x33333333) + ((ones >> 2) & 0x33333333);
  rest = (rest & 0x33) + ((rest >> 2) & 0x33);
  ones = ((ones + (ones >> 4)) & 0x0F0F0F0F) + ((rest + (rest >> 4)) & 0x0F);
  ones = (ones * 0x01010101) >> 24;
  // 2 * ((ones - 20) * 2^24 + (b mod 2^24) - 2^23) + 1
  return static_cast<int32_t>((ones << 25) + ((b & 0xFFFFFF) << 1) + 1 - (uint32_t{20} << 25) - (uint32_t{1} << 24));
}

// 1 / (2^25 * sqrt(10 + 1/12)): the variance is 40 / 4 of the coins and 1/12 of the filling.
inline constexpr double NORMAL_SCALE = 0x1.4279f349d4f08p-27;

}  // namespace blockwright
