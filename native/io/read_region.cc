#include "io/read_region.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/error_codes.h"
#include "core/large_pages.h"
#include "io/chunk_reader.h"
#include "io/file.h"
#include "io/inside.h"
#include "io/stateful_parallel.h"

namespace blockwright {

namespace {

// The file at a position of the grid, read by one or several threads.
struct ChunkFile {
  ChunkFile(const ArrayDescription& array, const Inside& folder, const Shape& index)
      : key(array.key(index)), path(array.path + "/" + key), begin(first_voxel(index, array.layout.shape)) {
    size_t size = 0;
    if (!open_chunk(folder, path, file, size)) return;
    encoded.emplace(file, path, size);
    if (array.layout.is_open_shard()) shard_index.emplace(array.layout, *encoded);
  }

  const std::string key;
  const std::string path;
  const Shape begin;
  File file;
  std::optional<Stretch> encoded;  // nothing where there is no file
  std::optional<ShardIndex> shard_index;
};

// Opens a shard's file when the first of its inner chunks is wanted and closes it after the last.
class SharedShard {
 public:
  void expect(size_t chunks) { left_ = chunks; }
  const ChunkFile& open(const ArrayDescription& array, const Inside& folder, const Shape& index) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!file_) file_ = std::make_unique<ChunkFile>(array, folder, index);
    return *file_;
  }
  void release() {
    if (left_.fetch_sub(1) == 1) file_.reset();
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<ChunkFile> file_;
  std::atomic<size_t> left_{0};
};

// Calls action() and names the file in the error of a damaged one.
template <class Action>
void with_file_name(const ArrayDescription& array, const Shape& index, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.code() != ERR_CHUNK_CORRUPT) throw;
    throw damaged_file(array, array.key(index), error);
  }
}

size_t read_files(const ArrayDescription& array, const Region& region, size_t threads, const Cancellation& cancellation) {
  const ChunkRange files(array.layout.shape, region);
  const Inside folder(array.path);
  std::atomic<size_t> missing{0};
  parallel_for_with<ChunkState>(threads, files.count(), [&](ChunkState& state, size_t number) {
    cancellation.check();
    const Shape index = files.index(number);
    with_file_name(array, index, [&] {
      const ChunkFile file(array, folder, index);
      if (file.encoded) return read_chunk(array, array.layout, *file.encoded, file.begin, region, state);
      missing.fetch_add(1);
      fill_chunk(array, array.layout, file.begin, region);
    });
  });
  return missing.load();
}

constexpr size_t SHARDS_AT_ONCE = 4096;

// The shards of a region, counted from `first_file`.
size_t read_some_shards(const ArrayDescription& array, const Inside& folder, const Region& region, const ChunkRange& files,
                        size_t first_file, size_t file_count, size_t threads, const Cancellation& cancellation) {
  const auto inner_of = [&](const Shape& index) {
    return InnerRange(array.layout, first_voxel(index, array.layout.shape), region);
  };
  std::vector<size_t> first = {0};  // unit of each file
  const auto shards = std::make_unique<SharedShard[]>(file_count);
  for (size_t number = 0; number < file_count; ++number) {
    const size_t count = inner_of(files.index(first_file + number)).count();
    shards[number].expect(count);
    first.push_back(first.back() + count);
  }
  std::atomic<size_t> missing{0};
  parallel_for_with<ChunkState>(threads, first.back(), [&](ChunkState& state, size_t unit) {
    cancellation.check();
    const size_t number = static_cast<size_t>(std::upper_bound(first.begin(), first.end(), unit) - first.begin()) - 1;
    const Shape index = files.index(first_file + number);
    with_file_name(array, index, [&] {
      const ChunkFile& file = shards[number].open(array, folder, index);
      const size_t inner = inner_of(index).number(unit - first[number]);
      if (file.shard_index) {
        read_inner_chunk(array, array.layout, *file.shard_index, *file.encoded, inner, file.begin, region, state);
      } else {
        missing.fetch_add(1);
        fill_chunk(array, array.layout.shard->inner, inner_begin(array.layout, file.begin, inner), region);
      }
    });
    shards[number].release();
  });
  return missing.load();
}

// Inner chunks are the units of work, so that a region in one shard is read by all threads. Of shards of a few voxels, which
// only a hostile store has, there are so many that what is known of each would take more memory than the region.
size_t read_shards(const ArrayDescription& array, const Region& region, size_t threads, const Cancellation& cancellation) {
  const ChunkRange files(array.layout.shape, region);
  const Inside folder(array.path);
  size_t missing = 0;
  for (size_t first = 0; first < files.count(); first += SHARDS_AT_ONCE) {
    const size_t count = std::min(SHARDS_AT_ONCE, files.count() - first);
    missing += read_some_shards(array, folder, region, files, first, count, threads, cancellation);
  }
  return missing;
}

}  // namespace

size_t read_region(const ArrayDescription& array, const Region& region, size_t threads, const Cancellation& cancellation) {
  prefer_large_pages(region.data, region.data_shape.count() * array.memory_item_size());
  const auto read = array.layout.is_open_shard() ? read_shards : read_files;
  return read(array, region, threads, cancellation);
}

}  // namespace blockwright
