#include "kernels/mutex_watershed_strips.h"

#include <algorithm>
#include <utility>

#include "core/target_clones.h"

namespace blockwright {

namespace {

template <class Key>
inline __attribute__((always_inline)) void first_of_any(const Key* values, size_t count, uint32_t direction, int32_t* best,
                                                        uint32_t* which, int32_t* repulsion) {
  for (size_t i = 0; i < count; ++i) {
    const int32_t value = values[i];
    const int32_t size = value < 0 ? -value : value;
    const uint32_t here = value > 0 ? direction : NO_DIRECTION;
    which[i] = size > best[i] ? here : which[i];
    best[i] = std::max(best[i], size);
    repulsion[i] = std::max(repulsion[i], -value);
  }
}
BLOCKWRIGHT_TARGET_CLONES
void first_of(const int16_t* values, size_t count, uint32_t direction, int32_t* __restrict best, uint32_t* __restrict which,
              int32_t* __restrict repulsion) {
  first_of_any(values, count, direction, best, which, repulsion);
}
BLOCKWRIGHT_TARGET_CLONES
void first_of(const int32_t* values, size_t count, uint32_t direction, int32_t* __restrict best, uint32_t* __restrict which,
              int32_t* __restrict repulsion) {
  first_of_any(values, count, direction, best, which, repulsion);
}

template <class Key>
inline __attribute__((always_inline)) void mask_of_any(const Key* values, size_t count, uint32_t low, uint32_t range,
                                                       uint32_t bit, uint32_t weaker, uint32_t* directions) {
  for (size_t i = 0; i < count; ++i) {
    // keys that are not negative are beyond any range
    const int32_t value = values[i];
    const uint32_t beyond = static_cast<uint32_t>(-value) - low;
    directions[i] |= (beyond <= range ? bit : 0) | (value < 0 && value > -static_cast<int32_t>(low) ? weaker : 0);
  }
}
BLOCKWRIGHT_TARGET_CLONES
void mask_of(const int16_t* values, size_t count, uint32_t low, uint32_t range, uint32_t bit, uint32_t weaker,
             uint32_t* __restrict directions) {
  mask_of_any(values, count, low, range, bit, weaker, directions);
}
BLOCKWRIGHT_TARGET_CLONES
void mask_of(const int32_t* values, size_t count, uint32_t low, uint32_t range, uint32_t bit, uint32_t weaker,
             uint32_t* __restrict directions) {
  mask_of_any(values, count, low, range, bit, weaker, directions);
}

template <class Key>
inline __attribute__((always_inline)) void select_any(const Key* values, const int32_t* start_roots, const int32_t* end_roots,
                                                      int32_t start, int32_t end, int32_t count, uint32_t low, uint32_t range,
                                                      int32_t flip, uint8_t* flags) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t value = values[i];
    const uint32_t size = static_cast<uint32_t>(value < 0 ? value * flip : value);
    const int32_t a = start_roots[i] < 0 ? start + i : start_roots[i];
    const int32_t b = end_roots[i] < 0 ? end + i : end_roots[i];
    flags[i] = static_cast<uint8_t>((size - low <= range) & (a != b));
  }
}
BLOCKWRIGHT_TARGET_CLONES
void select_strip(const int16_t* values, const int32_t* start_roots, const int32_t* end_roots, int32_t start, int32_t end,
                  int32_t count, uint32_t low, uint32_t range, int32_t flip, uint8_t* __restrict flags) {
  select_any(values, start_roots, end_roots, start, end, count, low, range, flip, flags);
}
BLOCKWRIGHT_TARGET_CLONES
void select_strip(const int32_t* values, const int32_t* start_roots, const int32_t* end_roots, int32_t start, int32_t end,
                  int32_t count, uint32_t low, uint32_t range, int32_t flip, uint8_t* __restrict flags) {
  select_any(values, start_roots, end_roots, start, end, count, low, range, flip, flags);
}

