// The edges of a grid as signed integer keys: what the mutex watershed sorts and compares.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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
};

// Channel c has an edge from voxel p to voxel p + step[c] (raster indices) where values[c * voxels + p] is not 0. Its sign
// says attractive (> 0) or repulsive, its magnitude orders the edges; equal magnitudes are equal |value|.
template <class Key>
struct EdgeKeys {
  uint32_t voxels = 0;
  uint32_t channels = 0;
  std::vector<int64_t> step;
  LargeArray<Key> values;
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
