#include "io/array_description.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/error_codes.h"
#include "io/box_copy.h"
#include "io/float16.h"

namespace blockwright {

namespace {

void require(bool condition, const char* message) {
  if (!condition) throw Error(ERR_ARGUMENT, message);
}

}  // namespace

void ArrayDescription::check() const {
  require(item_size == 1 || item_size == 2 || item_size == 4 || item_size == 8, "itemSize: expected 1, 2, 4 or 8");
  require(!float16 || item_size == 2, "float16: expected an itemSize of 2");
  require(fill.size() == item_size, "fill: expected one item");
  require(key_separator == '/' || key_separator == '.', "keySeparator: expected '/' or '.'");
  require(key_prefix.empty() || key_prefix == "c", "keyPrefix: expected 'c' or nothing");
  for (int axis = 0; axis < shape.dimensions; ++axis) require(shape[axis] >= 0, "shape: an extent is out of range");
  layout.check(shape.dimensions, item_size);
}

std::string ArrayDescription::key(const Shape& index) const {
  if (index.dimensions == 0) return key_prefix.empty() ? "0" : key_prefix;
  std::string key = key_prefix;
  for (int axis = 0; axis < index.dimensions; ++axis) {
    if (axis > 0 || !key_prefix.empty()) key += key_separator;
    key += std::to_string(index[axis]);
  }
  return key;
}

void ArrayDescription::to_memory(const Shape& extent, uint8_t* memory, const Shape& memory_strides, const uint8_t* chunk,
                                 const Shape& chunk_strides, bool swap) const {
  if (float16) return widen_box(extent, memory, memory_strides, chunk, chunk_strides, swap);
  copy_box(extent, memory, memory_strides, chunk, chunk_strides, item_size, swap);
}

void ArrayDescription::to_chunk(const Shape& extent, uint8_t* chunk, const Shape& chunk_strides, const uint8_t* memory,
                                const Shape& memory_strides, bool swap) const {
  if (float16) return narrow_box(extent, chunk, chunk_strides, memory, memory_strides, swap);
  copy_box(extent, chunk, chunk_strides, memory, memory_strides, item_size, swap);
}

void ArrayDescription::fill_memory(const Shape& extent, uint8_t* memory, const Shape& memory_strides) const {
  if (!float16) return fill_box(extent, memory, memory_strides, fill.data(), item_size);
  uint16_t half;
  std::memcpy(&half, fill.data(), sizeof(half));
  const float value = float_from_half(half);
  uint8_t item[sizeof(value)];
  std::memcpy(item, &value, sizeof(value));
  fill_box(extent, memory, memory_strides, item, sizeof(value));
}

void Region::check(const ArrayDescription& array, size_t data_bytes) const {
  const int dimensions = array.shape.dimensions;
  require(begin.dimensions == dimensions && end.dimensions == dimensions && data_begin.dimensions == dimensions &&
              data_shape.dimensions == dimensions,
          "begin, end, dataBegin, dataShape: expected an entry an axis");
  for (int axis = 0; axis < dimensions; ++axis) {
    require(0 <= begin[axis] && begin[axis] <= end[axis] && end[axis] <= array.shape[axis],
            "begin, end: expected a region inside the array");
    require(data_begin[axis] <= begin[axis] && end[axis] - data_begin[axis] <= data_shape[axis],
            "dataBegin, dataShape: expected a box around the region");
  }
  const size_t item_size = array.memory_item_size();
  require(data_shape.count() <= data_bytes / item_size && data_shape.count() * item_size == data_bytes,
          "data: the length does not fit dataShape");
}

Shape Region::data_strides(size_t item_size) const {
  Shape strides = data_shape.strides();
  for (int axis = 0; axis < strides.dimensions; ++axis) strides[axis] *= static_cast<int64_t>(item_size);
  return strides;
}

bool same_strides(const Shape& extent, const Shape& a, const Shape& b) {
  for (int axis = 0; axis < extent.dimensions; ++axis) {
    if (extent[axis] > 1 && a[axis] != b[axis]) return false;
  }
  return true;
}

ChunkRange::ChunkRange(const Shape& chunk, const Region& region) : ChunkRange(chunk, region, region.begin, region.end) {
}

ChunkRange::ChunkRange(const Shape& chunk, const Region& region, const Shape& begin, const Shape& end) {
  first_ = extent_ = region.begin;
  for (int axis = 0; axis < chunk.dimensions; ++axis) {
    const int64_t low = std::max(region.begin[axis], begin[axis]);
    const int64_t high = std::min(region.end[axis], end[axis]);
    first_[axis] = low / chunk[axis];
    extent_[axis] = low >= high ? 0 : (high - 1) / chunk[axis] + 1 - first_[axis];
  }
  count_ = extent_.count();
}

Shape ChunkRange::index(size_t number) const {
  Shape index = first_;
  for (int axis = extent_.dimensions - 1; axis >= 0; --axis) {
    const auto extent = static_cast<size_t>(extent_[axis]);
    index[axis] += static_cast<int64_t>(number % extent);
    number /= extent;
  }
  return index;
}

Shape first_voxel(const Shape& index, const Shape& chunk) {
  Shape voxel = index;
  for (int axis = 0; axis < index.dimensions; ++axis) voxel[axis] *= chunk[axis];
  return voxel;
}

Overlap::Overlap(const ArrayDescription& array, const Region& region, const Shape& chunk_begin, const Shape& chunk)
    : extent(chunk), begin(chunk), whole_chunk(true), all_inside_array(true), empty(false), beyond_array(false) {
  for (int axis = 0; axis < chunk.dimensions; ++axis) {
    const int64_t first = chunk_begin[axis];
    const int64_t inside = std::min(chunk[axis], array.shape[axis] - first);  // voxels inside the array
    const int64_t low = std::max(region.begin[axis], first);
    const int64_t high = std::min(region.end[axis], first + inside);
    extent[axis] = std::max<int64_t>(0, high - low);
    begin[axis] = low - first;
    beyond_array = beyond_array || inside <= 0;
    empty = empty || extent[axis] == 0;
    all_inside_array = all_inside_array && extent[axis] == inside;
    whole_chunk = whole_chunk && extent[axis] == chunk[axis];
  }
}

size_t Overlap::chunk_offset(const Shape& chunk_strides) const {
  int64_t offset = 0;
  for (int axis = 0; axis < begin.dimensions; ++axis) offset += begin[axis] * chunk_strides[axis];
  return static_cast<size_t>(offset);
}

size_t Overlap::chunk_end(const Shape& chunk_strides, size_t item_size) const {
  if (empty) return chunk_offset(chunk_strides);
  int64_t last = 0;
  for (int axis = 0; axis < begin.dimensions; ++axis) last += (begin[axis] + extent[axis] - 1) * chunk_strides[axis];
  return static_cast<size_t>(last) + item_size;
}

size_t Overlap::data_offset(const Region& region, const Shape& chunk_begin, const Shape& data_strides) const {
  int64_t offset = 0;
  for (int axis = 0; axis < begin.dimensions; ++axis) {
    offset += (chunk_begin[axis] + begin[axis] - region.data_begin[axis]) * data_strides[axis];
  }
  return static_cast<size_t>(offset);
}

}  // namespace blockwright
