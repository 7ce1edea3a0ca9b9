// The edges of a grid as signed integer keys: what the mutex watershed sorts and compares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "core/cancellation.h"
#include "core/large_array.h"
#include "core/shape.h"

namespace blockwright {

// Which edges there are and what their values are made of. Pointers are borrowed; null means absent.
struct MutexWatershedInput {
  Shape shape;                              // spatial, 1 to 6 axes
  std::vector<std::vector<int64_t>> offsets;  // [channels][axes]
  std::vector<std::vector<int64_t>> strides;  // [channels][axes] >= 1, or empty: all edges
  bool randomized_strides = false;
  const uint8_t* affinities_uint8 = nullptr;  // [channels, shape]; exactly one of the two is given
  const float* affinities_float32 = nullptr;
  const float* smoothed = nullptr;            // [channels, shape]
  const uint8_t* mask = nullptr;              // [shape], 0 = outside
  std::vector<double> bias;                   // [channels]
  double noise_eps = 0;
  uint64_t seed = 0;
  uint64_t stream = 0;
  std::vector<int64_t> origin;                // [axes]: where voxel 0 is, for random numbers only
  // How many edges may be looked at, for each edge that there is, to find exclusions when they are needed. Beyond it they
  // are all put into a table. Only time and memory depend on it.
  uint64_t search_budget = 4;
  size_t threads = 1;  // the labels do not depend on it
};

// 64 voxels of a channel that has edges at few of them: bit i is set where voxel i has one, whose keys lie one after the other
// from values[before] on.
struct PackedEdges {
  uint64_t present;
  uint64_t before;
};

// Channel c has an edge from voxel p to voxel p + step[c] (raster indices) where at(c, p) is not 0. Its sign says attractive
// (> 0) or repulsive, its magnitude orders the edges; equal magnitudes are equal |value|.
template <class Key>
struct EdgeKeys {
  uint32_t voxels = 0;
  uint32_t channels = 0;
  uint32_t largest = std::numeric_limits<Key>::max();  // no |key| is larger
  std::vector<int64_t> step;
  LargeArray<Key> values;      // channel after channel
  std::vector<size_t> begins;  // where each channel's are in values, and how many there are in all
  std::vector<LargeArray<PackedEdges>> packed;  // of channels with strides; null: there is a value for every voxel

  Key at(uint32_t c, uint32_t voxel) const {
    if (packed[c] == nullptr) return values[begins[c] + voxel];
    const bool present = (packed[c][voxel / 64].present >> (voxel % 64) & 1) != 0;
    return present ? values[place(c, voxel)] : Key{0};
  }

  // The keys of channel c at voxels begin .. begin + count - 1, or null where it has no edges there. They may be put into
  // `buffer`, which has room for them.
  const Key* strip(uint32_t c, size_t begin, size_t count, Key* buffer) const {
    if (packed[c] == nullptr) return values.get() + begins[c] + begin;
    if (place(c, begin) == place(c, begin + count)) return nullptr;
    std::fill(buffer, buffer + count, Key{0});
    for_each_packed(c, begin, count, [buffer](size_t i, Key key) { buffer[i] = key; });
    return buffer;
  }

  // Calls visit(i, key) for the edges of a packed channel at voxels begin + i, i < count.
  template <class Visit>
  void for_each_packed(uint32_t c, size_t begin, size_t count, const Visit& visit) const {
    for (size_t word = begin / 64; word * 64 < begin + count; ++word) {
      const PackedEdges edges = packed[c][word];
      Key* next = values.get() + edges.before;
      for (uint64_t bits = edges.present; bits != 0; bits &= bits - 1, ++next) {
        const size_t i = word * 64 + static_cast<size_t>(__builtin_ctzll(bits)) - begin;
        if (i < count) visit(i, *next);
      }
    }
  }

  // The voxels [first, second) where edges of a channel can start so that their other end is a voxel.
  std::pair<size_t, size_t> starts(uint32_t c) const {
    const int64_t count = voxels;
    if (step[c] >= count || step[c] <= -count) return {0, 0};
    return {static_cast<size_t>(std::max<int64_t>(0, -step[c])), static_cast<size_t>(count - std::max<int64_t>(0, step[c]))};
  }

  // The other end of an edge at a voxel: direction 2 c is the edge of channel c that starts there, 2 c + 1 the one that ends
  // there. Where the edge's key is not 0 this is a voxel, so raster arithmetic is safe.
  uint32_t neighbour(uint32_t voxel, uint32_t direction) const {
    const uint32_t distance = static_cast<uint32_t>(step[direction / 2]);
    return direction % 2 == 0 ? voxel + distance : voxel - distance;
  }

  // Whether an attractive edge touches a voxel.
  bool touched(uint32_t voxel) const {
    for (uint32_t direction = 0; direction < 2 * channels; ++direction) {
      const uint32_t start = direction % 2 == 0 ? voxel : neighbour(voxel, direction);
      if (start < voxels && at(direction / 2, start) > 0) return true;
    }
    return false;
  }

 private:
  // Where the first key of a packed channel at this voxel or behind it is.
  size_t place(uint32_t c, size_t voxel) const {
    const PackedEdges word = packed[c][voxel / 64];
    const uint64_t before = word.present & ((uint64_t{1} << (voxel % 64)) - 1);
    return word.before + static_cast<size_t>(__builtin_popcountll(before));
  }
};

// value = float32(((a + noise_eps * normal) + (smoothed - a)) + bias[c]) in float64 and in this order, absent terms left
// out; a = byte / 255 or the float, 0 where the mask is 0. A value of exactly 0 is repulsive but precedes no attractive
// edge, so it has the key 0 as if there were no edge. NaN throws.
//
// int32_t keys are the bits of |value| with its sign: any input. int16_t keys are the ranks of |value|: only for uint8
// input without noise and smoothing and at most 127 channels.
bool has_int16_keys(const MutexWatershedInput& input);
template <class Key>
EdgeKeys<Key> edge_keys(const MutexWatershedInput& input, const Cancellation& cancellation);

}  // namespace blockwright
