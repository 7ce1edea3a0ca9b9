#include "io/shard_index.h"

#include <cstring>
#include <string>

#include "core/error.h"
#include "core/error_codes.h"
#include "io/crc32c.h"

namespace blockwright {

namespace {

constexpr uint64_t EMPTY = UINT64_MAX;

[[noreturn]] void corrupt(const std::string& reason) { throw Error(ERR_CHUNK_CORRUPT, reason); }

void store_checksum(std::vector<uint8_t>& bytes) {
  const uint32_t value = crc32c(bytes.data(), bytes.size());
  for (int byte = 0; byte < 4; ++byte) bytes.push_back(static_cast<uint8_t>(value >> (8 * byte)));
}

}  // namespace

ShardIndex::ShardIndex(const ChunkLayout& layout, const Stretch& shard) {
  const ShardLayout& options = *layout.shard;
  const size_t size = options.index_bytes(layout);
  if (shard.size() < size) {
    corrupt("a shard of " + std::to_string(shard.size()) + " bytes is shorter than its index of " + std::to_string(size));
  }
  low_ = options.index_at_start ? size : 0;
  high_ = options.index_at_start ? shard.size() : shard.size() - size;
  std::vector<uint8_t> bytes(size);
  shard.part(options.index_at_start ? 0 : high_, size).copy_to(bytes.data());
  if (options.index_checksum) {
    const std::vector<uint8_t> stored(bytes.end() - 4, bytes.end());
    bytes.resize(size - 4);
    store_checksum(bytes);
    if (std::memcmp(bytes.data() + size - 4, stored.data(), 4) != 0) corrupt("the checksum of the shard's index does not match");
  }
  entries_.resize(2 * inner_count(layout));
  std::memcpy(entries_.data(), bytes.data(), 8 * entries_.size());
  if (!options.index_swap) return;
  for (uint64_t& entry : entries_) entry = __builtin_bswap64(entry);
}

std::optional<Stretch> ShardIndex::inner(const Stretch& shard, size_t number) const {
  const uint64_t offset = entries_[2 * number];
  const uint64_t length = entries_[2 * number + 1];
  if (offset == EMPTY && length == EMPTY) return std::nullopt;
  const std::string entry = "the index says " + std::to_string(length) + " bytes at " + std::to_string(offset);
  if (offset == EMPTY || length == EMPTY) corrupt(entry + ", half of an empty entry");
  if (offset > shard.size() || length > shard.size() - offset) {
    corrupt(entry + ", beyond the shard's " + std::to_string(shard.size()) + " bytes");
  }
  if (offset < low_ || offset + length > high_) corrupt(entry + ", which is where the index lies");
  return shard.part(offset, length);
}

ShardIndexWriter::ShardIndexWriter(const ChunkLayout& layout)
    : shard_(layout.shard.get()), entries_(2 * inner_count(layout), EMPTY) {}

void ShardIndexWriter::set(size_t number, uint64_t offset, uint64_t length) {
  entries_[2 * number] = offset;
  entries_[2 * number + 1] = length;
}

std::vector<uint8_t> ShardIndexWriter::encode() const {
  std::vector<uint8_t> bytes(8 * entries_.size());
  bytes.reserve(bytes.size() + 4);
  for (size_t i = 0; i < entries_.size(); ++i) {
    const uint64_t entry = shard_->index_swap ? __builtin_bswap64(entries_[i]) : entries_[i];
    std::memcpy(bytes.data() + 8 * i, &entry, 8);
  }
  if (shard_->index_checksum) store_checksum(bytes);
  return bytes;
}

}  // namespace blockwright
