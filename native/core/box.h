// A box inside an array, in voxels.
#pragma once

#include <string>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/shape.h"

namespace blockwright {

struct Box {
  Shape begin;
  Shape shape;
};

// ERR_ARGUMENT unless the box lies inside an array of `shape`; `name` is the parameter's.
inline void check_box(const char* name, const Box& box, const Shape& shape) {
  bool inside = box.begin.dimensions == shape.dimensions && box.shape.dimensions == shape.dimensions;
  for (int axis = 0; inside && axis < shape.dimensions; ++axis) {
    inside = box.begin[axis] >= 0 && box.shape[axis] >= 0 && box.begin[axis] <= shape[axis] &&
             box.shape[axis] <= shape[axis] - box.begin[axis];
  }
  if (!inside) throw Error(ERR_ARGUMENT, std::string(name) + ": expected a box inside the array");
}

}  // namespace blockwright
