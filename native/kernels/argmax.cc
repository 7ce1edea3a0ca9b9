#include "kernels/argmax.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/parallel.h"
#include "core/target_clones.h"

// Comparisons of floats may be computed for several voxels at once: what they do to the floating-point exception flags, which nobody
// reads, may differ; results may not.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

namespace blockwright {

namespace {

constexpr size_t TILE = 1024;             // voxels whose classes stay in the first cache
constexpr size_t PART = size_t{1} << 16;  // voxels of a work item

using Groups = std::vector<std::vector<size_t>>;

// Classes are counted in numbers as wide as the values, so that vectors of both have as many lanes.
template <size_t BYTES>
struct IndexOfSize;
template <>
struct IndexOfSize<1> { using type = uint8_t; };
template <>
struct IndexOfSize<2> { using type = uint16_t; };
template <>
struct IndexOfSize<4> { using type = uint32_t; };
template <>
struct IndexOfSize<8> { using type = uint64_t; };
template <class T>
using IndexOf = typename IndexOfSize<sizeof(T)>::type;

// A NaN is higher than everything, and nothing is higher than a NaN.
template <class T>
bool is_higher(T value, T highest) {
  return !(value <= highest) && highest == highest;
}

// The winners of `count` voxels, one by one.
template <class T>
void find_few_winners(const T* values, size_t voxels, const Groups& groups, size_t count, IndexOf<T>* winners) {
  for (size_t i = 0; i < count; ++i) {
    T best = 0;
    for (size_t group = 0; group < groups.size(); ++group) {
      T sum = values[groups[group][0] * voxels + i];
      for (size_t member = 1; member < groups[group].size(); ++member) sum += values[groups[group][member] * voxels + i];
      if (group > 0 && !is_higher(sum, best)) continue;
      best = sum;
      winners[i] = static_cast<IndexOf<T>>(group);
    }
  }
}

// The same for many voxels: 256 bytes of every channel in turn, with the best and the winners in registers. All channels are read
// alongside each other, which the prefetcher of memory follows better than a page of one after a page of the next.
// (Plain loops: types of GCC for vectors are cut to the smallest instruction set before the clones are made.)
#define BLOCKWRIGHT_FIND_WINNERS(T)                                                                                \
  BLOCKWRIGHT_TARGET_CLONES                                                                                        \
  void find_winners(const T* values, size_t voxels, const Groups& groups, size_t count, IndexOf<T>* winners) {     \
    constexpr size_t TOGETHER = 256 / sizeof(T);                                                                   \
    if (count < TOGETHER) return find_few_winners(values, voxels, groups, count, winners);                         \
    for (size_t at = 0; at < count; at += TOGETHER) {                                                              \
      at = std::min(at, count - TOGETHER); /* the last ones again with some that are done */                       \
      T best[TOGETHER];                                                                                            \
      IndexOf<T> numbers[TOGETHER];                                                                                \
      for (size_t group = 0; group < groups.size(); ++group) {                                                     \
        const T* const first = values + groups[group][0] * voxels + at;                                            \
        const IndexOf<T> number = static_cast<IndexOf<T>>(group);                                                  \
        T sums[TOGETHER];                                                                                          \
        for (size_t i = 0; i < TOGETHER; ++i) sums[i] = first[i];                                                  \
        for (size_t member = 1; member < groups[group].size(); ++member) {                                         \
          const T* const next = values + groups[group][member] * voxels + at;                                      \
          for (size_t i = 0; i < TOGETHER; ++i) sums[i] += next[i];                                                \
        }                                                                                                          \
        if (group == 0) {                                                                                          \
          for (size_t i = 0; i < TOGETHER; ++i) best[i] = sums[i], numbers[i] = 0;                                 \
          continue;                                                                                                \
        }                                                                                                          \
        for (size_t i = 0; i < TOGETHER; ++i) {                                                                    \
          const bool higher = !(sums[i] <= best[i]) & (best[i] == best[i]); /* a NaN is, and nothing than a NaN */ \
          best[i] = higher ? sums[i] : best[i];                                                                    \
          numbers[i] = higher ? number : numbers[i];                                                               \
        }                                                                                                          \
      }                                                                                                            \
      for (size_t i = 0; i < TOGETHER; ++i) winners[at + i] = numbers[i];                                          \
    }                                                                                                              \
  }
BLOCKWRIGHT_FIND_WINNERS(uint8_t)
BLOCKWRIGHT_FIND_WINNERS(int8_t)
BLOCKWRIGHT_FIND_WINNERS(uint16_t)
BLOCKWRIGHT_FIND_WINNERS(int16_t)
BLOCKWRIGHT_FIND_WINNERS(uint32_t)
BLOCKWRIGHT_FIND_WINNERS(int32_t)
BLOCKWRIGHT_FIND_WINNERS(float)
BLOCKWRIGHT_FIND_WINNERS(double)
#undef BLOCKWRIGHT_FIND_WINNERS

// The winners of integers whose sums, or whose classes, the values' own type does not hold.
template <class T>
void find_wide_winners(const T* values, size_t voxels, const Groups& groups, size_t count, uint64_t* winners) {
  int64_t best[TILE], sums[TILE];
  for (size_t group = 0; group < groups.size(); ++group) {
    std::fill(sums, sums + count, 0);
    for (const size_t channel : groups[group]) {
      const T* const next = values + channel * voxels;
      for (size_t i = 0; i < count; ++i) sums[i] += next[i];
    }
    for (size_t i = 0; i < count; ++i) {
      const bool higher = group == 0 || sums[i] > best[i];
      best[i] = higher ? sums[i] : best[i];
      winners[i] = higher ? group : winners[i];
    }
  }
}

template <class Index, class Class>
void store(const Index* winners, size_t count, Class* classes) {
  for (size_t i = 0; i < count; ++i) classes[i] = static_cast<Class>(winners[i]);
}

template <class Class>
void check_groups(const std::vector<std::vector<size_t>>& groups, size_t channels) {
  const size_t most = std::min<size_t>(MAX_CLASSES, size_t{std::numeric_limits<Class>::max()} < MAX_CLASSES
                                                        ? size_t{std::numeric_limits<Class>::max()} + 1
                                                        : MAX_CLASSES);
  if (groups.empty() || groups.size() > most) {
    throw Error(ERR_ARGUMENT, "classes: expected 1 to " + std::to_string(most) + ", found " + std::to_string(groups.size()));
  }
  for (const std::vector<size_t>& group : groups) {
    const bool right = !group.empty() && std::all_of(group.begin(), group.end(), [&](size_t one) { return one < channels; });
    if (!right) throw Error(ERR_ARGUMENT, "classes: expected at least one channel each, in [0, " + std::to_string(channels) + ")");
  }
}

}  // namespace

template <class Value, class Class>
void argmax(const Value* values, size_t channels, size_t voxels, const std::vector<std::vector<size_t>>& groups, Class* classes,
            size_t threads, const Cancellation& cancellation) {
  check_groups<Class>(groups, channels);
  cancellation.check();
  bool wide = groups.size() > 256 && sizeof(Value) == 1;  // than bytes
  for (const std::vector<size_t>& group : groups) wide = wide || group.size() > 1;
  wide = wide && std::is_integral_v<Value>;
  parallel_for(threads, (voxels + PART - 1) / PART, [&](size_t part) {
    const size_t end = std::min(voxels, (part + 1) * PART);
    for (size_t at = part * PART; at < end; at += TILE) {
      cancellation.check();
      const size_t count = std::min(TILE, end - at);
      if (wide) {
        uint64_t winners[TILE];
        find_wide_winners(values + at, voxels, groups, count, winners);
        store(winners, count, classes + at);
      } else {
        IndexOf<Value> winners[TILE];
        find_winners(values + at, voxels, groups, count, winners);
        store(winners, count, classes + at);
      }
    }
  });
}

#define BLOCKWRIGHT_ARGMAX(Value, Class)                                                                                    \
  template void argmax<Value, Class>(const Value*, size_t, size_t, const std::vector<std::vector<size_t>>&, Class*, size_t, \
                                     const Cancellation&);
#define BLOCKWRIGHT_ARGMAX_OF(Value)  \
  BLOCKWRIGHT_ARGMAX(Value, uint8_t)  \
  BLOCKWRIGHT_ARGMAX(Value, uint16_t) \
  BLOCKWRIGHT_ARGMAX(Value, uint32_t) \
  BLOCKWRIGHT_ARGMAX(Value, uint64_t)
BLOCKWRIGHT_ARGMAX_OF(uint8_t)
BLOCKWRIGHT_ARGMAX_OF(int8_t)
BLOCKWRIGHT_ARGMAX_OF(uint16_t)
BLOCKWRIGHT_ARGMAX_OF(int16_t)
BLOCKWRIGHT_ARGMAX_OF(uint32_t)
BLOCKWRIGHT_ARGMAX_OF(int32_t)
BLOCKWRIGHT_ARGMAX_OF(float)
BLOCKWRIGHT_ARGMAX_OF(double)
#undef BLOCKWRIGHT_ARGMAX_OF
#undef BLOCKWRIGHT_ARGMAX

}  // namespace blockwright
