#include "kernels/mutex_watershed.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "core/radix_sort.h"
#include "core/span.h"
#include "kernels/mutex_watershed_clusters.h"
#include "kernels/mutex_watershed_labels.h"
#include "kernels/mutex_watershed_lists.h"
#include "kernels/mutex_watershed_search.h"
#include "kernels/mutex_watershed_strips.h"

namespace blockwright {

namespace {

// Of an edge to be visited soon: the roots that its ends had, where its search will likely start, and whether it is decided.
constexpr uint32_t NO_VOXEL = ~uint32_t{0};
struct Visit {
  uint32_t a = NO_VOXEL, b = NO_VOXEL, start = NO_VOXEL;
  bool decided = false;
};
using Coming = std::array<Visit, 32>;

template <class Key>
class Watershed {
 public:
  Watershed(EdgeKeys<Key>&& keys, Span<Edge> memory, uint64_t budget, size_t threads, const Cancellation& cancellation);

  void join_seeds(const std::vector<std::pair<uint32_t, uint32_t>>& joins, const uint64_t* seeds);
  void run();
  void label(const uint64_t* seeds, uint64_t* labels) {
    label_clusters(keys_, clusters_.sets, seeds, labels, threads_, cancellation_);
  }

 private:
  static uint32_t magnitude(Key key) { return static_cast<uint32_t>(key < 0 ? -key : key); }
  std::pair<uint32_t, uint32_t> ends_of(Edge edge) const {
    const uint32_t c = id_of(edge) / voxels_;
    const uint32_t u = id_of(edge) - c * voxels_;
    return {u, static_cast<uint32_t>(u + keys_.step[c])};
  }
  uint32_t find(uint32_t voxel) { return clusters_.sets.find(voxel); }
  bool seeded(uint32_t root) const { return !seeded_.empty() && seeded_[root]; }
  void join(uint32_t a, uint32_t b);

  template <class Work>
  void for_each_strip(const Work& work) {
    blockwright::for_each_strip(voxels_, threads_, cancellation_, work);
  }
  void join_first();
  size_t stage(uint32_t low, uint32_t high);
  void note_repulsion(uint32_t low, uint32_t high);
  bool visit_unsorted(const EdgeRange& range);
  bool visit_sorted(const Edge* begin, const Edge* end);
  void look_ahead(const Edge* at, ptrdiff_t left, size_t index, Coming& coming);
  bool visit(Edge edge);
  void exclude_before(Edge edge);

