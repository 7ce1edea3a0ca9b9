// Chunks in memory against the same chunks in files, whole and damaged.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/memory_chunk.h"
#include "io/read_region.h"
#include "io/write_region.h"
#include "test/check.h"

using namespace blockwright;

namespace {

using File = std::vector<uint8_t>;

Codec codec(CodecKind kind) {
  Codec result;
  result.kind = kind;
  return result;
}

ChunkLayout items(const Shape& shape) {
  ChunkLayout layout;
  layout.shape = shape;
  layout.order = Shape({1, 0});
  layout.codecs = {codec(CodecKind::Zstd), codec(CodecKind::Crc32c)};
  return layout;
}

ChunkLayout shard_of(const Shape& shape, const ChunkLayout& inner, bool index_at_start) {
  auto shard = std::make_shared<ShardLayout>();
  shard->inner = inner;
  shard->index_at_start = index_at_start;
  shard->index_checksum = true;
  ChunkLayout layout;
  layout.shape = shape;
  layout.order = Shape({1, 0});
  layout.shard = shard;
  return layout;
}

// Every byte of these layouts is under a checksum.
std::vector<ChunkLayout> layouts() {
  const ChunkLayout plain = items(Shape({2, 3}));
  const ChunkLayout shard = shard_of(Shape({4, 6}), plain, false);
  const ChunkLayout nested = shard_of(Shape({8, 6}), shard_of(Shape({4, 6}), plain, true), false);
  ChunkLayout wrapped = shard;
  wrapped.codecs = {codec(CodecKind::Crc32c)};
  return {plain, shard, nested, wrapped, shard_of(Shape({8, 12}), wrapped, true)};
}

ArrayDescription array_with(const ChunkLayout& layout, const std::string& path) {
  ArrayDescription array;
  array.path = path;
  array.shape = Shape({13, 17});
  array.item_size = 2;
  array.key_separator = '.';
  array.fill = {7, 0};
  array.layout = layout;
  array.check();
  return array;
}

struct Voxels {
  Voxels(const ArrayDescription& array, const Shape& begin, const Shape& end)
      : bytes(static_cast<size_t>((end[0] - begin[0]) * (end[1] - begin[1])) * array.item_size) {
    region.begin = region.data_begin = begin;
    region.end = end;
    region.data_shape = Shape({end[0] - begin[0], end[1] - begin[1]});
    region.data = bytes.data();
    region.check(array, bytes.size());
  }
  Exact<uint8_t> bytes;
  Region region;
};

std::optional<File> load(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return std::nullopt;
  File bytes(4096);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  std::fclose(file);
  return bytes;
}

// In memory of exactly that size.
template <class Use>
void with_bytes(const File& file, size_t offset, size_t size, const Use& use) {
  const size_t first = std::min(offset, file.size());
  const Exact<uint8_t> bytes(std::min(size, file.size() - first));
  if (bytes.size() > 0) std::memcpy(bytes.data(), file.data() + first, bytes.size());
  use(Bytes{bytes.data(), bytes.size()});
}

// Reads the chunk as one who fetches no more than is needed: it is the `size` bytes at `offset` of a file.
void read_in_parts(const ArrayDescription& array, const Shape& index, const std::vector<Shape>& inner, const ChunkLayout& layout,
                   const Shape& begin, const File& file, size_t offset, size_t size, const Region& region) {
  const MemoryChunk chunk(array, index, inner);
  if (!layout.is_open_shard()) {
    return with_bytes(file, offset, size, [&](Bytes bytes) { chunk.decode(bytes, region); });
  }
  const size_t index_size = std::min(size, layout.shard->index_bytes(layout));
  std::vector<double> places;
  with_bytes(file, offset + (layout.shard->index_at_start ? 0 : size - index_size), index_size,
             [&](Bytes bytes) { places = chunk.find_inner(bytes, size, region); });
  const InnerRange range(layout, begin, region);
  CHECK(places.size() == 2 * range.count());
  for (size_t i = 0; i < range.count(); ++i) {
    if (places[2 * i] < 0) continue;
    std::vector<Shape> path = inner;
    path.push_back(inner_position(layout, range.number(i)));
    read_in_parts(array, index, path, layout.shard->inner, inner_begin(layout, begin, range.number(i)), file,
                  offset + static_cast<size_t>(places[2 * i]), static_cast<size_t>(places[2 * i + 1]), region);
  }
}

void read_all(const ArrayDescription& array, const Region& region, Random& random, bool damaged) {
  const ChunkRange chunks(array.layout.shape, region);
  for (size_t number = 0; number < chunks.count(); ++number) {
    const Shape index = chunks.index(number);
    std::optional<File> file = load(array.path + "/" + array.key(index));
    if (!file) {
      MemoryChunk(array, index, {}).fill(region);
      continue;
    }
    if (damaged && random.below(3) == 0) file->resize(random.below(file->size()));
    else if (damaged) (*file)[random.below(file->size())] ^= static_cast<uint8_t>(1 + random.below(255));
    read_in_parts(array, index, {}, array.layout, first_voxel(index, array.layout.shape), *file, 0, file->size(), region);
  }
}

void same_as_files() {
  Random random(31);
  ChunkStates states;
  for (const ChunkLayout& layout : layouts()) {
    char path[] = "/tmp/blockwright-memory-XXXXXX";
    CHECK(mkdtemp(path) != nullptr);
    const ArrayDescription array = array_with(layout, path);
    // What is not written is missing.
    const Voxels written(array, Shape({3, 2}), Shape({12, 11}));
    for (size_t byte = 0; byte < written.bytes.size(); ++byte) written.bytes[byte] = static_cast<uint8_t>(random.below(9));
    write_region(array, written.region, false, 1, Cancellation(), states);
    for (int round = 0; round < 60; ++round) {
      const auto low = [&](int64_t extent) { return static_cast<int64_t>(random.below(static_cast<uint64_t>(extent))); };
      const Shape begin({low(13), low(17)});
      const Shape end({begin[0] + 1 + low(13 - begin[0]), begin[1] + 1 + low(17 - begin[1])});
      const Voxels from_files(array, begin, end);
      const Voxels from_memory(array, begin, end);
      read_region(array, from_files.region, 1, Cancellation(), states);
      read_all(array, from_memory.region, random, false);
      CHECK(std::memcmp(from_files.bytes.data(), from_memory.bytes.data(), from_files.bytes.size()) == 0);
      const Voxels damaged(array, begin, end);
      try {
        read_all(array, damaged.region, random, true);
        // The damage lies where the region needs nothing.
        CHECK(std::memcmp(from_files.bytes.data(), damaged.bytes.data(), damaged.bytes.size()) == 0);
      } catch (const Error& error) {
        CHECK(std::string(error.code()) == ERR_CHUNK_CORRUPT);
        CHECK(std::string(error.what()).find(path) != std::string::npos);
      }
    }
    const ChunkRange chunks(array.layout.shape, written.region);
    for (size_t number = 0; number < chunks.count(); ++number) unlink((array.path + "/" + array.key(chunks.index(number))).c_str());
    CHECK(rmdir(path) == 0);
  }
}

void positions() {
  const ArrayDescription array = array_with(layouts()[1], "x");
  const Shape zero({0, 0});
  CHECK_ERROR(ERR_ARGUMENT, MemoryChunk(array, Shape({4, 0}), {}));
  CHECK_ERROR(ERR_ARGUMENT, MemoryChunk(array, Shape({0, -1}), {}));
  CHECK_ERROR(ERR_ARGUMENT, MemoryChunk(array, Shape({INT64_MAX, 0}), {}));
  CHECK_ERROR(ERR_ARGUMENT, MemoryChunk(array, Shape({0}), {}));
  CHECK_ERROR(ERR_ARGUMENT, MemoryChunk(array, zero, {Shape({2, 0})}));
  CHECK_ERROR(ERR_ARGUMENT, MemoryChunk(array, zero, {zero, zero}));
  const Voxels voxels(array, zero, Shape({1, 1}));
  const MemoryChunk inner(array, zero, {zero});
  CHECK_ERROR(ERR_ARGUMENT, inner.find_inner({}, 0, voxels.region));
  const MemoryChunk shard(array, zero, {});
  CHECK_ERROR(ERR_CHUNK_CORRUPT, shard.find_inner({}, 0, voxels.region));
  CHECK_ERROR(ERR_CHUNK_CORRUPT, shard.decode({}, voxels.region));
}

}  // namespace

int main() {
  same_as_files();
  positions();
  return 0;
}
