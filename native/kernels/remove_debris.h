// Clears small labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/label_table.h"

namespace blockwright {

// Sets labels of fewer than `minimum_size` voxels to 0, in place. Returns how many labels went.
// Peak memory beside the labels: up to 1 byte a voxel (ids close together) or 72 a label (a hash), and 24 a label.
size_t remove_debris(uint64_t* labels, size_t count, uint64_t minimum_size, const Cancellation& cancellation);

// Sets the labels whose entry in `drop` (by number of the table) is not 0 to 0, in place. Returns how many these are.
size_t clear_labels(uint64_t* labels, size_t count, LabelTable& table, const std::vector<uint8_t>& drop,
                    const Cancellation& cancellation);

}  // namespace blockwright
