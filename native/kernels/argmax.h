// The class of every voxel: the channel, or the group of channels, with the highest value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"

namespace blockwright {

inline constexpr size_t MAX_CLASSES = 65536;

// values: [channels, voxels]; classes: [voxels] gets numbers of groups. The value of a group is the sum of its channels: exact
// for integers; for floats added in Value, in the order of the group. The first of the highest wins, and NaN is higher than
// everything (as numpy.argmax). The same classes for any number of threads and on every machine.
// ERR_ARGUMENT when there is no group, a group without channels or with one that is not there, or more groups than
// MAX_CLASSES or than Class can tell apart. Memory beside the arrays: 24 KiB a thread.
// Value: the integers of up to 32 bits, float, double. Class: the unsigned integers.
template <class Value, class Class>
void argmax(const Value* values, size_t channels, size_t voxels, const std::vector<std::vector<size_t>>& groups, Class* classes,
            size_t threads, const Cancellation& cancellation);

}  // namespace blockwright
