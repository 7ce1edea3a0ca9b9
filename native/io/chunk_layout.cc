#include "io/chunk_layout.h"

#include "core/error.h"
#include "core/error_codes.h"

namespace blockwright {

namespace {

constexpr size_t MAX_CHUNK_BYTES = 0x7fffffff;  // a chunk is decoded in memory, and blosc counts with 32 bits
constexpr size_t MAX_INNER_CHUNKS = size_t{1} << 22;
constexpr int MAX_DEPTH = 4;
constexpr size_t MAX_CODECS = 16;  // each makes the bound of sizes larger

void require(bool condition, const char* message) {
  if (!condition) throw Error(ERR_ARGUMENT, message);
}

}  // namespace

void ChunkLayout::check(int dimensions, size_t item_size, int depth) const {
  require(shape.dimensions == dimensions && order.dimensions == dimensions, "chunkShape, order: expected an entry an axis");
  unsigned seen = 0;
  for (int axis = 0; axis < dimensions; ++axis) {
    require(shape[axis] >= 1, "chunkShape: an extent is out of range");
    require(order[axis] >= 0 && order[axis] < dimensions, "order: an axis is out of range");
    seen |= 1u << order[axis];
  }
  require(seen == (1u << dimensions) - 1, "order: expected each axis once");
  items();  // throws when the product overflows
  if (codecs.size() > MAX_CODECS) throw Error(ERR_LIMIT, "codecs: more than 16");
  if (shard != nullptr) {
    if (depth >= MAX_DEPTH) throw Error(ERR_LIMIT, "shard: too many shards inside each other");
    shard->inner.check(dimensions, item_size, depth + 1);
    for (int axis = 0; axis < dimensions; ++axis) {
      require(shape[axis] % shard->inner.shape[axis] == 0, "shard: expected inner chunks that divide it");
    }
    if (inner_count(*this) > MAX_INNER_CHUNKS) throw Error(ERR_LIMIT, "shard: more than 2^22 inner chunks");
  } else if (items() > MAX_CHUNK_BYTES / item_size) {
    throw Error(ERR_LIMIT, "chunkShape: a chunk exceeds 2^31 - 1 bytes");
  }
  // The items alone first: only then does the bound not overflow.
  if (shard != nullptr && !codecs.empty() &&
      (items() > MAX_CHUNK_BYTES || plain_bound(item_size) > MAX_CHUNK_BYTES)) {
    throw Error(ERR_LIMIT, "chunkShape: a shard inside codecs may exceed 2^31 - 1 bytes");
  }
}

Shape ChunkLayout::strides(size_t item_size) const {
  Shape strides = shape;
  auto stride = static_cast<int64_t>(item_size);
  for (int position = shape.dimensions - 1; position >= 0; --position) {
    const int axis = static_cast<int>(order[position]);
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

size_t ChunkLayout::plain_bound(size_t item_size) const {
  if (shard == nullptr) return items() * item_size;
  return inner_count(*this) * shard->inner.encoded_bound(item_size) + shard->index_bytes(*this);
}

size_t ChunkLayout::encoded_bound(size_t item_size) const {
  return blockwright::encoded_bound(codecs, plain_bound(item_size));
}

size_t ShardLayout::index_bytes(const ChunkLayout& shard) const {
  return 16 * inner_count(shard) + (index_checksum ? 4 : 0);
}

size_t inner_count(const ChunkLayout& shard) {
  size_t count = 1;
  for (int axis = 0; axis < shard.shape.dimensions; ++axis) {
    count *= static_cast<size_t>(shard.shape[axis] / shard.shard->inner.shape[axis]);
  }
  return count;
}

Shape inner_position(const ChunkLayout& shard, size_t number) {
  const Shape& inner = shard.shard->inner.shape;
  Shape position = inner;
  for (int place = inner.dimensions - 1; place >= 0; --place) {
    const int axis = static_cast<int>(shard.order[place]);
    const auto extent = static_cast<size_t>(shard.shape[axis] / inner[axis]);
    position[axis] = static_cast<int64_t>(number % extent);
    number /= extent;
  }
  return position;
}

size_t inner_number(const ChunkLayout& shard, const Shape& position) {
  const Shape& inner = shard.shard->inner.shape;
  size_t number = 0;
  for (int place = 0; place < inner.dimensions; ++place) {
    const int axis = static_cast<int>(shard.order[place]);
    number = number * static_cast<size_t>(shard.shape[axis] / inner[axis]) + static_cast<size_t>(position[axis]);
  }
  return number;
}

Shape inner_begin(const ChunkLayout& shard, const Shape& shard_begin, size_t number) {
  const Shape& inner = shard.shard->inner.shape;
  Shape begin = inner_position(shard, number);
  for (int axis = 0; axis < begin.dimensions; ++axis) begin[axis] = shard_begin[axis] + begin[axis] * inner[axis];
  return begin;
}

}  // namespace blockwright
