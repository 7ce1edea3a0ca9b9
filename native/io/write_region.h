// Writes a region of an array, chunk by chunk over threads; of shards inner chunk by inner chunk.
#pragma once

#include <cstddef>

#include "core/cancellation.h"
#include "io/array_description.h"
#include "io/chunk_states.h"

namespace blockwright {

// Writes the region. A chunk or shard that the region covers in part is read, changed and written; that is only safe while no one
// else writes it. Inner chunks that the region does not meet are copied as they are. Voxels of a chunk beyond the array, and
// chunks that hold nothing but the fill value, leave no trace in the store, so its bytes depend on the content alone. Every file
// is a temporary one first and is renamed, so a reader sees the old or the new one. `durable`: everything is on the disk when this returns. On an error the chunks that were
// renamed before stay, temporary files are removed. Peak memory beside the region: three
// chunks a thread; the indexes of the shards at work; where codecs lie around a shard, all of it.
void write_region(const ArrayDescription& array, const Region& region, bool durable, size_t threads,
                  const Cancellation& cancellation, ChunkStates& states);

}  // namespace blockwright
