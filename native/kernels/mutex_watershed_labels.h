// Labels of the clusters that a mutex watershed has found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/cancellation.h"
#include "core/disjoint_sets.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "kernels/mutex_watershed_keys.h"
#include "kernels/mutex_watershed_strips.h"

namespace blockwright {

// See mutex_watershed(). Leaves the clusters flat.
template <class Key>
void label_clusters(const EdgeKeys<Key>& keys, DisjointSets& clusters, const uint64_t* seeds, uint64_t* labels, size_t threads,
                    const Cancellation& cancellation) {
  for_each_strip(keys.voxels, threads, cancellation, [&](size_t begin, size_t count) { std::fill_n(labels + begin, count, 0); });
  uint64_t last = 0;
  if (seeds != nullptr) {
    for (uint32_t i = 0; i < keys.voxels; ++i) {
      if (i % 65536 == 0) cancellation.check();
      if (seeds[i] == 0) continue;
      uint64_t& label = labels[clusters.find(i)];
      label = label == 0 ? seeds[i] : std::min(label, seeds[i]);
      last = std::max(last, seeds[i]);
    }
  }
  // A root's own entry names its cluster from the first voxel on, which may come before the root.
  for_each_strip(keys.voxels, threads, cancellation, [&](size_t begin, size_t count) { clusters.flatten(begin, begin + count); });
  uint32_t before = ~uint32_t{0};
  for (uint32_t i = 0; i < keys.voxels; ++i) {
    if (i % 65536 == 0) cancellation.check();
    const uint32_t root = clusters.parent(i);
    if (root == before) continue;
    before = root;
    if (labels[root] == 0 && (clusters.size(root) > 1 || keys.touched(i))) {
      if (last == std::numeric_limits<uint64_t>::max()) {
        throw Error(ERR_LIMIT, "seeds: ids leave no room for the clusters without a seed below 2^64");
      }
      labels[root] = ++last;
    }
  }
  for_each_strip(keys.voxels, threads, cancellation, [&](size_t begin, size_t count) {
    for (size_t i = begin; i < begin + count; ++i) {
      const uint32_t root = clusters.parent(static_cast<uint32_t>(i));
      if (root != i) labels[i] = labels[root];
    }
  });
}

}  // namespace blockwright
