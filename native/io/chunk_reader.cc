#include "io/chunk_reader.h"

#include <cstring>

#include "core/error_codes.h"
#include "io/box_copy.h"

namespace blockwright {

namespace {

[[noreturn]] void corrupt(const std::string& reason) { throw Error(ERR_CHUNK_CORRUPT, reason); }

Shape end_of(const Shape& begin, const Shape& extent) {
  Shape end = begin;
  for (int axis = 0; axis < begin.dimensions; ++axis) end[axis] += extent[axis];
  return end;
}

void read_chunk_of_items(const ArrayDescription& array, const ChunkLayout& layout, const Stretch& encoded, const Shape& begin,
                         const Region& region, ChunkState& state) {
  const Shape chunk_strides = layout.strides(array.item_size);
  const Shape data_strides = region.data_strides(array.memory_item_size());
  const Overlap overlap(array, region, begin, layout.shape);
  uint8_t* const target = region.data + overlap.data_offset(region, begin, data_strides);
  const bool in_place = overlap.whole_chunk && !array.float16 && same_strides(layout.shape, chunk_strides, data_strides);
  uint8_t* const chunk = in_place ? target : state.chunk.reserve(layout.items() * array.item_size);
  const size_t first = overlap.chunk_offset(chunk_strides);
  // a region with all that the array has of a chunk verifies the whole of it, beyond the array's edge too
  if (overlap.all_inside_array) {
    read_items(layout, encoded, array.item_size, chunk, state);
  } else {
    const size_t end = overlap.chunk_end(chunk_strides, array.item_size);
    read_items(layout, encoded, array.item_size, chunk, first, end, state);
  }
  if (!in_place) {
    const uint8_t* const source = chunk + first;
    array.to_memory(overlap.extent, target, data_strides, source, chunk_strides, layout.swap);
  } else if (layout.swap) {
    copy_box(overlap.extent, target, data_strides, target, data_strides, array.item_size, true);
  }
}

}  // namespace

void read_items(const ChunkLayout& layout, const Stretch& encoded, size_t item_size, uint8_t* target, ChunkState& state) {
  read_items(layout, encoded, item_size, target, 0, layout.items() * item_size, state);
}

void read_items(const ChunkLayout& layout, const Stretch& encoded, size_t item_size, uint8_t* target, size_t first, size_t end,
                ChunkState& state) {
  const size_t size = layout.items() * item_size;
  if (layout.codecs.empty()) {
    if (encoded.size() != size) {
      corrupt("expected " + std::to_string(size) + " bytes, found " + std::to_string(encoded.size()));
    }
    return encoded.copy_to(target);
  }
  if (encoded.size() > layout.encoded_bound(item_size)) {
    corrupt(std::to_string(encoded.size()) + " bytes are more than a chunk of " + std::to_string(size) + " bytes can need");
  }
  decode_part(layout.codecs, encoded.load(state.file), target, size, first, end, state.codec);
}

Stretch opened_shard(const ChunkLayout& shard, const Stretch& encoded, size_t item_size, Buffer& buffer, ChunkState& state) {
  if (shard.codecs.empty()) return encoded;
  if (encoded.size() > shard.encoded_bound(item_size)) corrupt("more bytes than the shard can need");
  const size_t bound = shard.plain_bound(item_size);
  uint8_t* const target = buffer.reserve(bound);  // pages that the shard does not need are never touched
  return Stretch(Bytes{target, decode_at_most(shard.codecs, encoded.load(state.file), target, bound, state.codec)});
}

void read_inner_chunk(const ArrayDescription& array, const ChunkLayout& shard, const ShardIndex& index, const Stretch& encoded,
                      size_t number, const Shape& shard_begin, const Region& region, ChunkState& state) {
  const ChunkLayout& layout = shard.shard->inner;
  const Shape begin = inner_begin(shard, shard_begin, number);
  try {
    const std::optional<Stretch> inner = index.inner(encoded, number);
    if (!inner) return fill_chunk(array, layout, begin, region);
    read_chunk(array, layout, *inner, begin, region, state);
  } catch (const Error& error) {
    if (error.code() != ERR_CHUNK_CORRUPT) throw;
    throw damaged_inner(inner_position(shard, number), error);
  }
}

void read_chunk(const ArrayDescription& array, const ChunkLayout& layout, const Stretch& encoded, const Shape& begin,
                const Region& region, ChunkState& state) {
  if (layout.shard == nullptr) return read_chunk_of_items(array, layout, encoded, begin, region, state);
  Buffer buffer;
  const Stretch shard = opened_shard(layout, encoded, array.item_size, buffer, state);
  const ShardIndex index(layout, shard);
  const InnerRange chunks(layout, begin, region);
  for (size_t i = 0; i < chunks.count(); ++i) {
    read_inner_chunk(array, layout, index, shard, chunks.number(i), begin, region, state);
  }
}

InnerRange::InnerRange(const ChunkLayout& shard, const Shape& shard_begin, const Region& region)
    : shard_(&shard), first_(shard_begin), range_(shard.shard->inner.shape, region, shard_begin, end_of(shard_begin, shard.shape)) {
  for (int axis = 0; axis < first_.dimensions; ++axis) first_[axis] /= shard.shard->inner.shape[axis];
}

size_t InnerRange::number(size_t i) const {
  Shape position = range_.index(i);
  for (int axis = 0; axis < position.dimensions; ++axis) position[axis] -= first_[axis];
  return inner_number(*shard_, position);
}

void fill_chunk(const ArrayDescription& array, const ChunkLayout& layout, const Shape& begin, const Region& region) {
  const Shape data_strides = region.data_strides(array.memory_item_size());
  const Overlap overlap(array, region, begin, layout.shape);
  array.fill_memory(overlap.extent, region.data + overlap.data_offset(region, begin, data_strides), data_strides);
}

Error damaged_inner(const Shape& position, const Error& error) {
  std::string inner;
  for (int axis = 0; axis < position.dimensions; ++axis) inner += (axis > 0 ? "," : "") + std::to_string(position[axis]);
  Error::Details details = error.details();
  if (details.empty()) {
    details.push_back({"inner", inner});
  } else {
    details[0].second = inner + " > " + details[0].second;
  }
  return Error(ERR_CHUNK_CORRUPT, "inner chunk [" + inner + "]: " + error.what(), details);
}

Error damaged_file(const ArrayDescription& array, const std::string& key, const Error& error) {
  Error::Details details = {{"path", array.path}, {"chunk", key}};
  details.insert(details.end(), error.details().begin(), error.details().end());
  const std::string kind = array.layout.shard != nullptr ? "shard " : "chunk ";
  return Error(ERR_CHUNK_CORRUPT, kind + key + " of " + array.path + " is damaged: " + error.what(), details);
}

}  // namespace blockwright
