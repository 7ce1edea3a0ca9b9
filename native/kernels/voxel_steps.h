// Computes every voxel of a box: conversions, affine maps, ranges, thresholds, one after the other in one pass.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

enum class VoxelType { boolean, uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, float64 };

size_t item_size(VoxelType type);

// Each step's result is rounded to its type before the next one.
// convert: between integers the nearest value that the type holds; floats to integers round half to even and saturate, NaN
//   is 0; to boolean 1 unless 0 or NaN; a boolean is 0 or 1 whatever byte it is.
// affine: v * first + second in float64, to float32 or float64.
// normalise: (v - first) / (second - first) in float64, clipped to [0, 1], NaN stays; to float32.
// threshold: v > first, to uint8; `first` is rounded to a float's type, integers are compared exactly.
enum class StepKind { convert, affine, normalise, threshold };

struct VoxelStep {
  StepKind kind = StepKind::convert;
  VoxelType to = VoxelType::uint8;
  std::vector<double> parameters;  // pairs (first, second): one, or one an entry of the first axis; none for convert
};

struct VoxelPass {
  const uint8_t* source = nullptr;  // C order, of `shape`
  VoxelType source_type = VoxelType::uint8;
  Shape shape;
  std::array<bool, MAX_DIMENSIONS> flipped{};  // axes that are read backwards
  std::vector<VoxelStep> steps;
  uint8_t* target = nullptr;  // C order, of `target_shape`; the box at `target_begin` is written
  Shape target_shape;
  Shape target_begin;

  VoxelType target_type() const { return steps.empty() ? source_type : steps.back().to; }
  // ERR_ARGUMENT unless all of the above fits together and into memory of so many bytes. The target may be the source where
  // items have one size, nothing is flipped and the shapes are equal; else they must not overlap.
  void check(size_t source_bytes, size_t target_bytes) const;
};

// The same bytes for any number of threads and on every machine. Peak memory beside the arrays: 32 KiB a thread.
void run_voxel_pass(const VoxelPass& pass, size_t threads, const Cancellation& cancellation);

}  // namespace blockwright
