// What precedes the grid's own edges in a mutex watershed: equal seeds are one cluster, then user edges between seed ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/cancellation.h"

namespace blockwright {

struct UserEdge {
  bool attractive;
  uint64_t a, b;  // seed ids
};

struct MutexWatershedSeeds {
  const uint64_t* seeds = nullptr;  // [voxels], 0 = none; null = no seeds. Different seeds exclude each other
  std::vector<UserEdge> edges;      // in this order, before those exclusions
};

// Pairs of voxels that the seeds and the user edges join. Takes 8 to 24 bytes a voxel with a seed and about 45 a seed. A user edge that names an id which no voxel has throws.
std::vector<std::pair<uint32_t, uint32_t>> seed_joins(const MutexWatershedSeeds& seeds, size_t voxels,
                                                      const Cancellation& cancellation = {});

}  // namespace blockwright
