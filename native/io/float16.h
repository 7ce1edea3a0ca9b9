// IEEE half precision in memory as its bits. Plain integer arithmetic, so the results are the same on every machine.
#pragma once

#include <cstdint>
#include <cstring>

namespace blockwright {

// Exact; the bits of a NaN are kept.
inline float float_from_half(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t magnitude = half & 0x7fffu;
  uint32_t bits;
  if (magnitude >= 0x7c00u) {  // infinity, NaN
    bits = 0x7f800000u | (magnitude & 0x3ffu) << 13;
  } else if (magnitude >= 0x400u) {
    bits = (magnitude << 13) + (uint32_t{127 - 15} << 23);
  } else {  // zero and subnormal: fraction * 2^-24, an exact product
    const float value = static_cast<float>(magnitude) * 5.9604644775390625e-8f;
    std::memcpy(&bits, &value, sizeof(bits));
  }
  bits |= sign;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

// The nearest, ties to even; infinity beyond the range. A NaN stays one, with the bits that fit.
inline uint16_t half_from_float(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude > 0x7f800000u) {
    half = 0x7c00u | (magnitude >> 13 & 0x3ffu);
    if (half == 0x7c00u) half = 0x7e00u;
  } else if (magnitude >= 0x477ff000u) {  // 65520, half way between the largest number and what would follow
    half = 0x7c00u;
  } else if (magnitude >= 0x38800000u) {  // 2^-14, the smallest normal number
    const uint32_t shifted = magnitude - (uint32_t{127 - 15} << 23);
    half = (shifted + 0xfffu + (shifted >> 13 & 1u)) >> 13;
  } else if (magnitude < 0x33000000u) {  // below 2^-25, half of the smallest number
    half = 0;
  } else {  // subnormal: the fraction with its leading one, in steps of 2^-24
    const uint32_t fraction = (magnitude & 0x7fffffu) | 0x800000u;
    const uint32_t shift = 126u - (magnitude >> 23);  // 14 to 24
    const uint32_t kept = fraction >> shift;
    const uint32_t rest = fraction & ((1u << shift) - 1u);
    const uint32_t tie = 1u << (shift - 1u);
    half = kept + (rest > tie || (rest == tie && (kept & 1u) != 0) ? 1u : 0u);
  }
  return static_cast<uint16_t>(sign | half);
}

}  // namespace blockwright
