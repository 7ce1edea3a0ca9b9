#include "kernels/mutex_watershed.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "core/disjoint_sets.h"
#include "core/exclusions.h"
#include "core/parallel.h"
#include "core/radix_sort.h"
#include "core/span.h"
#include "kernels/mutex_watershed_labels.h"
#include "kernels/mutex_watershed_lists.h"
#include "kernels/mutex_watershed_strips.h"

namespace blockwright {

namespace {

// What is known of a voxel, in one place because edges come up in random order and every line of memory is a cache miss.
struct Node {
  uint32_t next;       // the voxels of a cluster are a ring
  uint32_t repulsion;  // of a root: the largest |key| of the repulsive edges of its cluster
  uint32_t certain;    // directions of repulsive edges that precede this stage; before the first one: the first edge
  uint32_t possible;   // directions of repulsive edges of this stage
};

template <class Key>
class Watershed {
 public:
  Watershed(EdgeKeys<Key>&& keys, Span<Edge> memory, uint64_t budget, size_t threads, const Cancellation& cancellation);

  void join_seeds(const std::vector<std::pair<uint32_t, uint32_t>>& joins, const uint64_t* seeds);
  void run();
  void label(const uint64_t* seeds, uint64_t* labels) {
    label_clusters(keys_, clusters_, seeds, labels, threads_, cancellation_);
  }

 private:
  static uint32_t magnitude(Key key) { return static_cast<uint32_t>(key < 0 ? -key : key); }
  std::pair<uint32_t, uint32_t> ends_of(Edge edge) const {
    const uint32_t c = id_of(edge) / voxels_;
    const uint32_t u = id_of(edge) - c * voxels_;
    return {u, static_cast<uint32_t>(u + keys_.step[c])};
  }
  uint32_t find(uint32_t voxel) { return clusters_.find(voxel); }
  bool seeded(uint32_t root) const { return !seeded_.empty() && seeded_[root]; }
  void join(uint32_t a, uint32_t b);

  template <class Work>
  void for_each_strip(const Work& work) {
    blockwright::for_each_strip(voxels_, threads_, cancellation_, work);
  }
  void join_first();
  size_t stage(uint32_t low, uint32_t high);
  void note_repulsion(uint32_t low, uint32_t high);
  bool visit_sorted(const Edge* begin, const Edge* end);
  bool visit(Edge edge);
  bool certainly_repelled(uint32_t voxel, uint32_t own, uint32_t to);
  bool repelled(uint32_t start, uint32_t own, uint32_t to, uint32_t key, uint32_t id);
  void exclude_before(Edge edge);

