#include "kernels/segment_sizes.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/id_index.h"
#include "core/large_array.h"

namespace blockwright {

void segment_sizes(Span<uint64_t> ids, Span<uint64_t> segments, Span<uint64_t> node_sizes, uint64_t* sizes,
                   const Cancellation& cancellation) {
  if (ids.size >= (size_t{1} << 32)) throw Error(ERR_LIMIT, "ids: expected fewer than 2^32, found " + std::to_string(ids.size));
  for (size_t i = 1; i < ids.size; ++i) {
    if (i % 65536 == 0) cancellation.check();
    if (ids[i - 1] >= ids[i]) {
      throw Error(ERR_ARGUMENT, "ids: expected ascending, unique ids, found " + std::to_string(ids[i]) + " after " +
                                    std::to_string(ids[i - 1]) + " at " + std::to_string(i));
    }
  }
  LargeArray<uint32_t> rows = large_array<uint32_t>(ids.size);
  {
    const IdIndex index(ids, cancellation);
    for (size_t i = 0; i < ids.size; ++i) {
      if (i % 65536 == 0) cancellation.check();
      const size_t row = segments[i] == ids[i] ? i : index.find(segments[i]);
      if (row == IdIndex::NONE || segments[row] != ids[row]) {
        throw Error(ERR_ARGUMENT, "segments: expected the id of a node of the segment, found " + std::to_string(segments[i]) +
                                      " at " + std::to_string(i));
      }
      rows[i] = static_cast<uint32_t>(row);
    }
  }
  std::fill_n(sizes, ids.size, 0);
  for (size_t i = 0; i < ids.size; ++i) sizes[rows[i]] += node_sizes[i];
  for (size_t i = 0; i < ids.size; ++i) sizes[i] = sizes[rows[i]];
}

}  // namespace blockwright
