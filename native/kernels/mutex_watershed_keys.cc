#include "kernels/mutex_watershed_keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/philox.h"
#include "core/target_clones.h"

namespace blockwright {

namespace {

constexpr int64_t SEGMENT = 1024;  // voxels of a row that are worked on at once, so that buffers stay in the first cache
constexpr uint32_t NOISE = 1;      // purposes of random numbers
constexpr uint32_t KEEP = 2;
constexpr uint32_t AXIS = 16;

// Four words for each voxel of a segment; counters are (x + i, y, z, group of channels).
BLOCKWRIGHT_TARGET_CLONES
void philox_segment(RandomKey key, uint32_t x, uint32_t y, uint32_t z, uint32_t group, int64_t count,
                    uint32_t (*words)[SEGMENT]) {
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

// The float32 value of each voxel of a segment as a signed integer; returns whether one is NaN.
template <class Affinity>
inline __attribute__((always_inline)) bool value_segment_any(const Affinity* affinities, const uint8_t* mask,
                                                             const int32_t* noise, double noise_scale,
                                                             const float* smoothed, double bias, int64_t count,
                                                             int32_t* keys) {
  double raw[SEGMENT];
  double sum[SEGMENT];
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
bool value_segment(const uint8_t* affinities, const uint8_t* mask, const int32_t* noise, double noise_scale,
                   const float* smoothed, double bias, int64_t count, int32_t* keys) {
  return value_segment_any(affinities, mask, noise, noise_scale, smoothed, bias, count, keys);
}

BLOCKWRIGHT_TARGET_CLONES
bool value_segment(const float* affinities, const uint8_t* mask, const int32_t* noise, double noise_scale,
                   const float* smoothed, double bias, int64_t count, int32_t* keys) {
  return value_segment_any(affinities, mask, noise, noise_scale, smoothed, bias, count, keys);
}

[[noreturn]] void throw_not_a_number(const MutexWatershedInput& input, uint32_t channel, int64_t voxel) {
  const Shape strides = input.shape.strides();
  std::string position;
  for (int axis = 0; axis < input.shape.dimensions; ++axis) {
    if (axis > 0) position += ", ";
    position += std::to_string(voxel / strides[axis] % input.shape[axis]);
  }
  throw Error(ERR_NOT_A_NUMBER, "affinities: NaN in channel " + std::to_string(channel) + " at voxel [" + position + "]");
}

// Where a channel has edges: voxels begin, begin + stride, ... below end, on every axis.
struct EdgeBox {
  Shape begin, end, stride;
  uint64_t keep_one_of = 1;  // randomised strides: an edge is kept with probability 1 / keep_one_of

  bool holds(int axis, int64_t position) const {
    return position >= begin[axis] && position < end[axis] && (position - begin[axis]) % stride[axis] == 0;
  }
};

EdgeBox edge_box(const MutexWatershedInput& input, uint32_t channel) {
  EdgeBox box;
  box.begin.dimensions = box.end.dimensions = box.stride.dimensions = input.shape.dimensions;
  for (int axis = 0; axis < input.shape.dimensions; ++axis) {
    const int64_t offset = input.offsets[channel][axis];
    const int64_t extent = input.shape[axis];
    const int64_t reach = std::clamp(offset, -extent, extent);
    box.begin[axis] = std::max<int64_t>(0, -reach);
    box.end[axis] = extent - std::max<int64_t>(0, reach);
    box.stride[axis] = 1;
    if (input.strides.empty()) continue;
    const int64_t stride = input.strides[channel][axis];
    if (!input.randomized_strides) {
      box.stride[axis] = stride;
    } else if (__builtin_mul_overflow(box.keep_one_of, static_cast<uint64_t>(stride), &box.keep_one_of)) {
      box.keep_one_of = ~uint64_t{0};
    }
  }
  return box;
}

// For uint8 input without noise: key of each byte in each channel, and of a byte outside the mask (as byte 0).
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

}  // namespace

bool has_int16_keys(const MutexWatershedInput& input) {
  return input.affinities_uint8 != nullptr && input.noise_eps == 0 && input.smoothed == nullptr &&
         input.offsets.size() <= 127;
}

template <class Key>
EdgeKeys<Key> edge_keys(const MutexWatershedInput& input, const Cancellation& cancellation) {
  const Shape& shape = input.shape;
  const int last = shape.dimensions - 1;
  const size_t voxels = shape.count();
  const size_t channels = input.offsets.size();
  if (voxels >= (size_t{1} << 31) || (voxels != 0 && channels > (size_t{1} << 32) / voxels - 1)) {
    throw Error(ERR_LIMIT, "shape: expected fewer than 2^31 voxels and 2^32 edges, found " + std::to_string(voxels) +
                               " voxels and " + std::to_string(channels) + " channels; work in blocks");
  }
  EdgeKeys<Key> keys;
  keys.voxels = static_cast<uint32_t>(voxels);
  keys.channels = static_cast<uint32_t>(channels);
  keys.values = large_array<Key>(voxels * channels);
  std::vector<EdgeBox> boxes;
  const Shape raster = shape.strides();
  for (uint32_t c = 0; c < channels; ++c) {
    boxes.push_back(edge_box(input, c));
    uint64_t step = 0;  // modulo 2^64: an offset beyond the volume has no edges, so its step is never used
    for (int axis = 0; axis <= last; ++axis) {
      step += static_cast<uint64_t>(input.offsets[c][axis]) * static_cast<uint64_t>(raster[axis]);
    }
    keys.step.push_back(static_cast<int64_t>(step));
  }
  if (voxels == 0) return keys;

  std::vector<std::array<int16_t, 256>> tables;
  if constexpr (sizeof(Key) == 2) tables = rank_tables(input);
  const double noise_scale = input.noise_eps * NORMAL_SCALE;
  const auto noise_words = std::make_unique<uint32_t[][SEGMENT]>(4);
  const auto keep_words = std::make_unique<uint32_t[][SEGMENT]>(4);
  const auto noise = std::make_unique<int32_t[][SEGMENT]>(2);
  const auto values = std::make_unique<int32_t[]>(SEGMENT);

  std::array<int64_t, MAX_DIMENSIONS> position{};
  const int64_t row = shape[last];
  for (size_t begin = 0, rows = 0; begin < voxels; begin += row, ++rows) {
    if (rows % 64 == 0) cancellation.check();
    // The last three coordinates are counters; others, and what the numbers are for, go into the key.
    RandomKey noise_key{}, keep_key{};
    std::array<uint32_t, 3> counter{};
    const auto coordinate = [&](int axis) {
      return static_cast<uint64_t>(position[axis]) + static_cast<uint64_t>(input.origin.empty() ? 0 : input.origin[axis]);
    };
    if (input.noise_eps != 0 || input.randomized_strides) {
      noise_key = derive_key(seed_key(input.seed), input.stream, NOISE);
      keep_key = derive_key(seed_key(input.seed), input.stream, KEEP);
      for (int axis = 0; axis <= last; ++axis) {
        if (last - axis < 3) {
          counter[last - axis] = static_cast<uint32_t>(coordinate(axis));
        } else {
          noise_key = derive_key(noise_key, coordinate(axis), AXIS + axis);
          keep_key = derive_key(keep_key, coordinate(axis), AXIS + axis);
        }
      }
    }
    std::array<bool, 2> ready{};  // whether the noise of a pair, the words of a group of four are there
    for (int64_t segment = 0; segment < row; segment += SEGMENT) {
      const int64_t count = std::min(SEGMENT, row - segment);
      const size_t voxel = begin + segment;
      const uint32_t x = counter[0] + static_cast<uint32_t>(segment);
      const uint8_t* mask = input.mask == nullptr ? nullptr : input.mask + voxel;
      for (uint32_t c = 0; c < channels; ++c) {
        if (c % 2 == 0) ready[0] = false;
        if (c % 4 == 0) ready[1] = false;
        const EdgeBox& box = boxes[c];
        const size_t at = c * voxels + voxel;
        Key* out = keys.values.get() + at;
        bool runs = true;
        for (int axis = 0; axis < last; ++axis) runs = runs && box.holds(axis, position[axis]);
        const int64_t low = std::clamp<int64_t>(box.begin[last] - segment, 0, count);
        const int64_t high = std::clamp<int64_t>(box.end[last] - segment, low, count);
        if (!runs || low == high) {
          std::fill(out, out + count, Key{0});
          if (input.affinities_float32 != nullptr) {
            for (int64_t i = 0; i < count; ++i) {
              if (std::isnan(input.affinities_float32[at + i]) && (mask == nullptr || mask[i] != 0)) {
                throw_not_a_number(input, c, voxel + i);
              }
            }
          }
          continue;
        }
        if constexpr (sizeof(Key) == 2) {
          const std::array<int16_t, 256>& table = tables[c];
          const uint8_t* bytes = input.affinities_uint8 + at;
          for (int64_t i = 0; i < count; ++i) out[i] = table[bytes[i]];
          if (mask != nullptr) {
            for (int64_t i = 0; i < count; ++i) out[i] = mask[i] != 0 ? out[i] : table[0];
          }
        } else {
          if (input.noise_eps != 0 && !ready[0]) {
            philox_segment(noise_key, x, counter[1], counter[2], c / 2, count, noise_words.get());
            normal_segment(noise_words[0], noise_words[1], count, noise[0]);
            normal_segment(noise_words[2], noise_words[3], count, noise[1]);
            ready[0] = true;
          }
          const int32_t* deviates = input.noise_eps != 0 ? noise[c % 2] : nullptr;
          const float* smoothed = input.smoothed == nullptr ? nullptr : input.smoothed + at;
          const bool not_a_number =
              input.affinities_uint8 != nullptr
                  ? value_segment(input.affinities_uint8 + at, mask, deviates, noise_scale, smoothed, input.bias[c], count, values.get())
                  : value_segment(input.affinities_float32 + at, mask, deviates, noise_scale, smoothed, input.bias[c], count, values.get());
          if (not_a_number) {
            for (int64_t i = 0; i < count; ++i) {
              if (std::abs(values[i]) > 0x7F800000) throw_not_a_number(input, c, voxel + i);
            }
          }
          std::memcpy(out, values.get(), count * sizeof(Key));
        }
        std::fill(out, out + low, Key{0});
        std::fill(out + high, out + count, Key{0});
        if (box.stride[last] > 1) {
          for (int64_t i = low; i < high; ++i) {
            if ((segment + i - box.begin[last]) % box.stride[last] != 0) out[i] = 0;
          }
        }
        if (box.keep_one_of > 1) {
          if (!ready[1]) {
            philox_segment(keep_key, x, counter[1], counter[2], c / 4, count, keep_words.get());
            ready[1] = true;
          }
          const uint32_t* words = keep_words[c % 4];
          for (int64_t i = low; i < high; ++i) {
            // word / 2^32 < 1 / keep_one_of
            if (words[i] > 0xFFFFFFFF / box.keep_one_of) out[i] = 0;
          }
        }
      }
    }
    for (int axis = last - 1; axis >= 0; --axis) {
      if (++position[axis] < shape[axis]) break;
      position[axis] = 0;
    }
  }
  return keys;
}

template EdgeKeys<int16_t> edge_keys(const MutexWatershedInput&, const Cancellation&);
template EdgeKeys<int32_t> edge_keys(const MutexWatershedInput&, const Cancellation&);

}  // namespace blockwright
