// Writes a region of an array, chunk by chunk over threads.
#pragma once

#include <cstddef>

#include "core/cancellation.h"
#include "io/array_description.h"

namespace blockwright {

// Writes the region. A chunk that the region covers in part is read, changed and written; that is only safe while no one
// else writes it. Voxels of a chunk beyond the array, and chunks that hold nothing but the fill value, leave no trace in the
// store, so its bytes depend on the content alone. Every chunk goes to a temporary file first and is renamed, so a
// reader sees the old or the new one. `durable`: everything is on the disk when this returns. On an error the chunks that were
// renamed before stay, temporary files are removed. Peak memory beside the region: three chunks a thread.
void write_region(const ArrayDescription& array, const Region& region, bool durable, size_t threads,
                  const Cancellation& cancellation);

}  // namespace blockwright
