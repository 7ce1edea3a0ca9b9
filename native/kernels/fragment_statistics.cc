#include "kernels/fragment_statistics.h"

#include <algorithm>
#include <array>

#include "core/equal_bits.h"
#include "core/label_table.h"

namespace blockwright {

FragmentStatistics fragment_statistics(const uint64_t* labels, const Shape& shape, const Cancellation& cancellation) {
  const size_t count = shape.count();
  const int dimensions = shape.dimensions;
  const size_t row = count == 0 ? 1 : static_cast<size_t>(shape[dimensions - 1]);
  constexpr size_t PART = size_t{1} << 18;  // voxels between two looks at the cancellation
  LabelTable table(labels, count, cancellation);
  // Per label: voxels, then the sum of each coordinate. Integers, so the order of additions does not matter.
  const size_t width = static_cast<size_t>(dimensions) + 1;
  std::vector<uint64_t> sums;
  std::array<uint64_t, MAX_DIMENSIONS> position{};
  for (size_t begin = 0; begin < count; begin += row) {
    for (size_t part = 0; part < row; part += PART) {
      cancellation.check();
      // Runs of one label along the fastest axis are added at once: sum of x in [a, b) = (a + b - 1) * (b - a) / 2.
      const uint64_t* voxels = labels + begin + part;
      for_each_run(voxels, std::min(PART, row - part), [&](size_t first, size_t last) {
        if (voxels[first] == 0) return;
        const size_t at = table.number(voxels[first]) * width;
        if (at >= sums.size()) sums.resize(at + width);
        uint64_t* entry = &sums[at];
        const uint64_t x = part + first, end = part + last, length = last - first;
        entry[0] += length;
        for (int axis = 0; axis < dimensions - 1; ++axis) entry[axis + 1] += position[axis] * length;
        entry[dimensions] += (x + end - 1) * length / 2;
      });
    }
    for (int axis = dimensions - 2; axis >= 0; --axis) {
      if (++position[axis] < static_cast<uint64_t>(shape[axis])) break;
      position[axis] = 0;
    }
  }
  FragmentStatistics result;
  const std::vector<uint32_t> order = table.ascending(cancellation);
  result.ids.reserve(order.size());
  result.sizes.reserve(order.size());
  result.centres.reserve(order.size() * dimensions);
  for (const uint32_t number : order) {
    const uint64_t* entry = &sums[number * width];
    result.ids.push_back(table.ids()[number]);
    result.sizes.push_back(entry[0]);
    for (int axis = 0; axis < dimensions; ++axis) {
      result.centres.push_back(static_cast<double>(entry[axis + 1]) / static_cast<double>(entry[0]));
    }
  }
  return result;
}

}  // namespace blockwright