template <class Key>
void select_padded(const Key* values, const int32_t* roots, size_t begin, int64_t step, size_t count, uint32_t low,
                   uint32_t high, bool both, uint8_t* flags) {
  const size_t end = static_cast<size_t>(static_cast<int64_t>(begin) + step);
  // Negative keys are taken as they are, beyond any |key|, unless repulsive edges are wanted too.
  select_strip(values, roots + begin, roots + end, static_cast<int32_t>(begin), static_cast<int32_t>(end),
               static_cast<int32_t>(count), low, high - low, both ? -1 : 1, flags);
  std::fill(flags + count, flags + (count + 7) / 8 * 8, 0);
}

// Calls visit(values, first, number, direction) for both directions of all channels that have edges there, in the order in
// which equal edges come, where values[0 .. number) are the keys of voxels begin + first, begin + first + 1, ...
template <class Key, class Visit>
void for_each_direction(const EdgeKeys<Key>& keys, size_t begin, size_t count, const Visit& visit) {
  Key buffer[EDGE_STRIP];
  for (uint32_t c = 0; c < keys.channels; ++c) {
    const int64_t step = keys.step[c];
    const auto starting = [&] {
      if (const Key* values = keys.strip(c, begin, count, buffer)) visit(values, 0, count, 2 * c);
    };
    const auto ending = [&] {
      const int64_t voxels = keys.voxels;
      if (step >= voxels || step <= -voxels) return;
      const size_t low = std::max(begin, static_cast<size_t>(std::max<int64_t>(0, step)));
      const size_t high = std::min(begin + count, static_cast<size_t>(voxels + std::min<int64_t>(0, step)));
      if (low >= high) return;
      const size_t start = static_cast<size_t>(static_cast<int64_t>(low) - step);
      if (const Key* values = keys.strip(c, start, high - low, buffer)) visit(values, low - begin, high - low, 2 * c + 1);
    };
    // Of equal edges of a channel the one that starts first comes first.
    if (step > 0) {
      ending();
      starting();
    } else {
      starting();
      ending();
    }
  }
}

}  // namespace

template <class Key>
void first_edges(const EdgeKeys<Key>& keys, size_t begin, size_t count, uint32_t* direction, uint32_t* repulsion) {
  int32_t best[EDGE_STRIP];
  int32_t strongest[EDGE_STRIP];
  std::fill(best, best + count, 0);
  std::fill(strongest, strongest + count, 0);
  std::fill(direction, direction + count, NO_DIRECTION);
  for_each_direction(keys, begin, count, [&](const Key* values, size_t first, size_t number, uint32_t which) {
    first_of(values, number, which, best + first, direction + first, strongest + first);
  });
  std::copy(strongest, strongest + count, repulsion);
}

template <class Key>
void repulsive_directions(const EdgeKeys<Key>& keys, uint32_t low, uint32_t high, size_t begin, size_t count,
                          uint32_t weaker, uint32_t* directions) {
  std::fill(directions, directions + count, 0);
  for_each_direction(keys, begin, count, [&](const Key* values, size_t first, size_t number, uint32_t which) {
    mask_of(values, number, low, high - low, uint32_t{1} << (which % 32), weaker, directions + first);
  });
}

void select_edges(const int16_t* values, const int32_t* roots, size_t begin, int64_t step, size_t count, uint32_t low,
                  uint32_t high, bool both, uint8_t* flags) {
  select_padded(values, roots, begin, step, count, low, high, both, flags);
}
void select_edges(const int32_t* values, const int32_t* roots, size_t begin, int64_t step, size_t count, uint32_t low,
                  uint32_t high, bool both, uint8_t* flags) {
  select_padded(values, roots, begin, step, count, low, high, both, flags);
}

template void first_edges(const EdgeKeys<int16_t>&, size_t, size_t, uint32_t*, uint32_t*);
template void first_edges(const EdgeKeys<int32_t>&, size_t, size_t, uint32_t*, uint32_t*);
template void repulsive_directions(const EdgeKeys<int16_t>&, uint32_t, uint32_t, size_t, size_t, uint32_t, uint32_t*);
template void repulsive_directions(const EdgeKeys<int32_t>&, uint32_t, uint32_t, size_t, size_t, uint32_t, uint32_t*);

}  // namespace blockwright
