// What the mutex watershed wants to know of the edges at every voxel, computed for a strip of voxels at once. Directions are
// those of EdgeKeys::neighbour().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/cancellation.h"
#include "core/parallel.h"
#include "kernels/mutex_watershed_keys.h"

namespace blockwright {

inline constexpr size_t EDGE_STRIP = 2048;           // voxels; what is written of a strip stays in the first cache
inline constexpr uint32_t NO_DIRECTION = ~uint32_t{0};

// Calls work(begin, count) for all voxels, EDGE_STRIP of them at a time, by several threads.
template <class Work>
void for_each_strip(size_t voxels, size_t threads, const Cancellation& cancellation, const Work& work) {
  parallel_for(threads, (voxels + EDGE_STRIP - 1) / EDGE_STRIP, [&](size_t strip) {
    cancellation.check();
    work(strip * EDGE_STRIP, std::min(EDGE_STRIP, voxels - strip * EDGE_STRIP));
  });
}

// For voxels begin .. begin + count - 1 (count <= EDGE_STRIP): the direction of the first edge at the voxel if that is
// attractive, else NO_DIRECTION; and the largest |key| of its repulsive edges, 0 if it has none.
template <class Key>
void first_edges(const EdgeKeys<Key>& keys, size_t begin, size_t count, uint32_t* direction, uint32_t* repulsion);

// For the same voxels: bit d of directions[i] is set where direction d has a repulsive edge with |key| in [low, high], the bits of
// `weaker` where any has one with a |key| below low. With more than 16 channels bits are shared by directions that are equal
// modulo 32.
template <class Key>
void repulsive_directions(const EdgeKeys<Key>& keys, uint32_t low, uint32_t high, size_t begin, size_t count,
                          uint32_t weaker, uint32_t* directions);

// For edges of one channel that start at voxels begin .. begin + count - 1 and whose keys are values[0 .. count): flags[i] is 1
// if |key| is in [low, high], the edge is attractive or `both` is set, and its ends have different roots, else 0. roots[v]
// is the root of voxel v, or negative if v is one itself. flags must have room for a multiple of 8.
void select_edges(const int16_t* values, const int32_t* roots, size_t begin, int64_t step, size_t count, uint32_t low,
                  uint32_t high, bool both, uint8_t* flags);
void select_edges(const int32_t* values, const int32_t* roots, size_t begin, int64_t step, size_t count, uint32_t low,
                  uint32_t high, bool both, uint8_t* flags);

}  // namespace blockwright
