#include "kernels/merge_edges.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/row_order.h"

namespace blockwright {

namespace {

bool contains(const Span<uint64_t>& ascending, uint64_t id) {
  return std::binary_search(ascending.begin(), ascending.end(), id);
}

std::vector<RowReference> rows_of(const std::vector<EdgeRun>& runs, const Span<uint64_t>* nodes,
                                  const Cancellation& cancellation) {
  size_t total = 0;
  for (const EdgeRun& run : runs) {
    if (run.u.size > UINT32_MAX) throw Error(ERR_LIMIT, "more than 2^32 - 1 rows in a run");
    total += run.u.size;
  }
  if (runs.size() > UINT32_MAX) throw Error(ERR_LIMIT, "more than 2^32 - 1 runs");
  std::vector<RowReference> rows;
  if (nodes == nullptr) rows.reserve(total);
  for (size_t run = 0; run < runs.size(); ++run) {
    const EdgeRun& edges = runs[run];
    for (size_t row = 0; row < edges.u.size; ++row) {
      if (row % ROWS_UNLOOKED == 0) cancellation.check();
      if (nodes != nullptr && !contains(*nodes, edges.u[row]) && !contains(*nodes, edges.v[row])) continue;
      rows.push_back({edges.u[row], static_cast<uint32_t>(run), static_cast<uint32_t>(row)});
    }
  }
  return rows;
}

}  // namespace

size_t merge_edges(const std::vector<EdgeRun>& runs, const Span<uint64_t>* nodes, const MergedEdges& merged,
                   const Cancellation& cancellation) {
  std::vector<RowReference> rows = rows_of(runs, nodes, cancellation);
  sort_by_key(rows, cancellation);
  size_t count = 0;
  // Edges of one u are few: their v are ordered group by group.
  std::vector<RowReference> many;
  for (size_t begin = 0; begin < rows.size();) {
    const uint64_t u = rows[begin].key;
    size_t end = begin;
    for (; end < rows.size() && rows[end].key == u; ++end) rows[end].key = runs[rows[end].run].v[rows[end].row];
    if (end - begin < 4096) {
      std::sort(rows.begin() + begin, rows.begin() + end, [](const RowReference& a, const RowReference& b) {
        if (a.key != b.key) return a.key < b.key;
        return a.run != b.run ? a.run < b.run : a.row < b.row;
      });
    } else {
      // They are in the order of runs and rows, and stay in it.
      many.assign(rows.begin() + begin, rows.begin() + end);
      sort_by_key(many, cancellation);
      std::copy(many.begin(), many.end(), rows.begin() + begin);
    }
    for (size_t i = begin; i < end; ++i) {
      if (i % ROWS_UNLOOKED == 0) cancellation.check();
      const RowReference& entry = rows[i];
      if (i == begin || entry.key != rows[i - 1].key) {
        merged.u[count] = u;
        merged.v[count] = entry.key;
        for (double* sums : merged.sums) sums[count] = 0;
        for (double* counts : merged.counts) counts[count] = 0;
        ++count;
      }
      const EdgeRun& run = runs[entry.run];
      for (size_t attribute = 0; attribute < merged.sums.size(); ++attribute) {
        if (run.sums[attribute].empty()) continue;
        merged.sums[attribute][count - 1] += run.sums[attribute][entry.row];
        merged.counts[attribute][count - 1] += run.counts[attribute][entry.row];
      }
    }
    begin = end;
  }
  return count;
}

}  // namespace blockwright
