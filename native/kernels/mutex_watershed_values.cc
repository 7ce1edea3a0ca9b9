#include "kernels/mutex_watershed_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/target_clones.h"

namespace blockwright {

namespace {

// The float32 value of each voxel of a segment as a signed integer; returns whether one is NaN.
template <class Affinity>
inline __attribute__((always_inline)) bool values_of_any(const Affinity* affinities, const uint8_t* mask,
                                                         const int32_t* noise, double noise_scale, const float* smoothed,
                                                         double bias, int64_t count, int32_t* keys) {
  double raw[EDGE_SEGMENT];
  double sum[EDGE_SEGMENT];
  for (int64_t i = 0; i < count; ++i) raw[i] = sizeof(Affinity) == 1 ? affinities[i] / 255.0 : static_cast<double>(affinities[i]);
  if (mask != nullptr) {
    for (int64_t i = 0; i < count; ++i) raw[i] = mask[i] != 0 ? raw[i] : 0.0;
  }
  for (int64_t i = 0; i < count; ++i) sum[i] = raw[i];
  if (noise != nullptr) {
    for (int64_t i = 0; i < count; ++i) sum[i] += noise[i] * noise_scale;
  }
  if (smoothed != nullptr) {
    for (int64_t i = 0; i < count; ++i) sum[i] += static_cast<double>(smoothed[i]) - raw[i];
  }
  uint32_t not_a_number = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float value = static_cast<float>(sum[i] + bias);
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    not_a_number |= 0x7F800000 - magnitude;  // the top bit is set for NaN only
    keys[i] = static_cast<int32_t>((bits >> 31) != 0 ? 0 - magnitude : magnitude);
  }
  return (not_a_number >> 31) != 0;
}

BLOCKWRIGHT_TARGET_CLONES
bool values_of(const uint8_t* affinities, const uint8_t* mask, const int32_t* noise, double noise_scale,
                   const float* smoothed, double bias, int64_t count, int32_t* keys) {
  return values_of_any(affinities, mask, noise, noise_scale, smoothed, bias, count, keys);
}

BLOCKWRIGHT_TARGET_CLONES
bool values_of(const float* affinities, const uint8_t* mask, const int32_t* noise, double noise_scale,
                   const float* smoothed, double bias, int64_t count, int32_t* keys) {
  return values_of_any(affinities, mask, noise, noise_scale, smoothed, bias, count, keys);
}

}  // namespace

BLOCKWRIGHT_TARGET_CLONES
void philox_segment(RandomKey key, uint32_t x, uint32_t y, uint32_t z, uint32_t group, int64_t count,
                    SegmentWords& words) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t c0 = x + static_cast<uint32_t>(i), c1 = y, c2 = z, c3 = group;
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; ++round) {
      const uint64_t a = uint64_t{0xD2511F53} * c0;
      const uint64_t b = uint64_t{0xCD9E8D57} * c2;
      c0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ k0;
      c1 = static_cast<uint32_t>(b);
      c2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ k1;
      c3 = static_cast<uint32_t>(a);
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    words[0][i] = c0;
    words[1][i] = c1;
    words[2][i] = c2;
    words[3][i] = c3;
  }
}

BLOCKWRIGHT_TARGET_CLONES
void normal_segment(const uint32_t* a, const uint32_t* b, int64_t count, int32_t* result) {
  for (int64_t i = 0; i < count; ++i) result[i] = normal_deviate(a[i], b[i]);
}

bool value_segment(const MutexWatershedInput& input, uint32_t channel, size_t at, const uint8_t* mask, const int32_t* deviates,
                   int64_t count, int32_t* keys) {
  const double scale = input.noise_eps * NORMAL_SCALE;
  const float* const smoothed = input.smoothed == nullptr ? nullptr : input.smoothed + at;
  const double bias = input.bias[channel];
  if (input.affinities_uint8 != nullptr) {
    return values_of(input.affinities_uint8 + at, mask, deviates, scale, smoothed, bias, count, keys);
  }
  return values_of(input.affinities_float32 + at, mask, deviates, scale, smoothed, bias, count, keys);
}

std::vector<std::array<int16_t, 256>> rank_tables(const MutexWatershedInput& input) {
  const size_t channels = input.offsets.size();
  std::vector<std::array<float, 256>> values(channels);
  std::vector<float> magnitudes;
  for (size_t c = 0; c < channels; ++c) {
    for (int byte = 0; byte < 256; ++byte) {
      values[c][byte] = static_cast<float>(byte / 255.0 + input.bias[c]);
      magnitudes.push_back(std::fabs(values[c][byte]));
    }
  }
  magnitudes.push_back(0);  // rank 0 is the magnitude 0
  std::sort(magnitudes.begin(), magnitudes.end());
  magnitudes.erase(std::unique(magnitudes.begin(), magnitudes.end()), magnitudes.end());
  std::vector<std::array<int16_t, 256>> tables(channels);
  for (size_t c = 0; c < channels; ++c) {
    for (int byte = 0; byte < 256; ++byte) {
      const float value = values[c][byte];
      const auto found = std::lower_bound(magnitudes.begin(), magnitudes.end(), std::fabs(value));
      const auto rank = static_cast<int16_t>(found - magnitudes.begin());
      tables[c][byte] = value < 0 ? static_cast<int16_t>(-rank) : rank;
    }
  }
  return tables;
}

}  // namespace blockwright
