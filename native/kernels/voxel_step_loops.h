// The loops of voxel_steps.h over voxels that lie one after the other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/voxel_steps.h"

namespace blockwright {

// Computes `count` voxels of type `from` at `in` into `out` (of type step.to, other memory) with one pair of parameters.
void run_step(const VoxelStep& step, VoxelType from, const uint8_t* in, uint8_t* out, size_t count, double first, double second);

}  // namespace blockwright
