#include "kernels/merge_edges.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/large_array.h"
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

// Orders rows, of which keys are u, by (u, v, run, row); keys are v afterwards.
void order_rows(std::vector<RowReference>& rows, const std::vector<EdgeRun>& runs, const Cancellation& cancellation) {
  sort_by_key(rows, cancellation);
  // Edges of one u are few: their v are ordered group by group.
  std::vector<RowReference> many;
  for (size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    const uint64_t u = rows[begin].key;
    bool ascending = true;
    for (; end < rows.size() && rows[end].key == u; ++end) {
      if (end % ROWS_UNLOOKED == 0) cancellation.check();
      rows[end].key = runs[rows[end].run].v[rows[end].row];
      ascending = ascending && (end == begin || rows[end - 1].key <= rows[end].key);
    }
    if (ascending) continue;
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
  }
}

enum class RowOrder { NONE, ASCENDING, ASCENDING_UNIQUE };

RowOrder order_of(const MergedEdges& rows, size_t count, const Cancellation& cancellation) {
  RowOrder order = RowOrder::ASCENDING_UNIQUE;
  for (size_t i = 1; i < count; ++i) {
    if (i % ROWS_UNLOOKED == 0) cancellation.check();
    if (rows.u[i] > rows.u[i - 1]) continue;
    if (rows.u[i] < rows.u[i - 1] || rows.v[i] < rows.v[i - 1]) return RowOrder::NONE;
    if (rows.v[i] == rows.v[i - 1]) order = RowOrder::ASCENDING;
  }
  return order;
}

// Puts a column into the order of its rows: their first values, or the sums of their values.
template <class Value, bool ADDED>
void gather(Value* column, size_t count, const std::vector<RowReference>& rows, LargeArray<uint64_t>& scratch,
            const Cancellation& cancellation) {
  static_assert(sizeof(Value) == sizeof(uint64_t));
  Value* const values = reinterpret_cast<Value*>(scratch.get());
  size_t to = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i % ROWS_UNLOOKED == 0) cancellation.check();
    const Value value = column[rows[i].row];
    if (rows[i].run != 0) {
      values[to++] = ADDED ? Value{0} + value : value;
    } else if (ADDED) {
      values[to - 1] += value;
    }
  }
  std::copy_n(values, to, column);
}

}  // namespace

size_t merge_edges(const std::vector<EdgeRun>& runs, const Span<uint64_t>* nodes, const MergedEdges& merged,
                   const Cancellation& cancellation) {
  std::vector<RowReference> rows = rows_of(runs, nodes, cancellation);
  order_rows(rows, runs, cancellation);
  size_t count = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % ROWS_UNLOOKED == 0) cancellation.check();
    const RowReference& entry = rows[i];
    const EdgeRun& run = runs[entry.run];
    const uint64_t u = run.u[entry.row];
    if (count == 0 || merged.u[count - 1] != u || merged.v[count - 1] != entry.key) {
      merged.u[count] = u;
      merged.v[count] = entry.key;
      for (double* sums : merged.sums) sums[count] = 0;
      for (double* counts : merged.counts) counts[count] = 0;
      ++count;
    }
    for (size_t attribute = 0; attribute < merged.sums.size(); ++attribute) {
      if (run.sums[attribute].empty()) continue;
      merged.sums[attribute][count - 1] += run.sums[attribute][entry.row];
      merged.counts[attribute][count - 1] += run.counts[attribute][entry.row];
    }
  }
  return count;
}

size_t add_up_edges(const MergedEdges& rows, size_t count, const Cancellation& cancellation) {
  std::vector<double*> added = rows.sums;
  added.insert(added.end(), rows.counts.begin(), rows.counts.end());
  const RowOrder order = order_of(rows, count, cancellation);
  if (order == RowOrder::ASCENDING_UNIQUE) {
    for (double* const column : added) {
      cancellation.check();
      for (size_t row = 0; row < count; ++row) column[row] = 0.0 + column[row];  // -0 becomes 0 as in any other sum
    }
    return count;
  }
  if (order == RowOrder::ASCENDING) {
    size_t edges = 0;
    for (size_t row = 0; row < count; ++row) {
      if (row % ROWS_UNLOOKED == 0) cancellation.check();
      const bool first = edges == 0 || rows.u[edges - 1] != rows.u[row] || rows.v[edges - 1] != rows.v[row];
      edges += first;
      rows.u[edges - 1] = rows.u[row];
      rows.v[edges - 1] = rows.v[row];
      for (double* const column : added) column[edges - 1] = (first ? 0.0 : column[edges - 1]) + column[row];
    }
    return edges;
  }
  const std::vector<EdgeRun> runs{EdgeRun{{rows.u, count}, {rows.v, count}, {}, {}}};
  std::vector<RowReference> sorted = rows_of(runs, nullptr, cancellation);
  order_rows(sorted, runs, cancellation);
  // Of the one run there is: whether the row is the first of its edge.
  size_t edges = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i % ROWS_UNLOOKED == 0) cancellation.check();
    const bool first = i == 0 || sorted[i - 1].key != sorted[i].key || rows.u[sorted[i - 1].row] != rows.u[sorted[i].row];
    sorted[i].run = first;
    edges += first;
  }
  LargeArray<uint64_t> scratch = large_array<uint64_t>(edges);
  for (double* const column : added) gather<double, true>(column, count, sorted, scratch, cancellation);
  gather<uint64_t, false>(rows.u, count, sorted, scratch, cancellation);
  gather<uint64_t, false>(rows.v, count, sorted, scratch, cancellation);
  return edges;
}

}  // namespace blockwright
