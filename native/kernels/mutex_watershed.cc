#include "kernels/mutex_watershed.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/disjoint_sets.h"
#include "core/exclusions.h"
#include "core/radix_sort.h"
#include "core/target_clones.h"

#ifdef MWS_STATS
#include <chrono>
#include <cstdio>
static double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
#define STAT(...) std::fprintf(stderr, __VA_ARGS__)
#else
#define STAT(...)
#endif

namespace blockwright {

namespace {

// The largest |key| of the repulsive edges at each voxel.
template <class Key>
inline __attribute__((always_inline)) void raise_repulsion_any(const Key* keys, size_t count, Key* at_end) {
  for (size_t i = 0; i < count; ++i) at_end[i] = std::max<Key>(at_end[i], static_cast<Key>(-keys[i]));
}
BLOCKWRIGHT_TARGET_CLONES
void raise_repulsion(const int16_t* __restrict keys, size_t count, int16_t* __restrict at_end) {
  raise_repulsion_any(keys, count, at_end);
}
BLOCKWRIGHT_TARGET_CLONES
void raise_repulsion(const int32_t* __restrict keys, size_t count, int32_t* __restrict at_end) {
  raise_repulsion_any(keys, count, at_end);
}

constexpr uint32_t REPULSIVE = 0x80000000;

struct Edge {
  uint32_t key;   // |key|, with REPULSIVE
  uint32_t edge;  // channel * voxels + voxel where it starts
};

template <class Key>
class Watershed {
 public:
  Watershed(EdgeKeys<Key>&& keys, const Cancellation& cancellation);

  void join_seeds(const std::vector<std::pair<uint32_t, uint32_t>>& joins);
  void run(const uint64_t* seeds);
  void label(const uint64_t* seeds, uint64_t* labels);

 private:
  static constexpr int BIN_SHIFT = sizeof(Key) == 2 ? 0 : 15;
  static uint32_t magnitude(Key key) { return static_cast<uint32_t>(key < 0 ? -key : key); }

  // The voxels where edges of a channel can start so that their other end is a voxel.
  std::pair<size_t, size_t> starts(uint32_t channel) const {
    const int64_t step = keys_.step[channel];
    const int64_t voxels = voxels_;
    if (step >= voxels || step <= -voxels) return {0, 0};
    return {static_cast<size_t>(std::max<int64_t>(0, -step)), static_cast<size_t>(voxels - std::max<int64_t>(0, step))};
  }
  uint32_t other_end(uint32_t edge) const {
    const uint32_t channel = edge / voxels_;
    return static_cast<uint32_t>(edge - channel * voxels_ + keys_.step[channel]);
  }

  uint32_t join(uint32_t a, uint32_t b);
  size_t gather(uint32_t low, uint32_t high, bool repulsive_too);
  bool process(const Edge* begin, const Edge* end, Edge& stopped_at);
  bool repelled(uint32_t start, uint32_t to, uint32_t key, uint32_t edge);
  void exclude_before(Edge edge);
  bool touched(uint32_t voxel) const;

