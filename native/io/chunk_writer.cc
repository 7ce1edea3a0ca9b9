#include "io/chunk_writer.h"

#include <algorithm>
#include <optional>
#include <string>

#include "core/error_codes.h"
#include "io/box_copy.h"

namespace blockwright {

namespace {

// Sets the voxels of a chunk that lie beyond the end of the array.
void fill_beyond_array(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Shape& strides,
                       uint8_t* chunk, const uint8_t* fill) {
  for (int axis = 0; axis < begin.dimensions; ++axis) {
    const int64_t inside = array.shape[axis] - begin[axis];
    if (inside >= layout.shape[axis]) continue;
    Shape extent = layout.shape;
    extent[axis] -= inside;
    fill_box(extent, chunk + inside * strides[axis], strides, fill, array.item_size);
  }
}

// The new items of a chunk in the byte order of the file: the region's own memory where that is possible, else made in
// `state.chunk`. `fill` is one item in the byte order of the file.
const uint8_t* compose(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Region& region,
                       const Stretch* old, const uint8_t* fill, ChunkState& state) {
  const Overlap overlap(array, region, begin, layout.shape);
  const Shape chunk_strides = layout.strides(array.item_size);
  const Shape data_strides = region.data_strides(array.memory_item_size());
  const uint8_t* const source = region.data + overlap.data_offset(region, begin, data_strides);
  const bool as_it_is = !layout.swap && !array.float16 && same_strides(layout.shape, chunk_strides, data_strides);
  if (overlap.whole_chunk && as_it_is) return source;
  uint8_t* const chunk = state.chunk.reserve(layout.items() * array.item_size);
  if (!overlap.all_inside_array && old != nullptr) {
    read_items(layout, *old, array.item_size, chunk, state);
    fill_beyond_array(array, layout, begin, chunk_strides, chunk, fill);
  } else if (!overlap.whole_chunk) {
    fill_box(layout.shape, chunk, chunk_strides, fill, array.item_size);
  }
  array.to_chunk(overlap.extent, chunk + overlap.chunk_offset(chunk_strides), chunk_strides, source, data_strides, layout.swap);
  return chunk;
}

EncodedChunk encode_items(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Region& region,
                          const Stretch* old, ChunkState& state) {
  std::vector<uint8_t> fill = array.fill;
  if (layout.swap) std::reverse(fill.begin(), fill.end());
  const uint8_t* const content = compose(array, layout, begin, region, old, fill.data(), state);
  EncodedChunk result;
  result.empty = !array.stores_fill && is_filled_with(content, layout.items(), fill.data(), array.item_size);
  if (!result.empty) result.bytes = encode(layout.codecs, {content, layout.items() * array.item_size}, state.codec);
  return result;
}

EncodedChunk encode_shard(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Region& region,
                          const Stretch* old, ChunkState& state) {
  Buffer buffer;
  std::optional<Stretch> opened;
  std::optional<ShardIndex> old_index;
  if (old != nullptr && keeps_old_voxels(array, layout, begin, region)) {
    opened = opened_shard(layout, *old, array.item_size, buffer, state);
    old_index.emplace(layout, *opened);
  }
  const size_t index_bytes = layout.shard->index_bytes(layout);
  ShardIndexWriter index(layout);
  EncodedChunk result;
  std::vector<uint8_t>& bytes = result.storage;
  if (layout.shard->index_at_start) bytes.resize(index_bytes);
  for (size_t number = 0; number < inner_count(layout); ++number) {
    const EncodedChunk inner = encode_inner_chunk(array, layout, begin, number, region, opened ? &*opened : nullptr,
                                                  old_index ? &*old_index : nullptr, state);
    if (inner.empty) continue;
    result.empty = false;
    index.set(number, bytes.size(), inner.bytes.size);
    bytes.insert(bytes.end(), inner.bytes.begin(), inner.bytes.end());
  }
  if (result.empty) return result;
  const std::vector<uint8_t> encoded_index = index.encode();
  if (layout.shard->index_at_start) {
    std::copy(encoded_index.begin(), encoded_index.end(), bytes.begin());
  } else {
    bytes.insert(bytes.end(), encoded_index.begin(), encoded_index.end());
  }
  result.bytes = encode(layout.codecs, {bytes.data(), bytes.size()}, state.codec);
  return result;
}

}  // namespace

bool keeps_old_voxels(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Region& region) {
  return !Overlap(array, region, begin, layout.shape).all_inside_array;
}

EncodedChunk encode_chunk(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Region& region,
                          const Stretch* old, ChunkState& state) {
  const auto encode_layout = layout.shard == nullptr ? encode_items : encode_shard;
  return encode_layout(array, layout, begin, region, old, state);
}

EncodedChunk encode_inner_chunk(const ArrayDescription& array, const ChunkLayout& shard, const Shape& shard_begin,
                                size_t number, const Region& region, const Stretch* old, const ShardIndex* index,
                                ChunkState& state) {
  const ChunkLayout& layout = shard.shard->inner;
  const Shape begin = inner_begin(shard, shard_begin, number);
  const Overlap overlap(array, region, begin, layout.shape);
  EncodedChunk result;
  if (overlap.beyond_array) return result;
  try {
    std::optional<Stretch> inner;
    if (index != nullptr && !overlap.all_inside_array) inner = index->inner(*old, number);
    if (!overlap.empty) return encode_chunk(array, layout, begin, region, inner ? &*inner : nullptr, state);
    if (!inner) return result;
    if (inner->size() == 0 || inner->size() > layout.encoded_bound(array.item_size)) {
      throw Error(ERR_CHUNK_CORRUPT, std::to_string(inner->size()) + " bytes, which no chunk of its size can have");
    }
    result.empty = false;
    result.bytes = inner->load(state.file);
    return result;
  } catch (const Error& error) {
    if (error.code() != ERR_CHUNK_CORRUPT) throw;
    throw damaged_inner(inner_position(shard, number), error);
  }
}

}  // namespace blockwright
