#include "kernels/mutex_watershed_seeds.h"

#include <string>
#include <unordered_map>

#include "core/disjoint_sets.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/exclusions.h"

namespace blockwright {

std::vector<std::pair<uint32_t, uint32_t>> seed_joins(const MutexWatershedSeeds& seeds, size_t voxels,
                                                      const Cancellation& cancellation) {
  std::vector<std::pair<uint32_t, uint32_t>> joins;
  std::unordered_map<uint64_t, uint32_t> number_of;  // seed id -> 0, 1, ... in raster order of first voxels
  std::vector<uint32_t> first;
  if (seeds.seeds != nullptr) {
    uint64_t last_id = 0;
    uint32_t last_number = 0;
    for (size_t voxel = 0; voxel < voxels; ++voxel) {
      if (voxel % 65536 == 0) cancellation.check();
      const uint64_t id = seeds.seeds[voxel];
      if (id == 0) continue;
      if (id != last_id) {
        const auto [entry, fresh] = number_of.emplace(id, static_cast<uint32_t>(first.size()));
        if (fresh) first.push_back(static_cast<uint32_t>(voxel));
        last_id = id;
        last_number = entry->second;
      }
      if (first[last_number] != voxel) joins.emplace_back(first[last_number], static_cast<uint32_t>(voxel));
    }
  }
  DisjointSets clusters(static_cast<uint32_t>(first.size()));
  Exclusions exclusions;
  for (size_t i = 0; i < seeds.edges.size(); ++i) {
    const UserEdge& edge = seeds.edges[i];
    uint32_t ends[2];
    for (int end = 0; end < 2; ++end) {
      const uint64_t id = end == 0 ? edge.a : edge.b;
      const auto found = number_of.find(id);
      if (found == number_of.end()) {
        throw Error(ERR_ARGUMENT, "edges[" + std::to_string(i) + "]: expected ids of seeds, found " + std::to_string(id) +
                                      ", which no voxel of seeds has");
      }
      ends[end] = found->second;
    }
    const uint32_t a = clusters.find(ends[0]);
    const uint32_t b = clusters.find(ends[1]);
    if (a == b || exclusions.contains(a, b)) continue;
    if (edge.attractive) {
      const uint32_t kept = clusters.join(a, b);
      exclusions.join(kept, kept == a ? b : a);
      joins.emplace_back(first[ends[0]], first[ends[1]]);
    } else {
      exclusions.add(a, b);
    }
  }
  return joins;
}

}  // namespace blockwright
