// Reads a region of an array, chunk by chunk over threads; of shards inner chunk by inner chunk.
#pragma once

#include <cstddef>

#include "core/cancellation.h"
#include "io/array_description.h"
#include "io/chunk_states.h"

namespace blockwright {

// Fills the region's memory; a missing chunk is the fill value. Returns the number of chunks whose file is missing. A chunk that
// lies wholly in the region with the same layout is decoded in place. Of a shard the index and the inner chunks that the
// region meets are read, unless codecs lie around it. Peak memory beside the region: two chunks a thread, three with several
// compressors; the indexes of the shards at work; where codecs lie around a shard, all of it.
size_t read_region(const ArrayDescription& array, const Region& region, size_t threads, const Cancellation& cancellation,
                   ChunkStates& states);

}  // namespace blockwright
