// What a kernel is run on, as an input describes it: shapes, boxes, labels and values of the kinds that have broken kernels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/box.h"
#include "core/shape.h"
#include "core/span.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "test/check.h"

namespace blockwright {

class KernelCase {
 public:
  // The first number of an input is the seed of what fills arrays, the others are choices.
  explicit KernelCase(Span<const uint8_t> input) : reader_(input), random_(reader_.number()) {}

  // A choice of [0, limit).
  uint64_t below(uint64_t limit) { return reader_.below(limit); }
  bool yes_one_of(uint64_t limit) { return below(limit) == 0; }
  // What fills arrays.
  Random& content() { return random_; }

  // 1 to 6 axes and at most `most` voxels; some have none, and then huge extents on other axes.
  Shape shape(int64_t most);
  // Inside the shape; often all of it, sometimes empty.
  Box box(const Shape& shape);
  // One of the ids at the ends of what 32, 53 and 64 bits can hold, 0, or a small one.
  uint64_t id();
  // Few labels in runs and blobs, with or without 0, or a label of its own for every voxel.
  void fill_labels(uint64_t* labels, const Shape& shape);
  // In [0, 1] in steps of 1 / 8, so that sums are exact and ties many; with `special` some are NaN, infinite, -0, denormal or huge.
  template <class Value>
  void fill_values(Value* values, size_t count, bool special) {
    const uint64_t rarity = 1 + below(200);
    for (size_t i = 0; i < count; ++i) {
      values[i] = static_cast<Value>(static_cast<double>(random_.below(9)) / 8);
      if (special && random_.below(rarity) == 0) values[i] = static_cast<Value>(special_value());
    }
  }
  void fill_bytes(uint8_t* values, size_t count);

 private:
  double special_value();

  InputReader reader_;
  Random random_;
};

// A target that runs one of several kernels, as its input chooses.
class KernelTarget : public FuzzTarget {
 public:
  using Kernel = void (*)(KernelCase&);
  explicit KernelTarget(std::vector<std::pair<const char*, Kernel>> kernels) : kernels_(std::move(kernels)) {}

  std::vector<uint8_t> make(Random& random) override {
    InputWriter writer;
    for (int number = 0; number < 96; ++number) writer.number(random.next());
    return writer.take();
  }

  void run(Span<const uint8_t> input, const std::string&) override {
    KernelCase chosen(input);
    const auto& [name, kernel] = kernels_[chosen.below(kernels_.size())];
    try {
      kernel(chosen);
    } catch (const Finding& finding) {
      throw Finding(std::string(name) + ": " + finding.what());
    } catch (const Error& error) {
      throw Finding(std::string(name) + ": " + error.code() + ": " + error.what());
    }
  }

 private:
  std::vector<std::pair<const char*, Kernel>> kernels_;
};

// The code of the Error that an action throws, or "".
template <class Action>
std::string code_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return "";
}

std::string text_of(const Shape& shape);

// Position of a voxel.
Shape position_of(size_t voxel, const Shape& shape);

// Calls visit(voxel, other) for every voxel of `shape` and each of its neighbours: those that differ by one in at most `reach`
// coordinates.
template <class Visit>
void for_each_neighbour(size_t voxel, const Shape& shape, int reach, const Visit& visit) {
  const Shape position = position_of(voxel, shape);
  const Shape strides = shape.strides();
  int steps = 1;
  for (int axis = 0; axis < shape.dimensions; ++axis) steps *= 3;
  for (int code = 0; code < steps; ++code) {
    int64_t other = 0;
    int changes = 0;
    bool inside = true;
    for (int axis = 0, rest = code; axis < shape.dimensions; ++axis, rest /= 3) {
      const int64_t at = position[axis] + rest % 3 - 1;
      changes += rest % 3 != 1;
      inside = inside && at >= 0 && at < shape[axis];
      other += at * strides[axis];
    }
    if (inside && changes > 0 && changes <= reach) visit(static_cast<size_t>(other));
  }
}

// Components of equal labels other than 0 by flood fill: 1.. in raster order of their first voxel. Returns their number.
uint64_t flood_fill(const std::vector<uint64_t>& labels, const Shape& shape, int reach, std::vector<uint64_t>& components);

}  // namespace blockwright
