// One graph out of the edge rows of many blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/span.h"

namespace blockwright {

// The rows of a block, or of a part of one. An attribute that the block does not have is an empty span.
struct EdgeRun {
  Span<uint64_t> u;
  Span<uint64_t> v;
  std::vector<Span<double>> sums;    // one entry an attribute
  std::vector<Span<double>> counts;  // one entry an attribute
};

// Room for as many rows as all runs have together.
struct MergedEdges {
  uint64_t* u;
  uint64_t* v;
  std::vector<double*> sums;
  std::vector<double*> counts;
};

// Writes every distinct (u, v) once, ascending by (u, v). Sums and counts of one edge are added from 0 in the order of
// runs, then rows, so the result depends on the order of the runs alone. With `nodes` (ascending) only edges with u or v
// among them. Returns the number of edges. Peak memory: 32 bytes a row. At most 2^32 - 1 runs and rows a run (ERR_LIMIT).
size_t merge_edges(const std::vector<EdgeRun>& runs, const Span<uint64_t>* nodes, const MergedEdges& merged,
                   const Cancellation& cancellation);

// The same for rows that lie in one memory, in the order of runs: what comes out takes the place of the rows. Peak memory beside them:
// nothing where they ascend by (u, v) already, else 32 bytes a row. At most 2^32 - 1 rows (ERR_LIMIT).
size_t add_up_edges(const MergedEdges& rows, size_t count, const Cancellation& cancellation);

}  // namespace blockwright
