// The rows of a box and their neighbours, for connected components.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/box.h"
#include "core/shape.h"

namespace blockwright {

// An earlier row whose voxels may touch those of a row.
struct Neighbour {
  Shape step;                // over the outer axes
  size_t back = 0;           // rows before
  int64_t distance = 0;      // from a voxel to the one at its place there, in the array
  uint32_t low = 0, high = 0;  // axes along which it goes one down, one up: bits
  bool corners = false;      // voxels whose places along the row differ by one touch too
  // Neighbours (by index) whose voxel at the same place touches every voxel of this row that could be met there. Where
  // one of them has the label, this row is already joined with it, and joining it again can be left out.
  std::vector<size_t> covered_by;
};

// The axes at whose lower or upper end a row lies: bits.
struct Borders {
  uint32_t low = 0, high = 0;

  bool has(const Neighbour& neighbour) const { return ((neighbour.low & low) | (neighbour.high & high)) == 0; }
};

// The rows of the box, in raster order.
struct Rows {
  Shape box;               // shape of the box
  Shape strides;           // of the array
  int axes;                // outer axes, all but that of the rows
  size_t corner = 0;       // first voxel of the box in the array
  size_t count = 0;
  size_t length = 0;
  bool full;               // voxels touch that share a corner: the first neighbour covers all others
  std::vector<Neighbour> neighbours;  // those with the fewest changes first

  Rows(const Shape& shape, const Box& part, int reach)
      : box(part.shape), strides(shape.strides()), axes(shape.dimensions - 1), full(reach >= shape.dimensions) {
    for (int axis = 0; axis <= axes; ++axis) corner += static_cast<size_t>(part.begin[axis] * strides[axis]);
    Shape outer = box;
    outer.dimensions = axes;
    count = outer.count();
    length = static_cast<size_t>(box[axes]);
    find_neighbours(outer.strides(), reach);
  }

  Shape position(size_t row) const {
    Shape result;
    for (int axis = axes - 1; axis >= 0; --axis) {
      result[axis] = static_cast<int64_t>(row % static_cast<size_t>(box[axis]));
      row /= static_cast<size_t>(box[axis]);
    }
    return result;
  }
  void advance(Shape& position) const {
    for (int axis = axes - 1; axis >= 0; --axis) {
      if (++position[axis] < box[axis]) return;
      position[axis] = 0;
    }
  }
  // First voxel of the row at `position`, in the array.
  size_t begin(const Shape& position) const {
    int64_t result = static_cast<int64_t>(corner);
    for (int axis = 0; axis < axes; ++axis) result += position[axis] * strides[axis];
    return static_cast<size_t>(result);
  }
  Borders borders(const Shape& position) const {
    Borders result;
    for (int axis = 0; axis < axes; ++axis) {
      result.low |= static_cast<uint32_t>(position[axis] == 0) << axis;
      result.high |= static_cast<uint32_t>(position[axis] == box[axis] - 1) << axis;
    }
    return result;
  }
  size_t farthest() const {
    size_t result = 0;
    for (const Neighbour& neighbour : neighbours) result = std::max(result, neighbour.back);
    return result;
  }

 private:
  // All steps of -1, 0, 1 over the outer axes that go back in raster order and change no more than `reach` of them.
  void find_neighbours(const Shape& row_strides, int reach) {
    size_t steps = 1;
    for (int axis = 0; axis < axes; ++axis) steps *= 3;
    for (int wanted = 1; wanted <= std::min(reach, axes); ++wanted) {
      for (size_t code = 0; code < steps / 2; ++code) {  // the codes below the middle go back
        Neighbour neighbour;
        int changes = 0;
        int64_t back = 0;
        bool possible = true;
        size_t rest = code;
        for (int axis = axes - 1; axis >= 0; --axis, rest /= 3) {
          neighbour.step[axis] = static_cast<int64_t>(rest % 3) - 1;
          changes += neighbour.step[axis] != 0;
          possible = possible && (neighbour.step[axis] == 0 || box[axis] > 1);
          back -= neighbour.step[axis] * row_strides[axis];
          neighbour.distance += neighbour.step[axis] * strides[axis];
          neighbour.low |= static_cast<uint32_t>(neighbour.step[axis] < 0) << axis;
          neighbour.high |= static_cast<uint32_t>(neighbour.step[axis] > 0) << axis;
        }
        if (changes != wanted || !possible) continue;
        neighbour.back = static_cast<size_t>(back);
        neighbour.corners = changes < reach;
        for (size_t other = 0; other < neighbours.size(); ++other) {
          int apart = neighbour.corners ? 1 : 0;
          bool near = true;
          for (int axis = 0; axis < axes; ++axis) {
            const int64_t difference = neighbour.step[axis] - neighbours[other].step[axis];
            apart += difference != 0;
            near = near && difference >= -1 && difference <= 1;
          }
          if (near && apart <= reach) neighbour.covered_by.push_back(other);
        }
        neighbours.push_back(neighbour);
      }
    }
  }
};

}  // namespace blockwright