  EdgeKeys<Key> keys_;
  const uint32_t voxels_;
  const size_t threads_;
  const Cancellation& cancellation_;
  const Span<Edge> memory_;       // for lists of edges
  LargeArray<Node> nodes_;
  DisjointSets clusters_;
  std::vector<bool> seeded_;      // by root; empty without seeds
  Exclusions exclusions_;
  std::array<uint32_t, 32> displacement_{};  // of a direction; only for up to 16 channels
  uint64_t budget_;               // how many more edges repelled() may look at
  bool all_excluded_ = false;     // whether exclusions_ holds all pairs, not only those that were met
  Edge stopped_at_ = 0;           // the edge where the budget was spent
};

template <class Key>
Watershed<Key>::Watershed(EdgeKeys<Key>&& keys, Span<Edge> memory, uint64_t budget, size_t threads,
                          const Cancellation& cancellation)
    : keys_(std::move(keys)),
      voxels_(keys_.voxels),
      threads_(threads),
      cancellation_(cancellation),
      memory_(memory),
      nodes_(large_array<Node>(voxels_)),
      clusters_(voxels_),
      budget_(budget) {
  for (uint32_t d = 0; d < 32 && d < 2 * keys_.channels; ++d) displacement_[d] = keys_.neighbour(0, d);
  for_each_strip([&](size_t begin, size_t count) {
    uint32_t direction[EDGE_STRIP];
    uint32_t repulsion[EDGE_STRIP];
    first_edges(keys_, begin, count, direction, repulsion);
    for (size_t i = 0; i < count; ++i) nodes_[begin + i] = {static_cast<uint32_t>(begin + i), repulsion[i], direction[i], 0};
  });
}

template <class Key>
inline void Watershed<Key>::join(uint32_t a, uint32_t b) {
  const uint32_t kept = clusters_.join(a, b);
  const uint32_t gone = kept == a ? b : a;
  std::swap(nodes_[kept].next, nodes_[gone].next);
  nodes_[kept].repulsion = std::max(nodes_[kept].repulsion, nodes_[gone].repulsion);
  exclusions_.join(kept, gone);
  if (seeded(gone)) seeded_[kept] = true;
}

template <class Key>
void Watershed<Key>::join_seeds(const std::vector<std::pair<uint32_t, uint32_t>>& joins, const uint64_t* seeds) {
  for (const auto& [u, v] : joins) {
    const uint32_t a = find(u);
    const uint32_t b = find(v);
    if (a != b) join(a, b);
  }
  if (seeds == nullptr) return;
  seeded_.assign(voxels_, false);
  for (uint32_t i = 0; i < voxels_; ++i) {
    if (seeds[i] != 0) seeded_[find(i)] = true;
  }
}

// Joins each voxel with the other end of its first edge where that is attractive: when it comes up the voxel is alone and
// nothing excludes it (one step of Boruvka's algorithm).
template <class Key>
void Watershed<Key>::join_first() {
  const auto follow = [&](uint32_t voxel) {
    const uint32_t direction = nodes_[voxel].certain;
    nodes_[voxel].certain = 0;
    const uint32_t root = find(voxel);
    if (seeded(root)) return;
    const uint32_t other = find(keys_.neighbour(voxel, direction));
    if (other != root) join(root, other);
  };
  // Threads have slabs of their own; edges between slabs come afterwards. Clusters of seeds lie in any slabs.
  const size_t slabs = seeded_.empty() ? threads_ : 1;
  const size_t thickness = voxels_ / slabs + 1;
  std::vector<std::vector<uint32_t>> crossing(slabs);
  parallel_for(threads_, slabs, [&](size_t slab) {
    const size_t begin = slab * thickness;
    for (size_t voxel = begin; voxel < std::min<size_t>(voxels_, begin + thickness); ++voxel) {
      if (voxel % EDGE_STRIP == 0) cancellation_.check();
      const uint32_t direction = nodes_[voxel].certain;
      const uint32_t start = static_cast<uint32_t>(voxel);
      if (direction == NO_DIRECTION) {
        nodes_[voxel].certain = 0;
      } else if (keys_.neighbour(start, direction) - begin < thickness) {
        follow(start);
      } else {
        crossing[slab].push_back(start);
      }
    }
  });
  for (const auto& voxels : crossing) {
    for (const uint32_t voxel : voxels) follow(voxel);
  }
}

template <class Key>
void Watershed<Key>::run() {
  join_first();
  // Attractive edges are visited in stages of falling |key|. Edges inside a cluster are dropped, unsorted, when their stage
  // begins, and most are by then. A sample tells where to cut so that what is left fits into the memory; the result does not
  // depend on it.
  constexpr size_t SAMPLE = 251;
  const size_t edges = keys_.begins.back();
  std::vector<uint32_t> sample;
  for (size_t i = 0; i < edges; i += SAMPLE) {
    if (keys_.values[i] > 0) sample.push_back(static_cast<uint32_t>(keys_.values[i]));
  }
  std::sort(sample.begin(), sample.end(), std::greater<uint32_t>());
  const double room = 0.8 * static_cast<double>(memory_.size / 2) / SAMPLE;
  double kept = 0.5;  // the part of the edges of a stage that is listed
  uint32_t high = std::numeric_limits<Key>::max();
  for (size_t at = 0; high > 0;) {
    const size_t next = at + static_cast<size_t>(room / kept) + 1;
    const uint32_t low = next < sample.size() ? std::min(sample[next], high) : 1;
    const size_t last = std::partition_point(sample.begin(), sample.end(), [low](uint32_t key) { return key >= low; }) - sample.begin();
    const size_t listed = stage(low, high);
    kept = std::clamp(static_cast<double>(listed) / SAMPLE / std::max<double>(last - at, 1), 0.05, 1.0);
    at = last;
    high = low - 1;
  }
}

// Visits the edges with |key| in [low, high]; returns how many of them were listed.
template <class Key>
size_t Watershed<Key>::stage(uint32_t low, uint32_t high) {
  const size_t room = memory_.size / 2;
  const EdgeRange range{low, high, all_excluded_};
  for_each_strip([&](size_t begin, size_t count) { clusters_.flatten(begin, begin + count); });
  size_t count = list_edges(keys_, clusters_, range, memory_, threads_, cancellation_);
  if (!all_excluded_ && (count <= room || low == high)) note_repulsion(low, high);
  bool done = true;
  if (count <= room) {
    const Edge* sorted = radix_sort(memory_.data, memory_.data + room, count, uint32_t{0}, high - low,
                                    [high](Edge edge) { return high - key_of(edge); }, threads_);
    done = visit_sorted(sorted, sorted + count);
  } else if (low == high) {
    // Edges with one |key| come in the order in which they lie in memory.
    done = for_each_edge(keys_, clusters_, range, cancellation_, [&](Edge edge) { return visit(edge); });
  } else {
    // Halve the range at the median of the edges that are listed.
    count = room;
    std::nth_element(memory_.data, memory_.data + count / 2, memory_.data + count,
                     [](Edge a, Edge b) { return key_of(a) < key_of(b); });
    const uint32_t middle = std::clamp(key_of(memory_[count / 2]), low + 1, high);
    return stage(middle, high) + stage(low, middle - 1);
  }
  if (done) return count;
  // Looking for repulsive edges costs too much here: enter all of them into the table, now and from now on. Edges that were
  // visited may come again, which changes nothing.
  exclude_before(stopped_at_);
  return count + stage(low, key_of(stopped_at_));
}

// Notes the repulsive edges of this stage; those of the one before have become certain.
template <class Key>
void Watershed<Key>::note_repulsion(uint32_t low, uint32_t high) {
  for_each_strip([&](size_t begin, size_t count) {
    uint32_t directions[EDGE_STRIP];
    repulsive_directions(keys_, low, high, begin, count, directions);
    for (size_t i = 0; i < count; ++i) {
      Node& node = nodes_[begin + i];
      // where directions share a bit, none is certain
      (keys_.channels <= 16 ? node.certain : directions[i]) |= node.possible;
      node.possible = directions[i];
    }
  });
}

template <class Key>
bool Watershed<Key>::visit_sorted(const Edge* begin, const Edge* end) {
  // Edges come in random order, so what they need is fetched before: first the parents of their ends, then, when those are
  // there, what is known of the parents, which mostly are the roots.
  constexpr ptrdiff_t AHEAD = 16;
  for (const Edge* at = begin; at < end; ++at) {
    if ((at - begin) % 4096 == 0) cancellation_.check();
    if (end - at > 2 * AHEAD) {
      const auto [u, v] = ends_of(at[2 * AHEAD]);
      clusters_.prefetch(u);
      clusters_.prefetch(v);
      for (const uint32_t voxel : {ends_of(at[AHEAD]).first, ends_of(at[AHEAD]).second}) {
        const uint32_t parent = clusters_.parent(voxel);
        clusters_.prefetch(parent);
        __builtin_prefetch(&nodes_[parent]);
      }
    }
    if (!visit(*at)) return false;
  }
  return true;
}

// Returns false, with stopped_at_ set, when the edge was not visited because the budget is spent.
template <class Key>
inline bool Watershed<Key>::visit(Edge edge) {
  const uint32_t id = id_of(edge);
  const auto [u, v] = ends_of(edge);
  const uint32_t a = clusters_.find_near(u);
  const uint32_t b = clusters_.find_near(v);
  if (a == b) return true;
  if ((edge & REPULSIVE) != 0) {
    exclusions_.add(a, b);
    return true;
  }
  if (seeded(a) && seeded(b)) return true;
  if (all_excluded_) {
    if (exclusions_.contains(a, b)) return true;
  } else if (const uint32_t key = key_of(edge); nodes_[a].repulsion >= key && nodes_[b].repulsion >= key) {
    if (exclusions_.contains(a, b)) return true;
    if (budget_ == 0) {
      stopped_at_ = edge;
      return false;
    }
    const bool from_u = clusters_.size(a) <= clusters_.size(b);
    if (from_u ? repelled(u, a, b, key, id) : repelled(v, b, a, key, id)) {
      exclusions_.add(a, b);
      return true;
    }
  }
  join(a, b);
  return true;
}

// Whether one of a voxel's certain edges ends in the cluster with root `to`. Forgets those inside its own cluster.
//
// Where an edge ends cannot be foretold, so there is no branch on it: two steps upwards nearly always reach the root.
template <class Key>
inline bool Watershed<Key>::certainly_repelled(uint32_t voxel, uint32_t own, uint32_t to) {
  bool found = false;
  bool deep = false;
  uint32_t inside = 0;
  for (uint32_t bits = nodes_[voxel].certain; bits != 0; bits &= bits - 1) {
    const uint32_t direction = static_cast<uint32_t>(__builtin_ctz(bits));
    const uint32_t root = clusters_.parent(clusters_.parent(voxel + displacement_[direction]));
    found |= root == to;
    inside |= uint32_t{root == own} << direction;
    deep |= !clusters_.is_root(root);
  }
  nodes_[voxel].certain &= ~inside;
  for (uint32_t bits = deep && !found ? nodes_[voxel].certain : 0; bits != 0 && !found; bits &= bits - 1) {
    found = find(voxel + displacement_[__builtin_ctz(bits)]) == to;
  }
  return found;
}

// Whether a repulsive edge that precedes (key, id) joins the clusters with roots `own`, which `start` belongs to, and `to`.
template <class Key>
bool Watershed<Key>::repelled(uint32_t start, uint32_t own, uint32_t to, uint32_t key, uint32_t id) {
  uint32_t voxel = start;
  uint64_t work = 0;
  uint32_t members = 0;
  bool found = false;
  do {
    if (++members % 65536 == 0) cancellation_.check();
    const Node node = nodes_[voxel];
    __builtin_prefetch(&nodes_[node.next]);
    work += 1 + static_cast<uint64_t>(__builtin_popcount(node.certain));
    found = node.certain != 0 && certainly_repelled(voxel, own, to);
    for (uint32_t bits = found ? 0 : node.possible; bits != 0 && !found; bits &= bits - 1) {
      for (uint32_t d = static_cast<uint32_t>(__builtin_ctz(bits)); d < 2 * keys_.channels && !found; d += 32) {
        ++work;
        const uint32_t other = keys_.neighbour(voxel, d);
        if (other >= voxels_) continue;  // happens only where directions share a bit
        const uint32_t candidate = d / 2 * voxels_ + (d % 2 == 0 ? voxel : other);
        const Key value = keys_.at(d / 2, d % 2 == 0 ? voxel : other);
        const uint32_t size = magnitude(value);
        found = value < 0 && (size > key || (size == key && candidate < id)) && find(other) == to;
      }
    }
    voxel = node.next;
  } while (voxel != start && !found);
  budget_ -= std::min(budget_, work);
  return found;
}

// Enters all exclusions that exist when `edge` comes up.
template <class Key>
void Watershed<Key>::exclude_before(Edge edge) {
  for (uint32_t c = 0; c < keys_.channels; ++c) {
    const auto [begin, end] = keys_.starts(c);
    for (size_t voxel = begin; voxel < end; ++voxel) {
      if (voxel % 65536 == 0) cancellation_.check();
      const Key value = keys_.at(c, static_cast<uint32_t>(voxel));
      const uint32_t size = magnitude(value);
      if (value >= 0 || size < key_of(edge)) continue;
      if (size == key_of(edge) && c * size_t{voxels_} + voxel > id_of(edge)) continue;
      const uint32_t a = find(static_cast<uint32_t>(voxel));
      const uint32_t b = find(static_cast<uint32_t>(voxel + keys_.step[c]));
      if (a != b) exclusions_.add(a, b);
    }
  }
  all_excluded_ = true;
}

template <class Key>
void run_watershed(const MutexWatershedInput& input, const MutexWatershedSeeds& seeds, uint64_t* labels,
                   const Cancellation& cancellation) {
  EdgeKeys<Key> keys = edge_keys<Key>(input, cancellation);
  const uint64_t budget = input.search_budget * keys.begins.back();
  // Until the end the labels' memory holds lists of edges.
  constexpr size_t LEAST = 16384;
  std::vector<Edge> own(keys.voxels < LEAST ? LEAST : 0);
  const Span<Edge> memory = own.empty() ? Span<Edge>{labels, keys.voxels} : Span<Edge>{own.data(), own.size()};
  Watershed<Key> watershed(std::move(keys), memory, budget, std::max<size_t>(input.threads, 1), cancellation);
  watershed.join_seeds(seed_joins(seeds, input.shape.count()), seeds.seeds);
  watershed.run();
  watershed.label(seeds.seeds, labels);
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
