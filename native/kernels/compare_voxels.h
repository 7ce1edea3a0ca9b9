// Where two arrays of one shape differ, element by element.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

enum class ElementType { uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, float64 };

struct VoxelDifferences {
  // Elements that are not equal; NaN equals NaN, and 0 equals -0.
  uint64_t unequal = 0;
  // Those of them whose difference exceeds the tolerance, or where one alone is NaN. The rest below is about these.
  uint64_t different = 0;
  // Where one of both is NaN.
  uint64_t not_numbers = 0;
  // Largest |a - b| of all elements, and the first element that has it; -1 where no difference is a number above 0.
  double largest = 0;
  int64_t largest_at = -1;
  // Indices of the first different elements, ascending.
  std::vector<double> first;
  // The smallest box around the different elements; without any of them begin = shape and end = 0.
  Shape begin, end;
  // Different elements of every index along the axis `planes_along`.
  std::vector<double> planes;
};

// Compares the elements of `a` and `b`, in C order of `shape`. Two integer types are compared exactly; a float with
// another type as float64. The difference of two integers is exact before it is rounded to float64.
//
// @param tolerance 0 or more
// @param limit indices that are listed, at most
// @param planes_along an axis of the shape
// Memory beside the arrays: 128 KiB where the types differ, the lists of the result.
VoxelDifferences compare_voxels(const void* a, ElementType a_type, const void* b, ElementType b_type, const Shape& shape,
                                double tolerance, size_t limit, int planes_along, const Cancellation& cancellation);

}  // namespace blockwright
