// How the voxels of a chunk become bytes: its items one after the other, or, where it is a shard, its inner chunks behind an
// index; then the codecs. All shapes are in the axes of the array: transpositions are resolved into `order`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/shape.h"
#include "io/codec.h"

namespace blockwright {

struct ShardLayout;

struct ChunkLayout {
  Shape shape;                               // voxels, each extent at least 1
  Shape order;                               // axes of the items (of a shard: of the index), slowest first
  bool swap = false;                         // items have the other byte order; not of a shard
  std::shared_ptr<const ShardLayout> shard;  // instead of items
  std::vector<Codec> codecs;                 // in the order of encoding

  // Throws ERR_ARGUMENT or ERR_LIMIT unless all of the above fits together.
  void check(int dimensions, size_t item_size, int depth = 0) const;
  // Whether it is a shard whose inner chunks can be read and written one by one.
  bool is_open_shard() const { return shard != nullptr && codecs.empty(); }
  size_t items() const { return shape.count(); }
  // Strides in bytes of the items, one an array axis; not of a shard.
  Shape strides(size_t item_size) const;
  // The most bytes that the chunk can need before and after the codecs.
  size_t plain_bound(size_t item_size) const;
  size_t encoded_bound(size_t item_size) const;
};

struct ShardLayout {
  ChunkLayout inner;  // its shape divides the shard's
  bool index_at_start = false;
  bool index_swap = false;  // the index has the other byte order
  bool index_checksum = false;

  size_t index_bytes(const ChunkLayout& shard) const;
};

// Inner chunks of a shard.
size_t inner_count(const ChunkLayout& shard);
// From an inner chunk's number in the index to its position in the shard, counted in inner chunks, and back.
Shape inner_position(const ChunkLayout& shard, size_t number);
size_t inner_number(const ChunkLayout& shard, const Shape& position);
// First voxel of an inner chunk of the shard at `shard_begin`.
Shape inner_begin(const ChunkLayout& shard, const Shape& shard_begin, size_t number);

}  // namespace blockwright
