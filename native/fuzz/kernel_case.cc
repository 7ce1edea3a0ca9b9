#include "fuzz/kernel_case.h"

#include <algorithm>
#include <limits>

namespace blockwright {

Shape KernelCase::shape(int64_t most) {
  Shape result;
  result.dimensions = 1 + static_cast<int>(below(MAX_DIMENSIONS));
  for (int axis = 0; axis < result.dimensions; ++axis) {
    const int64_t longest[] = {1, 3, 5, 70};
    result[axis] = 1 + static_cast<int64_t>(below(static_cast<uint64_t>(std::min(most, longest[below(4)]))));
    most /= result[axis];
  }
  if (!yes_one_of(16)) return result;
  const int64_t extents[] = {0, 1, int64_t{1} << 31, int64_t{1} << 40, (int64_t{1} << 53) - 1};
  for (int axis = 0; axis < result.dimensions; ++axis) result[axis] = extents[below(5)];
  result[static_cast<int>(below(static_cast<uint64_t>(result.dimensions)))] = 0;
  // Where the product overflows before the 0 is met the boundary refuses the shape; kernels never see it.
  if (!code_of([&] { static_cast<void>(result.count()); }).empty()) {
    for (int axis = 0; axis < result.dimensions; ++axis) result[axis] = std::min<int64_t>(result[axis], 1);
  }
  return result;
}

Box KernelCase::box(const Shape& shape) {
  Box result{shape, shape};
  const bool whole = yes_one_of(3);
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    result.begin[axis] = 0;
    if (whole) continue;
    result.begin[axis] = static_cast<int64_t>(below(static_cast<uint64_t>(shape[axis]) + 1)) / (1 + static_cast<int64_t>(below(3)));
    const int64_t room = shape[axis] - result.begin[axis];
    result.shape[axis] = yes_one_of(2) ? room : room - static_cast<int64_t>(below(static_cast<uint64_t>(room) + 1)) / 2;
  }
  return result;
}

uint64_t KernelCase::id() {
  constexpr uint64_t ONE = 1;
  const uint64_t ids[] = {0,
                          1,
                          2,
                          (ONE << 31) - 1,
                          (ONE << 32) - 1,
                          ONE << 32,
                          (ONE << 53) - 1,
                          (ONE << 53) + 1,
                          (ONE << 63) - 1,
                          ONE << 63,
                          (ONE << 63) + 1,
                          ~uint64_t{0} - 1,
                          ~uint64_t{0}};
  switch (below(4)) {
    case 0:
      return ids[below(std::size(ids))];
    case 1:
      return ids[below(std::size(ids))] + below(5);
    case 2:
      return below(20);
    default:
      return below(UINT64_MAX) >> below(64);
  }
}

void KernelCase::fill_labels(uint64_t* labels, const Shape& shape) {
  const size_t count = shape.count();
  std::vector<uint64_t> palette(1 + below(9));
  for (uint64_t& entry : palette) entry = id();
  if (yes_one_of(3)) palette.push_back(0);
  const bool distinct = yes_one_of(12);
  const uint64_t base = id();
  const uint64_t run = 1 + below(12), copies = below(4);
  const Shape strides = shape.strides();
  const size_t row = shape.dimensions > 1 ? static_cast<size_t>(strides[shape.dimensions - 2]) : 1;
  uint64_t label = palette[0];
  for (size_t i = 0; i < count; ++i) {
    if (random_.below(run) == 0) label = palette[random_.below(palette.size())];
    if (i >= row && random_.below(4) < copies) label = labels[i - row];
    labels[i] = distinct ? base + i : label;
  }
}

void KernelCase::fill_bytes(uint8_t* values, size_t count) {
  const uint64_t kinds = below(3);
  for (size_t i = 0; i < count; ++i) {
    values[i] = static_cast<uint8_t>(kinds == 0   ? random_.below(256)
                                     : kinds == 1 ? 100 + random_.below(4)
                                                  : 255 * random_.below(2));
  }
}

double KernelCase::special_value() {
  using Limits = std::numeric_limits<float>;
  const double values[] = {Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(),
                           -0.0,                Limits::denorm_min(), Limits::max(),      -Limits::max(),
                           Limits::min(),       -1.0,                 1e30,               0.1};
  return values[random_.below(std::size(values))];
}

std::string text_of(const Shape& shape) {
  std::string text = "[";
  for (int axis = 0; axis < shape.dimensions; ++axis) text += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
  return text + "]";
}

Shape position_of(size_t voxel, const Shape& shape) {
  Shape position;
  position.dimensions = shape.dimensions;
  for (int axis = shape.dimensions - 1; axis >= 0; --axis) {
    position[axis] = static_cast<int64_t>(voxel % static_cast<size_t>(shape[axis]));
    voxel /= static_cast<size_t>(shape[axis]);
  }
  return position;
}

uint64_t flood_fill(const std::vector<uint64_t>& labels, const Shape& shape, int reach, std::vector<uint64_t>& components) {
  components.assign(labels.size(), 0);
  uint64_t count = 0;
  std::vector<size_t> open;
  for (size_t voxel = 0; voxel < labels.size(); ++voxel) {
    if (labels[voxel] == 0 || components[voxel] != 0) continue;
    components[voxel] = ++count;
    for (open = {voxel}; !open.empty();) {
      const size_t at = open.back();
      open.pop_back();
      for_each_neighbour(at, shape, reach, [&](size_t other) {
        if (components[other] != 0 || labels[other] != labels[at]) return;
        components[other] = count;
        open.push_back(other);
      });
    }
  }
  return count;
}

}  // namespace blockwright
