// Replaces ids by a sorted lookup table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancellation.h"

namespace blockwright {

struct LookupTable {
  const uint64_t* fragments = nullptr;  // ascending, distinct
  const uint64_t* segments = nullptr;
  const uint64_t* sizes = nullptr;      // voxels of the segment of each entry; may be null
  size_t size = 0;
};

enum class Missing { keep, background, error };

// output[i] = the segment of labels[i]; a label without an entry is kept, becomes 0, or is an ERR_ARGUMENT that names the first
// one (background 0 without an entry always stays 0). With table.sizes, labels whose segment has fewer voxels than
// `minimum_size` become 0. output may be labels. The table is looked up once per distinct label and thread, or, where labels
// without an entry are no error, once per window of 65,536 ids that labels are in, so a large memory-mapped table costs a few
// pages; ERR_ARGUMENT when it is seen not to ascend (all of it is checked when it has no more entries than there are labels).
// Peak memory beside the arrays, for each thread: 40 kB; for windows 512 kB for each 32,768 of its labels, no more than 32 MB
// (16 bytes a label up to 2 million); and 130 bytes a distinct label that is in none of them.
void relabel(const uint64_t* labels, uint64_t* output, size_t count, const LookupTable& table, Missing missing,
             uint64_t minimum_size, size_t threads, const Cancellation& cancellation);

}  // namespace blockwright
