// Lists of edges of a mutex watershed that may still matter, in the order in which equal edges come.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/cancellation.h"
#include "core/disjoint_sets.h"
#include "core/parallel.h"
#include "core/span.h"
#include "kernels/mutex_watershed_keys.h"
#include "kernels/mutex_watershed_strips.h"

namespace blockwright {

// |key| in the upper half, with REPULSIVE; channel * voxels + voxel where the edge starts in the lower half.
using Edge = uint64_t;
inline constexpr uint64_t REPULSIVE = uint64_t{1} << 63;
inline uint32_t key_of(Edge edge) { return static_cast<uint32_t>((edge & ~REPULSIVE) >> 32); }
inline uint32_t id_of(Edge edge) { return static_cast<uint32_t>(edge); }

// Which edges: those with |key| in [low, high] between different clusters, repulsive ones only where `both` is set.
struct EdgeRange {
  uint32_t low, high;
  bool both;
};

// Calls act(edge) for the edges of `range` that start at voxels [begin, end) of a channel, by raster index; clusters must be
// flat. While act joins clusters, edges inside one may come. Ends, and returns false, when act does.
template <class Key, class Act>
bool for_each_edge(const EdgeKeys<Key>& keys, const DisjointSets& clusters, const EdgeRange& range, uint32_t channel,
                   size_t begin, size_t end, const Act& act) {
  uint8_t flags[EDGE_STRIP];
  Key buffer[EDGE_STRIP];
  for (size_t from = begin; from < end; from += EDGE_STRIP) {
    const size_t number = std::min(EDGE_STRIP, end - from);
    const Key* const values = keys.strip(channel, from, number, buffer);
    if (values == nullptr) continue;
    select_edges(values, clusters.roots(), from, keys.step[channel], number, range.low, range.high, range.both, flags);
    for (size_t eight = 0; eight < number; eight += 8) {
      uint64_t word;
      std::memcpy(&word, flags + eight, sizeof word);
      for (; word != 0; word &= word - 1) {
        const size_t i = eight + static_cast<size_t>(__builtin_ctzll(word)) / 8;
        const int32_t value = values[i];
        const uint64_t size = static_cast<uint32_t>(value < 0 ? -value : value);
        if (!act((value < 0 ? REPULSIVE : 0) | size << 32 | (channel * size_t{keys.voxels} + from + i))) return false;
      }
    }
  }
  return true;
}

// The same for all channels, one after the other.
template <class Key, class Act>
bool for_each_edge(const EdgeKeys<Key>& keys, const DisjointSets& clusters, const EdgeRange& range,
                   const Cancellation& cancellation, const Act& act) {
  constexpr size_t PIECE = 16 * EDGE_STRIP;
  for (uint32_t c = 0; c < keys.channels; ++c) {
    const auto [begin, end] = keys.starts(c);
    for (size_t from = begin; from < end; from += PIECE) {
      cancellation.check();
      if (!for_each_edge(keys, clusters, range, c, from, std::min(end, from + PIECE), act)) return false;
    }
  }
  return true;
}

// Puts the edges of `range` into the first half of `memory` and returns how many they are. If they are more than fit, that half
// holds some of them, and its size + 1 is returned.
template <class Key>
size_t list_edges(const EdgeKeys<Key>& keys, const DisjointSets& clusters, const EdgeRange& range, Span<Edge> memory,
                  size_t threads, const Cancellation& cancellation) {
  const size_t room = memory.size / 2;
  if (threads <= 1) {
    size_t count = 0;
    const bool fits = for_each_edge(keys, clusters, range, cancellation, [&](Edge edge) {
      if (count == room) return false;
      memory[count++] = edge;
      return true;
    });
    return fits ? count : room + 1;
  }
  // Pieces are listed in any order, each to a place in the second half, and then moved to where they belong.
  constexpr size_t PIECE = 8 * EDGE_STRIP;
  struct Piece {
    uint32_t channel;
    size_t begin, end, at, count;
  };
  std::vector<Piece> pieces;
  for (uint32_t c = 0; c < keys.channels; ++c) {
    const auto [begin, end] = keys.starts(c);
    for (size_t from = begin; from < end; from += PIECE) pieces.push_back({c, from, std::min(end, from + PIECE), 0, 0});
  }
  Edge* const unordered = memory.data + room;
  std::atomic<size_t> used{0};
  parallel_for(threads, pieces.size(), [&](size_t index) {
    cancellation.check();
    Piece& piece = pieces[index];
    std::vector<Edge> found;
    for_each_edge(keys, clusters, range, piece.channel, piece.begin, piece.end, [&](Edge edge) {
      found.push_back(edge);
      return true;
    });
    piece.count = found.size();
    piece.at = used.fetch_add(found.size());
    if (piece.at + piece.count <= room) std::copy(found.begin(), found.end(), unordered + piece.at);
  });
  if (used > room) return list_edges(keys, clusters, range, memory, 1, cancellation);
  std::vector<size_t> places;
  size_t sum = 0;
  for (const Piece& piece : pieces) {
    places.push_back(sum);
    sum += piece.count;
  }
  parallel_for(threads, pieces.size(), [&](size_t index) {
    const Edge* const from = unordered + pieces[index].at;
    std::copy(from, from + pieces[index].count, memory.data + places[index]);
  });
  return sum;
}

// A |key| near the median of those of some edges, of which there is one.
inline uint32_t middle_key(Span<const Edge> edges) {
  constexpr size_t SAMPLE = 65536;
  std::vector<uint32_t> keys;
  for (size_t i = 0; i < edges.size; i += edges.size / SAMPLE + 1) keys.push_back(key_of(edges[i]));
  const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(keys.size() / 2);
  std::nth_element(keys.begin(), middle, keys.end());
  return *middle;
}

}  // namespace blockwright
