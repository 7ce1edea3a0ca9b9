// Reads a region of an array, chunk by chunk over threads.
#pragma once

#include <cstddef>

#include "core/cancellation.h"
#include "io/array_description.h"

namespace blockwright {

// Fills the region's memory; a missing chunk is the fill value. Returns the number of missing chunks. A chunk that lies
// wholly in the region with the same layout is decoded in place. Peak memory beside the region: two chunks a thread, three with
// several codecs.
size_t read_region(const ArrayDescription& array, const Region& region, size_t threads, const Cancellation& cancellation);

}  // namespace blockwright
