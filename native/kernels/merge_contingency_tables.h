// One contingency table out of two: counts of equal pairs are added, of places the one in the longer run stays.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancellation.h"
#include "core/span.h"

namespace blockwright {

// Columns of one length, ascending by (a, b).
struct TableColumns {
  Span<uint64_t> a, b;
  Span<double> counts, places;
  Span<uint32_t> runs;
};

// Writes into `merged`, which has room for the rows of both, and returns how many there are. Among runs of one length the
// lower place stays, so the order of merging does not matter. Tables that do not ascend give one that does not.
// Peak memory beside the columns: none.
size_t merge_contingency_tables(const TableColumns& x, const TableColumns& y, const TableColumns& merged,
                                const Cancellation& cancellation);

}  // namespace blockwright
