// Shapes of dense C-order arrays of 1 to 6 dimensions, with products that are checked for overflow.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/error_codes.h"

namespace blockwright {

inline constexpr int MAX_DIMENSIONS = 6;

// An integer vector of up to MAX_DIMENSIONS entries, without heap memory.
struct Shape {
  std::array<int64_t, MAX_DIMENSIONS> extent{};
  int dimensions = 0;

  Shape() = default;
  explicit Shape(const std::vector<int64_t>& values) {
    if (values.size() > MAX_DIMENSIONS) {
      throw Error(ERR_ARGUMENT, "shape: expected at most 6 dimensions, found " + std::to_string(values.size()));
    }
    dimensions = static_cast<int>(values.size());
    for (int axis = 0; axis < dimensions; ++axis) extent[axis] = values[axis];
  }
  int64_t operator[](int axis) const { return extent[axis]; }
  int64_t& operator[](int axis) { return extent[axis]; }
  bool operator==(const Shape& other) const {
    if (dimensions != other.dimensions) return false;
    for (int axis = 0; axis < dimensions; ++axis) {
      if (extent[axis] != other.extent[axis]) return false;
    }
    return true;
  }

  // Number of elements; throws when an extent is negative or the product exceeds 2^62.
  size_t count() const {
    int64_t product = 1;
    for (int axis = 0; axis < dimensions; ++axis) {
      if (extent[axis] < 0) throw Error(ERR_ARGUMENT, "shape: extents must not be negative");
      if (__builtin_mul_overflow(product, extent[axis], &product) || product > (int64_t{1} << 62)) {
        throw Error(ERR_LIMIT, "shape: number of elements exceeds 2^62");
      }
    }
    return static_cast<size_t>(product);
  }

  // C-order strides in elements. An array without elements may have extents whose products wrap around: nobody uses them.
  Shape strides() const {
    Shape result;
    result.dimensions = dimensions;
    int64_t stride = 1;
    for (int axis = dimensions - 1; axis >= 0; --axis) {
      result[axis] = stride;
      static_cast<void>(__builtin_mul_overflow(stride, extent[axis], &stride));
    }
    return result;
  }
};

}  // namespace blockwright
