#include "kernels/voxel_steps.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/box.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/parallel.h"
#include "kernels/voxel_step_loops.h"

namespace blockwright {

namespace {

constexpr size_t TILE = 2048;          // voxels that go through all steps before the next ones; fit into the first cache
constexpr size_t PART = size_t{1} << 16;  // voxels of a work item

struct Tile {
  alignas(64) uint8_t bytes[TILE * 8];
};

template <class Item>
void copy_backwards(const uint8_t* source, uint8_t* target, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(target + i * sizeof(Item), source + (count - 1 - i) * sizeof(Item), sizeof(Item));
  }
}

void copy_backwards(size_t size, const uint8_t* source, uint8_t* target, size_t count) {
  switch (size) {
    case 1:
      return copy_backwards<uint8_t>(source, target, count);
    case 2:
      return copy_backwards<uint16_t>(source, target, count);
    case 4:
      return copy_backwards<uint32_t>(source, target, count);
    default:
      return copy_backwards<uint64_t>(source, target, count);
  }
}

// The box as rows of voxels that lie one after the other in the target and, maybe backwards, in the source.
class Rows {
 public:
  explicit Rows(const VoxelPass& pass)
      : pass_(pass),
        source_size_(static_cast<int64_t>(item_size(pass.source_type))),
        target_size_(static_cast<int64_t>(item_size(pass.target_type()))) {
    const Shape source_strides = pass.shape.strides();
    const Shape target_strides = pass.target_shape.strides();
    last_ = pass.shape.dimensions;
    for (int axis = 0; axis < last_; ++axis) {
      const int64_t stride = source_strides[axis] * source_size_;
      axes_[axis] = {pass.shape[axis], pass.flipped[axis] ? -stride : stride, target_strides[axis] * target_size_};
      if (pass.flipped[axis]) source_offset_ += (pass.shape[axis] - 1) * stride;
      target_offset_ += pass.target_begin[axis] * axes_[axis].target_stride;
    }
    axes_[last_] = {1, source_size_, target_size_};
    // Channels with parameters of their own stay apart.
    for (const VoxelStep& step : pass.steps) per_channel_ = per_channel_ || step.parameters.size() > 2;
    while (last_ > (per_channel_ ? 1 : 0) && join(axes_[last_ - 1], axes_[last_])) --last_;
    for (int axis = 0; axis < last_; ++axis) rows_ *= static_cast<size_t>(axes_[axis].count);
  }

  size_t count() const { return rows_; }
  size_t length() const { return static_cast<size_t>(axes_[last_].count); }

  // Computes the voxels [begin, end) of a row.
  void run(size_t row, size_t begin, size_t end, Tile* tiles) const {
    int64_t source = source_offset_;
    int64_t target = target_offset_;
    size_t channel = 0;
    for (int axis = last_ - 1; axis >= 0; --axis) {
      const size_t count = static_cast<size_t>(axes_[axis].count);
      channel = row % count;
      source += static_cast<int64_t>(channel) * axes_[axis].source_stride;
      target += static_cast<int64_t>(channel) * axes_[axis].target_stride;
      row /= count;
    }
    const bool backwards = axes_[last_].source_stride < 0;
    for (; begin < end; begin += TILE) {
      const size_t voxels = std::min(TILE, end - begin);
      const int64_t first = static_cast<int64_t>(backwards ? begin + voxels - 1 : begin);
      const uint8_t* in = pass_.source + source + first * (backwards ? -source_size_ : source_size_);
      run_tile(in, backwards, pass_.target + target + static_cast<int64_t>(begin) * target_size_, voxels,
               per_channel_ ? channel : 0, tiles);
    }
  }

 private:
  struct Axis {
    int64_t count, source_stride, target_stride;
  };

  // Makes one axis of two where the voxels of both lie in a line; the inner one holds the rows so far.
  bool join(Axis& outer, const Axis& inner) const {
    const bool in_line = outer.source_stride == inner.source_stride * inner.count &&
                         outer.target_stride == inner.target_stride * inner.count;
    const bool is_row = (outer.source_stride == source_size_ || outer.source_stride == -source_size_) &&
                        outer.target_stride == target_size_;
    if (outer.count != 1 && inner.count == 1) return is_row;
    if (outer.count != 1 && !in_line) return false;
    outer = {outer.count * inner.count, inner.source_stride, inner.target_stride};
    return true;
  }

