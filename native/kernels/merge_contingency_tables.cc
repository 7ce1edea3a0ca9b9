#include "kernels/merge_contingency_tables.h"

namespace blockwright {

size_t merge_contingency_tables(const TableColumns& x, const TableColumns& y, const TableColumns& merged,
                                const Cancellation& cancellation) {
  size_t rows = 0;
  const auto add = [&](const TableColumns& from, size_t row) {
    merged.a[rows] = from.a[row];
    merged.b[rows] = from.b[row];
    merged.counts[rows] = from.counts[row];
    merged.places[rows] = from.places[row];
    merged.runs[rows] = from.runs[row];
  };
  size_t i = 0;
  size_t j = 0;
  for (; i < x.a.size || j < y.a.size; ++rows) {
    if (rows % 65536 == 0) cancellation.check();
    const bool has_x = i < x.a.size;
    const bool has_y = j < y.a.size;
    const bool same = has_x && has_y && x.a[i] == y.a[j] && x.b[i] == y.b[j];
    const bool x_first = has_x && (!has_y || x.a[i] < y.a[j] || (x.a[i] == y.a[j] && x.b[i] < y.b[j]));
    if (same) {
      const bool x_stays = x.runs[i] != y.runs[j] ? x.runs[i] > y.runs[j] : x.places[i] <= y.places[j];
      if (x_stays) add(x, i);
      else add(y, j);
      merged.counts[rows] = x.counts[i++] + y.counts[j++];
    } else if (x_first) {
      add(x, i++);
    } else {
      add(y, j++);
    }
  }
  return rows;
}

}  // namespace blockwright