  EdgeKeys<Key> keys_;
  const uint32_t voxels_;
  const size_t threads_;
  const Cancellation& cancellation_;
  const Span<Edge> memory_;       // for lists of edges
  GridClusters clusters_;
  std::vector<bool> seeded_;      // by root; empty without seeds
  RepulsionSearch<Key> search_;
  bool all_excluded_ = false;     // whether clusters_ know all exclusions, not only those that were met
  uint32_t noted_ = ~uint32_t{0};  // repulsive edges with at least this |key| are noted
  bool note_all_ = false;         // at once: where they are few, searches that meet later ones cost less than another look at all keys
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
      clusters_(voxels_),
      search_(keys_, clusters_, budget, cancellation) {
  for_each_strip([&](size_t begin, size_t count) {
    uint32_t direction[EDGE_STRIP];
    uint32_t repulsion[EDGE_STRIP];
    first_edges(keys_, begin, count, direction, repulsion);
    for (size_t i = 0; i < count; ++i) clusters_.nodes[begin + i] = {static_cast<uint32_t>(begin + i), repulsion[i], direction[i], NO_NUMBER};
  });
}

template <class Key>
inline void Watershed<Key>::join(uint32_t a, uint32_t b) {
  if (seeded_.empty()) {
    clusters_.join(a, b);
    return;
  }
  const bool any = seeded_[a] || seeded_[b];
  seeded_[clusters_.join(a, b)] = any;
}

template <class Key>
void Watershed<Key>::join_seeds(const std::vector<std::pair<uint32_t, uint32_t>>& joins, const uint64_t* seeds) {
  for (size_t i = 0; i < joins.size(); ++i) {
    if (i % 65536 == 0) cancellation_.check();
    const uint32_t a = find(joins[i].first);
    const uint32_t b = find(joins[i].second);
    if (a != b) join(a, b);
  }
  if (seeds == nullptr) return;
  seeded_.assign(voxels_, false);
  for (uint32_t i = 0; i < voxels_; ++i) {
    if (i % 65536 == 0) cancellation_.check();
    if (seeds[i] != 0) seeded_[find(i)] = true;
  }
}

// Joins each voxel with the other end of its first edge where that is attractive: when it comes up the voxel is alone and
// nothing excludes it (one step of Boruvka's algorithm).
template <class Key>
void Watershed<Key>::join_first() {
  const auto follow = [&](uint32_t voxel) {
    const uint32_t direction = clusters_.nodes[voxel].directions;
    clusters_.nodes[voxel].directions = 0;
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
      const uint32_t direction = clusters_.nodes[voxel].directions;
      const uint32_t start = static_cast<uint32_t>(voxel);
      if (direction == NO_DIRECTION) {
        clusters_.nodes[voxel].directions = 0;
      } else if (keys_.neighbour(start, direction) - begin < thickness) {
        follow(start);
      } else {
        crossing[slab].push_back(start);
      }
    }
  });
  for (const auto& voxels : crossing) {
    for (size_t i = 0; i < voxels.size(); ++i) {
      if (i % 65536 == 0) cancellation_.check();
      follow(voxels[i]);
    }
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
  size_t repulsive = 0;
  for (size_t i = 0; i < edges; i += SAMPLE) {
    if (keys_.values[i] > 0) sample.push_back(static_cast<uint32_t>(keys_.values[i]));
    if (keys_.values[i] < 0) repulsive += SAMPLE;
  }
  note_all_ = repulsive < voxels_;
  std::sort(sample.begin(), sample.end(), std::greater<uint32_t>());
  const double room = 0.8 * static_cast<double>(memory_.size / 2) / SAMPLE;
  double kept = 0.5;  // the part of the edges of a stage that is listed
  uint32_t high = keys_.largest;
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
  for_each_strip([&](size_t begin, size_t count) { clusters_.sets.flatten(begin, begin + count); });
  size_t count = list_edges(keys_, clusters_.sets, range, memory_, threads_, cancellation_);
  if (!all_excluded_ && low < noted_ && (count <= room || low == high)) {
    noted_ = note_all_ ? 1 : low;
    note_repulsion(noted_, high);
  }
  bool done = true;
  if (count <= room) {
    const Edge* sorted = radix_sort(memory_.data, memory_.data + room, count, uint32_t{0}, high - low,
                                    [high](Edge edge) { return high - key_of(edge); }, cancellation_, threads_);
    done = visit_sorted(sorted, sorted + count);
  } else if (low == high) {
    done = visit_unsorted(range);
    count = room;
  } else {
    // Halve the range.
    const uint32_t middle = std::clamp(middle_key({memory_.data, room}), low + 1, high);
    const size_t upper = stage(middle, high);  // first: the stronger edges
    return upper + stage(low, middle - 1);
  }
  if (done) return count;
  // Looking for repulsive edges costs too much here: enter all of them into the table, now and from now on. Edges that were
  // visited may come again, which changes nothing.
  exclude_before(stopped_at_);
  return count + stage(low, key_of(stopped_at_));
}

// Visits edges with one |key|: they come in the order in which they lie in memory. Most of them lie inside clusters as soon as those
// before them have joined, so a piece is looked through when the piece before it was visited.
template <class Key>
bool Watershed<Key>::visit_unsorted(const EdgeRange& range) {
  constexpr size_t PIECE = 8 * EDGE_STRIP;  // no more edges than there is memory for, however small the volume
  for (uint32_t c = 0; c < keys_.channels; ++c) {
    const auto [begin, end] = keys_.starts(c);
    const size_t ahead = static_cast<size_t>(std::max<int64_t>(0, keys_.step[c]));
    size_t flat = 0;
    for (size_t from = begin; from < end; from += PIECE) {
      const size_t to = std::min(end, from + PIECE);
      for (; flat < to + ahead; flat = std::min(to + ahead, flat + PIECE)) {  // at first there may be many
        cancellation_.check();
        clusters_.sets.flatten(flat, std::min(to + ahead, flat + PIECE));
      }
      size_t count = 0;
      for_each_edge(keys_, clusters_.sets, range, c, from, to, [&](Edge edge) {
        memory_[count++] = edge;
        return true;
      });
      if (!visit_sorted(memory_.data, memory_.data + count)) return false;
    }
  }
  return true;
}

// Notes the repulsive edges of this stage, and where there are weaker ones.
template <class Key>
void Watershed<Key>::note_repulsion(uint32_t low, uint32_t high) {
  for_each_strip([&](size_t begin, size_t count) {
    uint32_t directions[EDGE_STRIP];
    repulsive_directions(keys_, low, high, begin, count, search_.simple() ? MORE : 0, directions);
    const uint32_t kept = search_.simple() ? ~MORE : ~uint32_t{0};
    for (size_t i = 0; i < count; ++i) {
      uint32_t& known = clusters_.nodes[begin + i].directions;
      known = (known & kept) | directions[i];
    }
  });
}

// Asks for the memory that the next visits read, each step for what the step before it has brought: edges come in random order,
// so the processor would wait for most of it otherwise. Steps pass on to each other what they know of the `coming` edges.
template <class Key>
inline void Watershed<Key>::look_ahead(const Edge* at, ptrdiff_t left, size_t index, Coming& coming) {
  constexpr ptrdiff_t ENDS = 40, PARENTS = 30, ROOTS = 20, STARTS = 12, NEIGHBOURS = 5;
  DisjointSets& sets = clusters_.sets;
  if (left > ENDS) {
    const auto [u, v] = ends_of(at[ENDS]);
    sets.prefetch(u);
    sets.prefetch(v);
  }
  if (left > PARENTS) {
    const auto [u, v] = ends_of(at[PARENTS]);
    for (const uint32_t voxel : {u, v}) {
      const uint32_t parent = sets.parent(voxel);
      sets.prefetch(parent);
      __builtin_prefetch(&clusters_.nodes[parent]);
    }
  }
  if (left > ROOTS) {
    const auto [u, v] = ends_of(at[ROOTS]);
    const uint32_t a = sets.find_near(u);
    const uint32_t b = sets.find_near(v);
    coming[(index + ROOTS) % coming.size()] = {a, b, NO_VOXEL, false};
    if (a != b) clusters_.prefetch_exclusion(a, b);
  }
  if (Visit& visit = coming[(index + STARTS) % coming.size()]; visit.a != NO_VOXEL) {
    const uint32_t a = sets.find_near(visit.a);
    const uint32_t b = sets.find_near(visit.b);
    const uint32_t key = key_of(at[STARTS]);
    // what is one cluster, or exclusive, stays so
    visit.decided = a == b || clusters_.excluded(a, b);
    if (!visit.decided && clusters_.nodes[a].repulsion >= key && clusters_.nodes[b].repulsion >= key) {
      const auto [u, v] = ends_of(at[STARTS]);
      visit.start = sets.size(a) <= sets.size(b) ? u : v;
      __builtin_prefetch(&clusters_.nodes[visit.start]);
    }
  }
  const uint32_t start = coming[(index + NEIGHBOURS) % coming.size()].start;
  if (start != NO_VOXEL) search_.prefetch(start);
}

template <class Key>
bool Watershed<Key>::visit_sorted(const Edge* begin, const Edge* end) {
  Coming coming{};
  for (const Edge* at = begin; at < end; ++at) {
    const size_t index = static_cast<size_t>(at - begin);
    if (index % 4096 == 0) cancellation_.check();
    look_ahead(at, end - at, index, coming);
    Visit& now = coming[index % coming.size()];
    if (!now.decided && !visit(*at)) return false;
    now = {};
  }
  return true;
}

// Returns false, with stopped_at_ set, when the edge was not visited because the budget is spent.
template <class Key>
inline bool Watershed<Key>::visit(Edge edge) {
  const uint32_t id = id_of(edge);
  const auto [u, v] = ends_of(edge);
  const uint32_t a = clusters_.sets.find_near(u);
  const uint32_t b = clusters_.sets.find_near(v);
  if (a == b) return true;
  if ((edge & REPULSIVE) != 0) {
    clusters_.exclude(a, b);
    return true;
  }
  if (seeded(a) && seeded(b)) return true;
  if (all_excluded_) {
    if (clusters_.excluded(a, b)) return true;
  } else if (const uint32_t key = key_of(edge); clusters_.nodes[a].repulsion >= key && clusters_.nodes[b].repulsion >= key) {
    if (clusters_.excluded(a, b)) return true;
    if (search_.budget_spent()) {
      stopped_at_ = edge;
      return false;
    }
    const bool from_u = clusters_.sets.size(a) <= clusters_.sets.size(b);
    if (from_u ? search_.repelled(u, a, b, key, id) : search_.repelled(v, b, a, key, id)) {
      clusters_.exclude(a, b);
      return true;
    }
  }
  join(a, b);
  return true;
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
      if (a != b) clusters_.exclude(a, b);
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
  watershed.join_seeds(seed_joins(seeds, input.shape.count(), cancellation), seeds.seeds);
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
