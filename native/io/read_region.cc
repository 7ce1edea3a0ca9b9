#include "io/read_region.h"

#include <atomic>

#include "io/box_copy.h"
#include "io/chunk_file.h"
#include "io/stateful_parallel.h"

namespace blockwright {

size_t read_region(const ArrayDescription& array, const Region& region, size_t threads, const Cancellation& cancellation) {
  const ChunkRange chunks(array, region);
  const Shape chunk_strides = array.chunk_strides();
  const Shape data_strides = region.data_strides(array.item_size);
  const bool same_layout = same_strides(array.chunk, chunk_strides, data_strides);
  std::atomic<size_t> missing{0};
  parallel_for_with<ChunkState>(threads, chunks.count(), [&](ChunkState& state, size_t number) {
    cancellation.check();
    const Shape index = chunks.index(number);
    const Overlap overlap(array, region, index);
    uint8_t* const target = region.data + overlap.data_offset;
    const bool in_place = same_layout && overlap.whole_chunk;
    uint8_t* const chunk = in_place ? target : state.chunk.reserve(array.chunk_bytes());
    if (!read_chunk(array, array.key(index), chunk, state)) {
      missing.fetch_add(1);
      fill_box(overlap.extent, target, data_strides, array.fill.data(), array.item_size);
    } else if (!in_place) {
      copy_box(overlap.extent, target, data_strides, chunk + overlap.chunk_offset, chunk_strides, array.item_size, array.swap);
    } else if (array.swap) {
      copy_box(overlap.extent, target, data_strides, target, data_strides, array.item_size, true);
    }
  });
  return missing.load();
}

}  // namespace blockwright
