#include "kernels/merge_nodes.h"

#include <algorithm>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/row_order.h"

namespace blockwright {

namespace {

bool inside(const double* position, const WorldBox& box) {
  for (size_t axis = 0; axis < box.begin.size(); ++axis) {
    if (!(position[axis] >= box.begin[axis] && position[axis] < box.end[axis])) return false;
  }
  return true;
}

}  // namespace

MergedNodeCount merge_nodes(const std::vector<NodeRun>& runs, size_t dimensions, const WorldBox& box,
                            const MergedNodes& merged, const Cancellation& cancellation) {
  if (runs.size() > UINT32_MAX) throw Error(ERR_LIMIT, "more than 2^32 - 1 runs");
  std::vector<RowReference> rows;
  for (size_t run = 0; run < runs.size(); ++run) {
    const NodeRun& nodes = runs[run];
    if (nodes.ids.size > UINT32_MAX) throw Error(ERR_LIMIT, "more than 2^32 - 1 rows in a run");
    for (size_t row = 0; row < nodes.ids.size; ++row) {
      if (row % ROWS_UNLOOKED == 0) cancellation.check();
      if (!inside(nodes.positions.data + row * dimensions, box)) continue;
      rows.push_back({nodes.ids[row], static_cast<uint32_t>(run), static_cast<uint32_t>(row)});
    }
  }
  sort_by_key(rows, cancellation);
  MergedNodeCount result;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % ROWS_UNLOOKED == 0) cancellation.check();
    const RowReference& entry = rows[i];
    if (i > 0 && entry.key == rows[i - 1].key) {
      return {i, true, entry.key, rows[i - 1].run, entry.run};
    }
    const NodeRun& nodes = runs[entry.run];
    merged.ids[i] = entry.key;
    merged.sizes[i] = nodes.sizes[entry.row];
    std::copy_n(nodes.positions.data + entry.row * dimensions, dimensions, merged.positions + i * dimensions);
  }
  result.count = rows.size();
  return result;
}

}  // namespace blockwright
