#include "kernels/fragment_statistics.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace blockwright {

namespace {

struct Sums {
  uint64_t size = 0;
  std::array<uint64_t, MAX_DIMENSIONS> coordinates{};
};

}  // namespace

FragmentStatistics fragment_statistics(const uint64_t* labels, const Shape& shape, const Cancellation& cancellation) {
  const size_t count = shape.count();
  const int dimensions = shape.dimensions;
  const int64_t row = count == 0 ? 1 : shape[dimensions - 1];
  std::unordered_map<uint64_t, Sums> sums;
  std::array<int64_t, MAX_DIMENSIONS> position{};
  for (size_t begin = 0; begin < count; begin += row) {
    if ((begin / row) % 1024 == 0) cancellation.check();
    // Runs of one label along the fastest axis are added at once: sum of x in [a, b) = (a + b - 1) * (b - a) / 2.
    for (int64_t x = 0; x < row;) {
      const uint64_t label = labels[begin + x];
      int64_t end = x + 1;
      while (end < row && labels[begin + end] == label) ++end;
      if (label != 0) {
        Sums& entry = sums[label];
        const uint64_t length = end - x;
        entry.size += length;
        for (int axis = 0; axis < dimensions - 1; ++axis) entry.coordinates[axis] += position[axis] * length;
        entry.coordinates[dimensions - 1] += static_cast<uint64_t>(x + end - 1) * length / 2;
      }
      x = end;
    }
    for (int axis = dimensions - 2; axis >= 0; --axis) {
      if (++position[axis] < shape[axis]) break;
      position[axis] = 0;
    }
  }
  FragmentStatistics result;
  result.ids.reserve(sums.size());
  for (const auto& [id, entry] : sums) result.ids.push_back(id);
  std::sort(result.ids.begin(), result.ids.end());
  result.sizes.reserve(sums.size());
  result.centres.reserve(sums.size() * dimensions);
  for (const uint64_t id : result.ids) {
    const Sums& entry = sums[id];
    result.sizes.push_back(entry.size);
    for (int axis = 0; axis < dimensions; ++axis) {
      result.centres.push_back(static_cast<double>(entry.coordinates[axis]) / static_cast<double>(entry.size));
    }
  }
  return result;
}

}  // namespace blockwright