  void run_tile(const uint8_t* in, bool backwards, uint8_t* out, size_t count, size_t channel, Tile* tiles) const {
    int free = 0;
    if (backwards) {
      copy_backwards(static_cast<size_t>(source_size_), in, tiles[free].bytes, count);
      in = tiles[free].bytes;
      free = 1;
    }
    VoxelType type = pass_.source_type;
    for (const VoxelStep& step : pass_.steps) {
      // Not yet into the target where that is the source: a loop may not write what it reads as another type.
      const bool ends = &step == &pass_.steps.back() && pass_.target != pass_.source;
      uint8_t* const next = ends ? out : tiles[free].bytes;
      const size_t at = step.parameters.size() > 2 ? 2 * channel : 0;
      const bool has = !step.parameters.empty();
      run_step(step, type, in, next, count, has ? step.parameters[at] : 0, has ? step.parameters[at + 1] : 0);
      in = next;
      type = step.to;
      free = 1 - free;
    }
    if (in != out) std::memcpy(out, in, count * static_cast<size_t>(target_size_));
  }

  const VoxelPass& pass_;
  int64_t source_size_, target_size_;
  Axis axes_[MAX_DIMENSIONS + 1];
  int last_ = 0;
  int64_t source_offset_ = 0, target_offset_ = 0;
  bool per_channel_ = false;
  size_t rows_ = 1;
};

bool is_float(VoxelType type) { return type == VoxelType::float32 || type == VoxelType::float64; }

bool result_type_fits(const VoxelStep& step, VoxelType from) {
  switch (step.kind) {
    case StepKind::convert:
      return true;
    case StepKind::affine:
      return from != VoxelType::boolean && is_float(step.to);
    case StepKind::normalise:
      return from != VoxelType::boolean && step.to == VoxelType::float32;
    case StepKind::threshold:
      return from != VoxelType::boolean && step.to == VoxelType::uint8;
  }
  return false;
}

}  // namespace

size_t item_size(VoxelType type) {
  switch (type) {
    case VoxelType::boolean:
    case VoxelType::uint8:
    case VoxelType::int8:
      return 1;
    case VoxelType::uint16:
    case VoxelType::int16:
      return 2;
    case VoxelType::uint32:
    case VoxelType::int32:
    case VoxelType::float32:
      return 4;
    default:
      return 8;
  }
}

void VoxelPass::check(size_t source_bytes, size_t target_bytes) const {
  check_box("targetBegin", {target_begin, shape}, target_shape);
  const auto check_bytes = [](const char* name, size_t count, VoxelType type, size_t bytes) {
    if (bytes % item_size(type) == 0 && bytes / item_size(type) == count) return;
    throw Error(ERR_ARGUMENT, std::string(name) + ": expected " + std::to_string(count) + " items of " +
                                  std::to_string(item_size(type)) + " bytes, found " + std::to_string(bytes) + " bytes");
  };
  check_bytes("source", shape.count(), source_type, source_bytes);
  check_bytes("target", target_shape.count(), target_type(), target_bytes);
  const size_t channels = shape.dimensions == 0 ? 1 : static_cast<size_t>(shape[0]);
  VoxelType from = source_type;
  for (const VoxelStep& step : steps) {
    if (!result_type_fits(step, from)) throw Error(ERR_ARGUMENT, "steps: expected types that each step can have");
    from = step.to;
    const size_t pairs = step.parameters.size();
    const bool right = step.kind == StepKind::convert ? pairs == 0 : pairs == 2 || pairs == 2 * channels;
    if (!right) {
      throw Error(ERR_ARGUMENT, "steps: expected one pair of parameters, or one an entry of the first axis, found " +
                                    std::to_string(pairs) + " numbers");
    }
  }
  const bool is_flipped = std::any_of(flipped.begin(), flipped.begin() + shape.dimensions, [](bool one) { return one; });
  if (source == target && item_size(source_type) == item_size(target_type()) && shape == target_shape && !is_flipped) return;
  const auto begin = [](const uint8_t* memory) { return reinterpret_cast<uintptr_t>(memory); };
  if (source_bytes > 0 && target_bytes > 0 && begin(source) < begin(target) + target_bytes &&
      begin(target) < begin(source) + source_bytes) {
    throw Error(ERR_ARGUMENT, "target: expected memory apart from the source's");
  }
}

void run_voxel_pass(const VoxelPass& pass, size_t threads, const Cancellation& cancellation) {
  cancellation.check();
  if (pass.shape.count() == 0) return;
  const Rows rows(pass);
  // A work item is a part of a long row or several short ones.
  const size_t parts = (rows.length() + PART - 1) / PART;
  const size_t group = std::max<size_t>(1, PART / rows.length());
  const size_t groups = (rows.count() + group - 1) / group;
  parallel_for(threads, groups * parts, [&](size_t item) {
    cancellation.check();
    Tile tiles[2];
    const size_t begin = item % parts * PART;
    const size_t end = std::min(begin + PART, rows.length());
    const size_t first = item / parts * group;
    for (size_t row = first; row < std::min(first + group, rows.count()); ++row) rows.run(row, begin, end, tiles);
  });
}

}  // namespace blockwright
