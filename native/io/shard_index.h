// The index of a shard: where each inner chunk lies. It comes from a file, so nothing in it is believed unseen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "io/chunk_layout.h"
#include "io/stretch.h"

namespace blockwright {

class ShardIndex {
 public:
  // Reads the index of a shard. ERR_CHUNK_CORRUPT when the shard is shorter than it, or the checksum does not match.
  ShardIndex(const ChunkLayout& layout, const Stretch& shard);

  // The encoded bytes of an inner chunk; nothing where it is the fill value. ERR_CHUNK_CORRUPT when its entry is half empty,
  // leaves the shard or meets the index.
  std::optional<Stretch> inner(const Stretch& shard, size_t number) const;

 private:
  std::vector<uint64_t> entries_;  // offset, length
  size_t low_;                     // inner chunks lie in [low, high)
  size_t high_;
};

// The index of a shard that is being written.
class ShardIndexWriter {
 public:
  explicit ShardIndexWriter(const ChunkLayout& layout);
  void set(size_t number, uint64_t offset, uint64_t length);
  // The bytes of the index.
  std::vector<uint8_t> encode() const;

 private:
  const ShardLayout* shard_;
  std::vector<uint64_t> entries_;
};

}  // namespace blockwright
