// One list of nodes out of the node rows of many blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/span.h"

namespace blockwright {

struct NodeRun {
  Span<uint64_t> ids;
  Span<uint64_t> sizes;
  Span<double> positions;  // [ids, dimensions]
};

// A half-open box in world units; empty vectors = everything. (core/box.h has the one in voxels.)
struct WorldBox {
  std::vector<double> begin;
  std::vector<double> end;
};

// Room for as many rows as all runs have together.
struct MergedNodes {
  uint64_t* ids;
  uint64_t* sizes;
  double* positions;
};

struct MergedNodeCount {
  size_t count = 0;
  bool duplicate = false;  // an id came twice; the other fields say where
  uint64_t id = 0;
  uint32_t first_run = 0;
  uint32_t second_run = 0;
};

// Writes the nodes whose position lies in `box`, ascending by id; stops at an id that comes twice among them.
// Peak memory: 32 bytes a row. At most 2^32 - 1 runs and rows a run (ERR_LIMIT).
MergedNodeCount merge_nodes(const std::vector<NodeRun>& runs, size_t dimensions, const WorldBox& box,
                            const MergedNodes& merged, const Cancellation& cancellation);

}  // namespace blockwright