  EdgeKeys<Key> keys_;
  const uint32_t voxels_;
  const Cancellation& cancellation_;
  DisjointSets clusters_;
  std::vector<Key> repulsion_;                 // of a voxel at least; of a root the largest of its cluster
  std::unique_ptr<uint32_t[]> next_;           // the voxels of a cluster as a ring
  std::vector<bool> seeded_;                   // by root; empty without seeds
  Exclusions exclusions_;
  bool all_excluded_ = false;                  // whether exclusions_ holds all pairs, not only those that were met
  uint64_t work_ = 0;
  std::vector<Edge> edges_, scratch_;
  uint64_t n_same = 0, n_free = 0, n_memo = 0, n_scan_hit = 0, n_scan_miss = 0;
};

template <class Key>
Watershed<Key>::Watershed(EdgeKeys<Key>&& keys, const Cancellation& cancellation)
    : keys_(std::move(keys)),
      voxels_(keys_.voxels),
      cancellation_(cancellation),
      clusters_(voxels_),
      repulsion_(voxels_, 0),
      next_(new uint32_t[voxels_]) {
  for (uint32_t i = 0; i < voxels_; ++i) next_[i] = i;
  for (uint32_t c = 0; c < keys_.channels; ++c) {
    const auto [begin, end] = starts(c);
    if (begin == end) continue;
    const Key* from = keys_.values.get() + size_t{c} * voxels_ + begin;
    raise_repulsion(from, end - begin, repulsion_.data() + begin);
    raise_repulsion(from, end - begin, repulsion_.data() + begin + keys_.step[c]);
  }
}

template <class Key>
uint32_t Watershed<Key>::join(uint32_t a, uint32_t b) {
  const uint32_t kept = clusters_.join(a, b);
  const uint32_t gone = kept == a ? b : a;
  std::swap(next_[a], next_[b]);
  repulsion_[kept] = std::max(repulsion_[kept], repulsion_[gone]);
  exclusions_.join(kept, gone);
  if (!seeded_.empty() && seeded_[gone]) seeded_[kept] = true;
  return kept;
}

// Whether a repulsive edge that precedes (key, edge) joins the cluster of voxel `start` and the cluster with root `to`.
template <class Key>
bool Watershed<Key>::repelled(uint32_t start, uint32_t to, uint32_t key, uint32_t edge) {
  const Key* const values = keys_.values.get();
  uint32_t voxel = start;
  uint64_t work = 0;
  bool found = false;
  do {
    ++work;
    if (static_cast<uint32_t>(repulsion_[voxel]) >= key) {
      work += keys_.channels;
      for (uint32_t c = 0; c < keys_.channels; ++c) {
        const uint32_t step = static_cast<uint32_t>(keys_.step[c]);
        const auto precedes = [&](uint32_t from) {
          const uint32_t candidate = c * voxels_ + from;
          const Key value = values[candidate];
          if (value >= 0) return false;
          const uint32_t size = magnitude(value);
          return size > key || (size == key && candidate < edge);
        };
        // Where an edge's key is not 0 its other end is a voxel, so raster arithmetic is safe.
        if (precedes(voxel) && clusters_.find(voxel + step) == to) {
          found = true;
          break;
        }
        const uint32_t before = voxel - step;
        if (before < voxels_ && precedes(before) && clusters_.find(before) == to) {
          found = true;
          break;
        }
      }
      if (found) break;
    }
    voxel = next_[voxel];
  } while (voxel != start);
  work_ += work;
  return found;
}

// Lists the edges with |key| in [low, high] between different clusters, by channel and raster index.
template <class Key>
size_t Watershed<Key>::gather(uint32_t low, uint32_t high, bool repulsive_too) {
  constexpr size_t STRIP = 1 << 14;
  clusters_.flatten();
  size_t count = 0;
  for (uint32_t c = 0; c < keys_.channels; ++c) {
    const auto [begin, end] = starts(c);
    const Key* const values = keys_.values.get() + size_t{c} * voxels_;
    const int64_t step = keys_.step[c];
    for (size_t from = begin; from < end; from += STRIP) {
      const size_t to = std::min(end, from + STRIP);
      if (edges_.size() < count + (to - from)) edges_.resize(std::max(count + (to - from), edges_.size() * 3 / 2));
      Edge* const list = edges_.data();
      for (size_t voxel = from; voxel < to; ++voxel) {
        const Key value = values[voxel];
        const uint32_t size = magnitude(value);
        if (size - low > high - low || (value < 0 && !repulsive_too)) continue;
        list[count] = {size | (value < 0 ? REPULSIVE : 0), static_cast<uint32_t>(c * size_t{voxels_} + voxel)};
        count += clusters_.root(static_cast<uint32_t>(voxel)) != clusters_.root(static_cast<uint32_t>(voxel + step));
      }
      cancellation_.check();
    }
  }
  return count;
}

// Visits sorted edges. Returns false, with the edge that was not visited, when looking for repulsive edges took too long.
template <class Key>
bool Watershed<Key>::process(const Edge* begin, const Edge* end, Edge& stopped_at) {
  const uint64_t budget = 16 * (uint64_t{voxels_} * keys_.channels + 65536);
  for (const Edge* at = begin; at < end; ++at) {
    if ((at - begin) % 4096 == 0) cancellation_.check();
    const uint32_t u = at->edge % voxels_;
    const uint32_t v = other_end(at->edge);
    const uint32_t a = clusters_.find(u);
    const uint32_t b = clusters_.find(v);
    if (a == b) { ++n_same; continue; }
    if ((at->key & REPULSIVE) != 0) {
      exclusions_.add(a, b);
      continue;
    }
    if (!seeded_.empty() && seeded_[a] && seeded_[b]) continue;
    const uint32_t key = at->key;
    if (all_excluded_) {
      if (exclusions_.contains(a, b)) continue;
    } else if (static_cast<uint32_t>(repulsion_[a]) >= key && static_cast<uint32_t>(repulsion_[b]) >= key) {
      if (exclusions_.contains(a, b)) { ++n_memo; continue; }
      if (work_ > budget) {
        stopped_at = *at;
        return false;
      }
      const bool from_u = clusters_.size(a) <= clusters_.size(b);
      if (from_u ? repelled(u, b, key, at->edge) : repelled(v, a, key, at->edge)) {
        exclusions_.add(a, b);
        ++n_scan_hit;
        continue;
      }
      ++n_scan_miss;
    } else ++n_free;
    join(a, b);
  }
  return true;
}

// Enters all exclusions that exist when `edge` comes up.
template <class Key>
void Watershed<Key>::exclude_before(Edge edge) {
  for (uint32_t c = 0; c < keys_.channels; ++c) {
    const auto [begin, end] = starts(c);
    for (size_t voxel = begin; voxel < end; ++voxel) {
      if (voxel % 65536 == 0) cancellation_.check();
      const uint32_t candidate = static_cast<uint32_t>(c * size_t{voxels_} + voxel);
      const Key value = keys_.values[candidate];
      if (value >= 0) continue;
      const uint32_t size = magnitude(value);
      if (size < edge.key || (size == edge.key && candidate > edge.edge)) continue;
      const uint32_t a = clusters_.find(static_cast<uint32_t>(voxel));
      const uint32_t b = clusters_.find(static_cast<uint32_t>(voxel + keys_.step[c]));
      if (a != b) exclusions_.add(a, b);
    }
  }
  all_excluded_ = true;
}

template <class Key>
void Watershed<Key>::run(const uint64_t* seeds) {
  if (seeds != nullptr) {
    seeded_.assign(voxels_, false);
    for (uint32_t i = 0; i < voxels_; ++i) {
      if (seeds[i] != 0) seeded_[clusters_.find(i)] = true;
    }
  }
  // Attractive edges by magnitude, coarsely, to cut the work into stages: edges inside a cluster are dropped, unsorted, when
  // their stage begins, and most are by then.
  std::vector<uint64_t> histogram(sizeof(Key) == 2 ? 32768 : 65536);
  const size_t edges = size_t{voxels_} * keys_.channels;
  for (size_t i = 0; i < edges; ++i) {
    if (i % (1 << 20) == 0) cancellation_.check();
    const Key key = keys_.values[i];
    if (key > 0) ++histogram[static_cast<uint32_t>(key) >> BIN_SHIFT];
  }
  uint64_t limit = std::max<uint64_t>(voxels_ / 2, 1024);
  double t0 = 0; (void)t0;
  for (size_t bin = histogram.size(); bin-- > 0;) {
    const size_t last = bin;
    uint64_t count = histogram[bin];
    while (bin > 0 && count + histogram[bin - 1] <= limit) count += histogram[--bin];
    if (count == 0) continue;
    const uint32_t low = std::max<uint32_t>(static_cast<uint32_t>(bin) << BIN_SHIFT, 1);
    uint32_t high = static_cast<uint32_t>(((last + 1) << BIN_SHIFT) - 1);
    Edge stopped_at{};
    bool after = false;  // whether only edges after stopped_at are left
    for (bool done = false; !done;) {
#ifdef MWS_STATS
      t0 = now();
#endif
      size_t listed = gather(low, high, all_excluded_);
#ifdef MWS_STATS
      double t1 = now();
#endif
      if (scratch_.size() < listed) scratch_.resize(listed);
      const Edge* begin = radix_sort(edges_.data(), scratch_.data(), listed, uint32_t{0}, high - low,
                                     [high](const Edge& edge) { return high - (edge.key & ~REPULSIVE); });
      const Edge* const end = begin + listed;
      if (after) {
        begin = std::partition_point(begin, end, [&](const Edge& edge) {
          const uint32_t key = edge.key & ~REPULSIVE;
          return key > stopped_at.key || (key == stopped_at.key && edge.edge < stopped_at.edge);
        });
      }
#ifdef MWS_STATS
      double t2 = now();
#endif
      done = process(begin, end, stopped_at);
      if (!done) {
        exclude_before(stopped_at);
        high = stopped_at.key;
        after = true;
      }
      STAT("stage %u..%u: %lu listed of %lu; gather %.3f sort %.3f process %.3f; work %lu same %lu free %lu memo %lu hit %lu miss %lu\n", low, high, listed, count, t1 - t0, t2 - t1, now() - t2, work_, n_same, n_free, n_memo, n_scan_hit, n_scan_miss);
    }
    limit += limit / 2;
  }
}

template <class Key>
void Watershed<Key>::join_seeds(const std::vector<std::pair<uint32_t, uint32_t>>& joins) {
  for (const auto& [u, v] : joins) {
    const uint32_t a = clusters_.find(u);
    const uint32_t b = clusters_.find(v);
    if (a != b) join(a, b);
  }
}

// Whether an attractive edge touches a voxel.
template <class Key>
bool Watershed<Key>::touched(uint32_t voxel) const {
  for (uint32_t c = 0; c < keys_.channels; ++c) {
    const Key* const values = keys_.values.get() + size_t{c} * voxels_;
    const uint32_t before = voxel - static_cast<uint32_t>(keys_.step[c]);
    if (values[voxel] > 0) return true;
    if (before < voxels_ && values[before] > 0) return true;
  }
  return false;
}

template <class Key>
void Watershed<Key>::label(const uint64_t* seeds, uint64_t* labels) {
  clusters_.flatten();
  std::fill(labels, labels + voxels_, 0);
  uint64_t last = 0;
  if (seeds != nullptr) {
    for (uint32_t i = 0; i < voxels_; ++i) {
      if (seeds[i] == 0) continue;
      uint64_t& label = labels[clusters_.root(i)];
      label = label == 0 ? seeds[i] : std::min(label, seeds[i]);
      last = std::max(last, seeds[i]);
    }
  }
  // A root's own entry names its cluster from the first voxel on, which may come before the root.
  for (uint32_t i = 0; i < voxels_; ++i) {
    const uint32_t root = clusters_.root(i);
    if (labels[root] == 0 && (clusters_.size(root) > 1 || touched(i))) {
      if (last == std::numeric_limits<uint64_t>::max()) {
        throw Error(ERR_LIMIT, "seeds: ids leave no room for the clusters without a seed below 2^64");
      }
      labels[root] = ++last;
    }
    labels[i] = labels[root];
  }
}

template <class Key>
void run_watershed(const MutexWatershedInput& input, const MutexWatershedSeeds& seeds, uint64_t* labels,
                   const Cancellation& cancellation) {
#ifdef MWS_STATS
  double t0 = now();
#endif
  auto keys = edge_keys<Key>(input, cancellation);
  STAT("keys %.3f\n", now() - t0);
  Watershed<Key> watershed(std::move(keys), cancellation);
  watershed.join_seeds(seed_joins(seeds, input.shape.count()));
  watershed.run(seeds.seeds);
#ifdef MWS_STATS
  double t1 = now();
#endif
  watershed.label(seeds.seeds, labels);
  STAT("label %.3f total %.3f\n", now() - t1, now() - t0);
}

}  // namespace

void mutex_watershed(const MutexWatershedInput& input, const MutexWatershedSeeds& seeds, uint64_t* labels,
                     const Cancellation& cancellation) {
  if (has_int16_keys(input)) {
    run_watershed<int16_t>(input, seeds, labels, cancellation);
  } else {
    run_watershed<int32_t>(input, seeds, labels, cancellation);
  }
}

}  // namespace blockwright
