#include "kernels/argmax.h"

#include <algorithm>
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

constexpr size_t TILE = 1024;             // voxels whose best values and classes stay in the first cache
constexpr size_t PART = size_t{1} << 16;  // voxels of a work item

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

#define BLOCKWRIGHT_ARGMAX_LOOPS(T)                                                                                    \
  BLOCKWRIGHT_TARGET_CLONES                                                                                            \
  void raise(const T* __restrict values, size_t count, IndexOf<T> number, T* __restrict best,                          \
             IndexOf<T>* __restrict winners) {                                                                         \
    for (size_t i = 0; i < count; ++i) {                                                                               \
      const T value = values[i], highest = best[i];                                                                    \
      const bool higher = !(value <= highest) & (highest == highest); /* a NaN is higher, and nothing than a NaN */    \
      best[i] = higher ? value : highest;                                                                              \
      winners[i] = higher ? number : winners[i];                                                                       \
    }                                                                                                                  \
  }
BLOCKWRIGHT_ARGMAX_LOOPS(uint8_t)
BLOCKWRIGHT_ARGMAX_LOOPS(int8_t)
BLOCKWRIGHT_ARGMAX_LOOPS(uint16_t)
BLOCKWRIGHT_ARGMAX_LOOPS(int16_t)
BLOCKWRIGHT_ARGMAX_LOOPS(uint32_t)
BLOCKWRIGHT_ARGMAX_LOOPS(int32_t)
BLOCKWRIGHT_ARGMAX_LOOPS(int64_t)
BLOCKWRIGHT_ARGMAX_LOOPS(float)
BLOCKWRIGHT_ARGMAX_LOOPS(double)
#undef BLOCKWRIGHT_ARGMAX_LOOPS

template <class Value, class Class>
struct Task {
  const Value* values;
  size_t voxels;
  const std::vector<std::vector<size_t>>& groups;
  Class* classes;

  // Compared: the type of the groups' values, Value itself or a wider one.
  template <class Compared>
  void run(size_t begin, size_t end) const {
    Compared best[TILE], sums[TILE];
    IndexOf<Compared> winners[TILE];
    for (; begin < end; begin += TILE) {
      const size_t count = std::min(TILE, end - begin);
      for (size_t group = 0; group < groups.size(); ++group) {
        const Compared* const compared = values_of(groups[group], begin, count, sums);
        if (group == 0) {
          std::copy(compared, compared + count, best);
          std::fill(winners, winners + count, 0);
        } else {
          raise(compared, count, static_cast<IndexOf<Compared>>(group), best, winners);
        }
      }
      for (size_t i = 0; i < count; ++i) classes[begin + i] = static_cast<Class>(winners[i]);
    }
  }

 private:
  template <class Compared>
  const Compared* values_of(const std::vector<size_t>& channels, size_t begin, size_t count, Compared* sums) const {
    const Value* const first = values + channels[0] * voxels + begin;
    if constexpr (std::is_same_v<Value, Compared>) {
      if (channels.size() == 1) return first;
    }
    std::copy(first, first + count, sums);
    for (size_t member = 1; member < channels.size(); ++member) {
      const Value* const next = values + channels[member] * voxels + begin;
      for (size_t i = 0; i < count; ++i) sums[i] += next[i];
    }
    return sums;
  }
};

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
  const Task<Value, Class> task{values, voxels, groups, classes};
  bool wide = groups.size() > 256 && sizeof(Value) == 1;  // than the classes of bytes
  for (const std::vector<size_t>& group : groups) wide = wide || group.size() > 1;
  parallel_for(threads, (voxels + PART - 1) / PART, [&](size_t part) {
    cancellation.check();
    const size_t begin = part * PART, end = std::min(voxels, begin + PART);
    if constexpr (!std::is_floating_point_v<Value>) {
      if (wide) return task.template run<int64_t>(begin, end);
    }
    task.template run<Value>(begin, end);
  });
}

#define BLOCKWRIGHT_ARGMAX(Value, Class)                                                                              \
  template void argmax<Value, Class>(const Value*, size_t, size_t, const std::vector<std::vector<size_t>>&, Class*, size_t, \
                                     const Cancellation&);
#define BLOCKWRIGHT_ARGMAX_OF(Value) \
  BLOCKWRIGHT_ARGMAX(Value, uint8_t) \
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
