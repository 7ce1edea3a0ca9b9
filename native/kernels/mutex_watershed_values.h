// The keys of the edges of one channel along a part of a row, from affinities, noise, smoothing and bias: what edge_keys() is
// made of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/philox.h"
#include "kernels/mutex_watershed_keys.h"

namespace blockwright {

inline constexpr int64_t EDGE_SEGMENT = 1024;  // voxels of a row that are worked on at once: buffers stay in the first cache

// The random words of a segment: words[k][i] is word k of the counter (x + i, y, z, group).
using SegmentWords = uint32_t[4][EDGE_SEGMENT];
void philox_segment(RandomKey key, uint32_t x, uint32_t y, uint32_t z, uint32_t group, int64_t count, SegmentWords& words);

// Normal deviates, times 1 / NORMAL_SCALE.
void normal_segment(const uint32_t* a, const uint32_t* b, int64_t count, int32_t* deviates);

// The bits of |value| with the value's sign, at `count` voxels from `at` = channel * voxels + voxel on; `mask` (of the
// same voxels) and `deviates` may be null. Returns whether a value is NaN: its key is beyond that of infinity.
bool value_segment(const MutexWatershedInput& input, uint32_t channel, size_t at, const uint8_t* mask, const int32_t* deviates,
                   int64_t count, int32_t* keys);

// For uint8 input without noise and smoothing: the key of each byte in each channel, the rank of its |value| with its sign.
std::vector<std::array<int16_t, 256>> rank_tables(const MutexWatershedInput& input);

}  // namespace blockwright
