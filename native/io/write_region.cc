#include "io/write_region.h"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "io/box_copy.h"
#include "io/chunk_file.h"
#include "io/file.h"
#include "io/stateful_parallel.h"
#include "io/temporary_name.h"

namespace blockwright {

namespace {

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Sets the voxels of a chunk that lie beyond the end of the array.
void fill_beyond_array(const ArrayDescription& array, const Shape& index, uint8_t* chunk, const uint8_t* fill) {
  const Shape strides = array.chunk_strides();
  for (int axis = 0; axis < index.dimensions; ++axis) {
    const int64_t inside = array.shape[axis] - index[axis] * array.chunk[axis];
    if (inside >= array.chunk[axis]) continue;
    Shape extent = array.chunk;
    extent[axis] -= inside;
    fill_box(extent, chunk + inside * strides[axis], strides, fill, array.item_size);
  }
}

// The new content of a chunk in the byte order of the file: the region's own memory where that is possible, else made in
// `state.chunk`. `fill` is one item in the byte order of the file.
const uint8_t* compose(const ArrayDescription& array, const Region& region, const Shape& index, const uint8_t* fill,
                       ChunkState& state) {
  const Overlap overlap(array, region, index);
  const Shape chunk_strides = array.chunk_strides();
  const Shape data_strides = region.data_strides(array.item_size);
  const uint8_t* const source = region.data + overlap.data_offset;
  if (overlap.whole_chunk && !array.swap && same_strides(array.chunk, chunk_strides, data_strides)) return source;
  uint8_t* const chunk = state.chunk.reserve(array.chunk_bytes());
  const bool keeps_others = !overlap.all_inside_array && read_chunk(array, array.key(index), chunk, state);
  if (keeps_others) {
    fill_beyond_array(array, index, chunk, fill);
  } else if (!overlap.whole_chunk) {
    fill_box(array.chunk, chunk, chunk_strides, fill, array.item_size);
  }
  copy_box(overlap.extent, chunk + overlap.chunk_offset, chunk_strides, source, data_strides, array.item_size, array.swap);
  return chunk;
}

// A chunk on its way to the disk.
struct Pending {
  std::string path;
  std::string temporary;  // empty: the chunk is all fill and has no file
  File file;              // open until it is synchronised
  bool in_place = false;  // nothing is left to be removed
};

// Removes what was not renamed, also when an exception passes.
class Batch {
 public:
  explicit Batch(size_t size) : chunks(size) {}
  ~Batch() {
    for (const Pending& chunk : chunks) {
      if (chunk.temporary.empty() || chunk.in_place) continue;
      try {
        remove_file(chunk.temporary);
      } catch (const Error&) {
        // The first error is on its way; removeStaleTemporaries() finds the file later.
      }
    }
  }
  std::vector<Pending> chunks;
};

}  // namespace

void write_region(const ArrayDescription& array, const Region& region, bool durable, size_t threads,
                  const Cancellation& cancellation) {
  const ChunkRange range(array, region);
  const TemporaryNames names;
  std::vector<uint8_t> fill = array.fill;
  if (array.swap) std::reverse(fill.begin(), fill.end());
  std::set<std::string> folders;
  const char* strategy = std::getenv("BW_SYNC");
  const int s = strategy ? atoi(strategy) : 0;
  const size_t batch_size = getenv("BW_BATCH") ? atoi(getenv("BW_BATCH")) : 128;
  std::vector<ChunkState> states;
  for (size_t first = 0; first < range.count(); first += batch_size) {
    Batch batch(std::min(batch_size, range.count() - first));
    parallel_for_with<ChunkState>(threads, batch.chunks.size(), [&](ChunkState& state, size_t number) {
      cancellation.check();
      const Shape index = range.index(first + number);
      Pending& chunk = batch.chunks[number];
      chunk.path = array.path + "/" + array.key(index);
      const uint8_t* const content = compose(array, region, index, fill.data(), state);
      if (is_filled_with(content, array.chunk_items(), fill.data(), array.item_size)) return;
      const Bytes encoded = encode(array.codecs, {content, array.chunk_bytes()}, state.codec);
      const std::string temporary = folder_of(chunk.path) + "/" + names.name(first + number);
      chunk.file = create_file(array.path, temporary);
      chunk.temporary = temporary;
      write_fully(chunk.file, temporary, encoded);
      if (durable && s == 0) { synchronise_data(chunk.file, temporary); chunk.file.close(temporary); }
      if (durable && s == 2) sync_file_range(chunk.file.descriptor(), 0, 0, SYNC_FILE_RANGE_WRITE);
    });
    if (durable && s == 3) {
      syncfs(batch.chunks[0].file.descriptor());
    }
    if (durable && (s == 1 || s == 2)) {
      parallel_for(threads, batch.chunks.size(), [&](size_t number) {
      Pending& chunk = batch.chunks[number];
        if (!chunk.temporary.empty()) synchronise_data(chunk.file, chunk.temporary);
      });
    }
    for (Pending& chunk : batch.chunks) {
      if (chunk.file.descriptor() >= 0) chunk.file.close(chunk.temporary);
      bool changed = true;
      if (chunk.temporary.empty()) {
        changed = remove_file(chunk.path);
      } else {
        rename_file(chunk.temporary, chunk.path);
        chunk.in_place = true;
      }
      if (changed && durable) {
        for (std::string folder = folder_of(chunk.path); folders.insert(folder).second && folder.size() > array.path.size();) {
          folder = folder_of(folder);
        }
      }
    }
  }
  std::vector<std::string> list(folders.rbegin(), folders.rend());
  parallel_for(threads, list.size(), [&](size_t number) { synchronise_folder(list[number]); });
}

}  // namespace blockwright
