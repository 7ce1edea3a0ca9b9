#include "io/array_description.h"

#include <algorithm>

#include "core/error.h"
#include "core/error_codes.h"

namespace blockwright {

namespace {

Shape in_bytes(Shape strides, size_t item_size) {
  for (int axis = 0; axis < strides.dimensions; ++axis) strides[axis] *= static_cast<int64_t>(item_size);
  return strides;
}

void require(bool condition, const char* message) {
  if (!condition) throw Error(ERR_ARGUMENT, message);
}

}  // namespace

void ArrayDescription::check() const {
  const int dimensions = shape.dimensions;
  require(dimensions >= 1, "shape: expected at least one dimension");
  require(chunk.dimensions == dimensions && order.dimensions == dimensions, "chunkShape, order: expected an entry an axis");
  require(item_size == 1 || item_size == 2 || item_size == 4 || item_size == 8, "itemSize: expected 1, 2, 4 or 8");
  require(fill.size() == item_size, "fill: expected one item");
  require(key_separator == '/' || key_separator == '.', "keySeparator: expected '/' or '.'");
  require(key_prefix.empty() || key_prefix == "c", "keyPrefix: expected 'c' or nothing");
  unsigned seen = 0;
  for (int axis = 0; axis < dimensions; ++axis) {
    require(shape[axis] >= 0 && chunk[axis] >= 1, "shape, chunkShape: an extent is out of range");
    require(order[axis] >= 0 && order[axis] < dimensions, "order: an axis is out of range");
    seen |= 1u << order[axis];
  }
  require(seen == (1u << dimensions) - 1, "order: expected each axis once");
  if (chunk.count() > 0x7fffffff / item_size) throw Error(ERR_LIMIT, "chunkShape: a chunk exceeds 2^31 - 1 bytes");
}

Shape ArrayDescription::chunk_strides() const {
  Shape strides = chunk;
  int64_t stride = static_cast<int64_t>(item_size);
  for (int position = chunk.dimensions - 1; position >= 0; --position) {
    const int axis = static_cast<int>(order[position]);
    strides[axis] = stride;
    stride *= chunk[axis];
  }
  return strides;
}

std::string ArrayDescription::key(const Shape& index) const {
  std::string key = key_prefix;
  for (int axis = 0; axis < index.dimensions; ++axis) {
    if (axis > 0 || !key_prefix.empty()) key += key_separator;
    key += std::to_string(index[axis]);
  }
  return key;
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
  require(data_shape.count() <= data_bytes / array.item_size && data_shape.count() * array.item_size == data_bytes,
          "data: the length does not fit dataShape");
}

Shape Region::data_strides(size_t item_size) const { return in_bytes(data_shape.strides(), item_size); }

bool same_strides(const Shape& extent, const Shape& a, const Shape& b) {
  for (int axis = 0; axis < extent.dimensions; ++axis) {
    if (extent[axis] > 1 && a[axis] != b[axis]) return false;
  }
  return true;
}

ChunkRange::ChunkRange(const ArrayDescription& array, const Region& region) {
  first_ = extent_ = region.begin;
  for (int axis = 0; axis < region.begin.dimensions; ++axis) {
    first_[axis] = region.begin[axis] / array.chunk[axis];
    const bool empty = region.begin[axis] == region.end[axis];
    extent_[axis] = empty ? 0 : (region.end[axis] - 1) / array.chunk[axis] + 1 - first_[axis];
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

Overlap::Overlap(const ArrayDescription& array, const Region& region, const Shape& index)
    : extent(index), chunk_offset(0), data_offset(0), whole_chunk(true), all_inside_array(true) {
  const Shape chunk_strides = array.chunk_strides();
  const Shape data_strides = region.data_strides(array.item_size);
  for (int axis = 0; axis < index.dimensions; ++axis) {
    const int64_t chunk_begin = index[axis] * array.chunk[axis];
    const int64_t chunk_length = std::min(array.chunk[axis], array.shape[axis] - chunk_begin);  // inside the array
    const int64_t begin = std::max(region.begin[axis], chunk_begin);
    const int64_t end = std::min(region.end[axis], chunk_begin + chunk_length);
    extent[axis] = end - begin;
    chunk_offset += static_cast<size_t>((begin - chunk_begin) * chunk_strides[axis]);
    data_offset += static_cast<size_t>((begin - region.data_begin[axis]) * data_strides[axis]);
    all_inside_array = all_inside_array && extent[axis] == chunk_length;
    whole_chunk = whole_chunk && extent[axis] == array.chunk[axis];
  }
}

}  // namespace blockwright
