#include "fuzz/array_case.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "fuzz/choices.h"
#include "io/float16.h"

namespace blockwright {

namespace {


Shape read_order(InputReader& input, int dimensions) {
  Shape order;
  order.dimensions = dimensions;
  for (int axis = 0; axis < dimensions; ++axis) order[axis] = axis;
  for (int axis = dimensions - 1; axis > 0; --axis) {
    std::swap(order[axis], order[static_cast<int>(input.below(static_cast<uint64_t>(axis) + 1))]);
  }
  return order;
}

// Shards around a chunk, the innermost first.
ChunkLayout read_layout(InputReader& input, const Shape& chunk_shape, size_t item_size) {
  ChunkLayout layout;
  layout.shape = chunk_shape;
  layout.order = read_order(input, chunk_shape.dimensions);
  layout.swap = item_size > 1 && input.below(2) == 1;
  layout.codecs = read_codecs(input);
  const uint64_t parts = chunk_shape.dimensions > 2 ? 2 : 3;
  for (uint64_t level = input.below(3); level > 0; --level) {
    const auto shard = std::make_shared<ShardLayout>();
    ChunkLayout outer;
    outer.shape = layout.shape;
    for (int axis = 0; axis < outer.shape.dimensions; ++axis) outer.shape[axis] *= static_cast<int64_t>(input.below(parts) + 1);
    outer.order = read_order(input, chunk_shape.dimensions);
    shard->inner = layout;
    shard->index_at_start = input.below(2) == 1;
    shard->index_swap = input.below(2) == 1;
    shard->index_checksum = input.below(2) == 1;
    if (input.below(4) == 0) outer.codecs = read_codecs(input);
    outer.shard = shard;
    layout = outer;
  }
  return layout;
}

}  // namespace

ArrayDescription read_array(InputReader& input, const std::string& folder) {
  ArrayDescription array;
  array.path = folder;
  const auto dimensions = static_cast<int>(input.below(5));
  Shape chunk;
  array.shape.dimensions = chunk.dimensions = dimensions;
  const uint64_t limits[] = {1, 400, 30, 9, 5};  // voxels an axis
  for (int axis = 0; axis < dimensions; ++axis) {
    array.shape[axis] = static_cast<int64_t>(input.below(16) == 0 ? 0 : input.below(limits[dimensions]) + 1);
    chunk[axis] = static_cast<int64_t>(input.below(limits[dimensions]) + 1);
  }
  array.item_size = size_t{1} << input.below(4);
  array.float16 = array.item_size == 2 && input.below(2) == 1;
  array.key_prefix = input.below(2) == 0 ? "c" : "";
  array.key_separator = input.below(2) == 0 ? '/' : '.';
  array.fill = read_content(input, array.item_size);
  array.layout = read_layout(input, chunk, array.item_size);
  array.check();
  return array;
}

std::string file_of(const ArrayDescription& array, const Shape& voxel) {
  Shape index = voxel;
  for (int axis = 0; axis < index.dimensions; ++axis) index[axis] /= array.layout.shape[axis];
  return array.key(index);
}

PlainArray::PlainArray(const ArrayDescription& array)
    : array_(array), item_(array.memory_item_size()), voxels_(array.shape.count() * item_) {
  std::vector<uint8_t> fill = array.fill;
  if (array.float16) {
    uint16_t half;
    std::memcpy(&half, fill.data(), 2);
    const float value = float_from_half(half);
    fill.resize(4);
    std::memcpy(fill.data(), &value, 4);
  }
  for (size_t i = 0; i < voxels_.size(); ++i) voxels_[i] = fill[i % item_];
}

Region PlainArray::read_box(InputReader& input, std::vector<uint8_t>& memory) const {
  Region region;
  region.begin = region.end = region.data_begin = region.data_shape = array_.shape;
  for (int axis = 0; axis < array_.shape.dimensions; ++axis) {
    const auto extent = static_cast<uint64_t>(array_.shape[axis]) + 1;
    const auto a = static_cast<int64_t>(input.below(extent));
    const auto b = static_cast<int64_t>(input.below(extent));
    region.begin[axis] = std::min(a, b);
    region.end[axis] = std::max(a, b);
    if (input.below(2) == 0) region.begin[axis] = 0, region.end[axis] = array_.shape[axis];
    const auto before = static_cast<int64_t>(input.below(4) == 0 ? input.below(4) : 0);
    const auto behind = static_cast<int64_t>(input.below(4) == 0 ? input.below(4) : 0);
    region.data_begin[axis] = region.begin[axis] - before;
    region.data_shape[axis] = region.end[axis] - region.begin[axis] + before + behind;
  }
  const size_t size = region.data_shape.count() * item_;
  memory = read_content(input, size);
  if (array_.float16) {
    // Values that half precision has.
    for (size_t place = 0; place < size; place += 4) {
      uint16_t half;
      std::memcpy(&half, &memory[place], 2);
      const float value = float_from_half(half);
      std::memcpy(&memory[place], &value, 4);
    }
  }
  region.data = memory.data();
  region.check(array_, size);
  return region;
}

template <class Visit>
void PlainArray::visit(const Region& region, const Visit& voxel_item_place) const {
  const Shape strides = array_.shape.strides();
  const Shape data_strides = region.data_shape.strides();
  Shape voxel = region.begin;
  for (int axis = 0; axis < voxel.dimensions; ++axis) {
    if (region.begin[axis] == region.end[axis]) return;
  }
  for (;;) {
    int64_t item = 0;
    int64_t place = 0;
    for (int axis = 0; axis < voxel.dimensions; ++axis) {
      item += voxel[axis] * strides[axis];
      place += (voxel[axis] - region.data_begin[axis]) * data_strides[axis];
    }
    voxel_item_place(voxel, static_cast<size_t>(item) * item_, static_cast<size_t>(place) * item_);
    int axis = voxel.dimensions - 1;
    for (; axis >= 0 && ++voxel[axis] == region.end[axis]; --axis) voxel[axis] = region.begin[axis];
    if (axis < 0) return;
  }
}

void PlainArray::write(const Region& region) {
  visit(region, [&](const Shape&, size_t item, size_t place) { std::memcpy(&voxels_[item], region.data + place, item_); });
}

bool PlainArray::meets(const Region& region, const std::vector<std::string>& keys) const {
  bool found = false;
  visit(region, [&](const Shape& voxel, size_t, size_t) {
    found = found || std::find(keys.begin(), keys.end(), file_of(array_, voxel)) != keys.end();
  });
  return found;
}

std::vector<uint8_t> PlainArray::with_voxels(const Region& region, std::vector<uint8_t> memory) const {
  visit(region, [&](const Shape&, size_t, size_t place) { std::memcpy(&memory[place], region.data + place, item_); });
  return memory;
}

bool PlainArray::equals(const Region& region, const std::vector<std::string>& skip) const {
  bool equal = true;
  visit(region, [&](const Shape& voxel, size_t item, size_t place) {
    if (std::memcmp(&voxels_[item], region.data + place, item_) == 0) return;
    equal = equal && std::find(skip.begin(), skip.end(), file_of(array_, voxel)) != skip.end();
  });
  return equal;
}

}  // namespace blockwright
