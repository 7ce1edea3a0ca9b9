// Downsampling against a plain version, on hostile shapes and factors.
#include <cmath>
#include <limits>
#include <map>
#include <type_traits>

#include "kernels/downsample.h"
#include "test/check.h"

using namespace blockwright;

namespace {

const Cancellation NEVER;

// The cell of every voxel, as an index of the output.
std::vector<std::vector<size_t>> cells_of(const Shape& shape, const Shape& factors, const Shape& coarse) {
  std::vector<std::vector<size_t>> cells(coarse.count());
  for (size_t voxel = 0; voxel < shape.count(); ++voxel) {
    size_t rest = voxel, index = 0, stride = 1;
    for (int axis = shape.dimensions - 1; axis >= 0; --axis) {
      const size_t extent = static_cast<size_t>(shape[axis]);
      index += rest % extent / static_cast<size_t>(factors[axis]) * stride;
      stride *= static_cast<size_t>(coarse[axis]);
      rest /= extent;
    }
    cells[index].push_back(voxel);
  }
  return cells;
}

template <class T>
void compare(const Shape& shape, const Shape& factors, Random& random) {
  const Shape coarse = downsampled_shape(shape, factors);
  Exact<T> values(shape.count()), output(coarse.count());
  for (size_t i = 0; i < values.size(); ++i) {
    const T ends[] = {std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max(), 0, 1};
    values[i] = ends[random.below(std::is_floating_point_v<T> ? 2 : 4)];
    if (std::is_floating_point_v<T>) values[i] = static_cast<T>(random.unit() - 0.5);
  }
  const auto cells = cells_of(shape, factors, coarse);
  downsample(values.data(), shape, factors, DownsampleMethod::stride, false, output.data(), NEVER);
  for (size_t i = 0; i < cells.size(); ++i) CHECK(output[i] == values[cells[i][0]]);
  downsample(values.data(), shape, factors, DownsampleMethod::mean, false, output.data(), NEVER);
  for (size_t i = 0; i < cells.size(); ++i) {
    if constexpr (std::is_floating_point_v<T>) {
      double sum = 0;
      for (const size_t voxel : cells[i]) sum += static_cast<double>(values[voxel]);
      CHECK(output[i] == static_cast<T>(sum / static_cast<double>(cells[i].size())));
    } else {
      // |output * count - sum| is at most half of count, and exactly half only for an even output.
      __int128 difference = static_cast<__int128>(output[i]) * static_cast<__int128>(cells[i].size());
      for (const size_t voxel : cells[i]) difference -= values[voxel];
      if (difference < 0) difference = -difference;
      CHECK(2 * difference <= static_cast<__int128>(cells[i].size()));
      if (2 * difference == static_cast<__int128>(cells[i].size())) CHECK(output[i] % 2 == 0);
    }
  }
  if constexpr (!std::is_floating_point_v<T>) {
    for (const bool ignore : {false, true}) {
      downsample(values.data(), shape, factors, DownsampleMethod::mode, ignore, output.data(), NEVER);
      for (size_t i = 0; i < cells.size(); ++i) {
        std::map<T, size_t> counts;
        for (const size_t voxel : cells[i]) ++counts[values[voxel]];
        if (ignore && counts.size() > 1) counts.erase(0);
        T best = counts.begin()->first;
        for (const auto& [value, count] : counts) {
          if (count > counts[best]) best = value;
        }
        CHECK(output[i] == best);
      }
    }
  } else {
    CHECK_ERROR(ERR_ARGUMENT, downsample(Exact<T>(1).data(), Shape({1}), Shape({1}), DownsampleMethod::mode, false,
                                         Exact<T>(1).data(), NEVER));
  }
}

}  // namespace

int main() {
  Random random(1);
  for (const Shape& shape : hostile_shapes()) {
    for (int kind = 0; kind < 4; ++kind) {
      Shape factors = shape;
      for (int axis = 0; axis < shape.dimensions; ++axis) {
        factors[axis] = kind == 0 ? 1 : kind == 1 ? 2 : kind == 2 ? static_cast<int64_t>(1 + random.below(5)) : 33;
      }
      if (kind == 3 && shape.dimensions > 2) factors[0] = factors[1] = 1;
      compare<uint8_t>(shape, factors, random);
      compare<int16_t>(shape, factors, random);
      compare<uint32_t>(shape, factors, random);
      compare<uint64_t>(shape, factors, random);
      compare<int64_t>(shape, factors, random);
      compare<float>(shape, factors, random);
      compare<double>(shape, factors, random);
    }
  }

  // Refusals.
  const Shape two({2});
  CHECK_ERROR(ERR_ARGUMENT, downsampled_shape(two, Shape({0})));
  CHECK_ERROR(ERR_ARGUMENT, downsampled_shape(two, Shape({-1})));
  CHECK_ERROR(ERR_ARGUMENT, downsampled_shape(two, Shape({1, 1})));
  CHECK_ERROR(ERR_ARGUMENT, downsampled_shape(two, Shape({INT64_MAX})));
  CHECK_ERROR(ERR_ARGUMENT, downsampled_shape(Shape({2, 2}), Shape({int64_t{1} << 31, 2})));
  CHECK(downsampled_shape(two, Shape({int64_t{1} << 31}))[0] == 1);
  const uint8_t raised = 1;
  Exact<uint8_t> values(2), output(2);
  CHECK_ERROR(ERR_CANCELLED, downsample(values.data(), two, Shape({1}), DownsampleMethod::mean, false, output.data(),
                                        Cancellation(&raised)));
  return 0;
}
