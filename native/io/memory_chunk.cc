#include "io/memory_chunk.h"

#include <utility>

#include "core/error_codes.h"

namespace blockwright {

namespace {

// Throws unless a position lies in a grid of chunks of `extent` voxels over `voxels`.
void check_position(const Shape& position, const Shape& voxels, const Shape& extent) {
  if (position.dimensions != voxels.dimensions) throw Error(ERR_ARGUMENT, "index, inner: expected an entry an axis");
  for (int axis = 0; axis < position.dimensions; ++axis) {
    if (position[axis] < 0 || voxels[axis] == 0 || position[axis] > (voxels[axis] - 1) / extent[axis]) {
      throw Error(ERR_ARGUMENT, "index, inner: expected the position of a chunk");
    }
  }
}

}  // namespace

MemoryChunk::MemoryChunk(const ArrayDescription& array, const Shape& index, std::vector<Shape> inner)
    : array_(&array), inner_(std::move(inner)), layout_(&array.layout) {
  check_position(index, array.shape, layout_->shape);
  key_ = array.key(index);
  begin_ = first_voxel(index, layout_->shape);
  for (const Shape& position : inner_) {
    if (!layout_->is_open_shard()) throw Error(ERR_ARGUMENT, "inner: expected positions in shards");
    check_position(position, layout_->shape, layout_->shard->inner.shape);
    begin_ = inner_begin(*layout_, begin_, inner_number(*layout_, position));
    layout_ = &layout_->shard->inner;
  }
}

void MemoryChunk::decode(Bytes encoded, const Region& region) const {
  ChunkState state;
  try {
    read_chunk(*array_, *layout_, Stretch(encoded), begin_, region, state);
  } catch (const Error& error) {
    if (error.code() != ERR_CHUNK_CORRUPT) throw;
    throw named(error);
  }
}

void MemoryChunk::fill(const Region& region) const { fill_chunk(*array_, *layout_, begin_, region); }

std::vector<double> MemoryChunk::find_inner(Bytes index, size_t shard_size, const Region& region) const {
  if (!layout_->is_open_shard()) throw Error(ERR_ARGUMENT, "inner: expected a shard");
  const InnerRange chunks(*layout_, begin_, region);
  std::vector<double> places;
  places.reserve(2 * chunks.count());
  try {
    const ShardIndex entries(*layout_, Stretch(index), shard_size);
    const Stretch shard(Bytes{nullptr, shard_size});  // only places in it are wanted
    for (size_t i = 0; i < chunks.count(); ++i) {
      const size_t number = chunks.number(i);
      std::optional<Stretch> inner;
      try {
        inner = entries.inner(shard, number);
      } catch (const Error& error) {
        throw damaged_inner(inner_position(*layout_, number), error);
      }
      if (!inner) fill_chunk(*array_, layout_->shard->inner, inner_begin(*layout_, begin_, number), region);
      places.push_back(inner ? static_cast<double>(inner->offset()) : -1);
      places.push_back(inner ? static_cast<double>(inner->size()) : 0);
    }
  } catch (const Error& error) {
    if (error.code() != ERR_CHUNK_CORRUPT) throw;
    throw named(error);
  }
  return places;
}

Error MemoryChunk::named(const Error& error) const {
  Error result = error;
  for (size_t depth = inner_.size(); depth-- > 0;) result = damaged_inner(inner_[depth], result);
  return damaged_file(*array_, key_, result);
}

}  // namespace blockwright
