#include "kernels/contingency_table.h"

#include <algorithm>

#include "core/id_map.h"
#include "core/label_table.h"

namespace blockwright {

ContingencyTable contingency_table(const uint64_t* a, const uint64_t* b, size_t count, const Cancellation& cancellation) {
  LabelTable a_table(a, count, cancellation);
  LabelTable b_table(b, count, cancellation);
  // Keys hold both numbers + 1, where background is 1, so that no key is 0.
  const auto number = [](LabelTable& table, uint64_t label) { return label == 0 ? 1u : table.number(label) + 2u; };
  const auto label = [](const LabelTable& table, uint64_t key) { return key == 1 ? 0 : table.ids()[key - 2]; };
  IdMap pairs;
  std::vector<uint64_t> voxels;
  constexpr size_t PART = size_t{1} << 20;
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    const size_t end = std::min(count, begin + PART);
    for (size_t at = begin; at < end;) {
      size_t stop = at + 1;
      while (stop < end && a[stop] == a[at] && b[stop] == b[at]) ++stop;
      const uint64_t key = static_cast<uint64_t>(number(a_table, a[at])) << 32 | number(b_table, b[at]);
      const uint32_t pair = pairs.insert(key);
      if (pair == voxels.size()) voxels.push_back(0);
      voxels[pair] += stop - at;
      at = stop;
    }
  }
  struct Row {
    uint64_t a, b;
    uint32_t pair;
  };
  std::vector<Row> rows(pairs.size());
  for (uint32_t pair = 0; pair < pairs.size(); ++pair) {
    const uint64_t key = pairs.keys()[pair];
    rows[pair] = {label(a_table, key >> 32), label(b_table, key & UINT32_MAX), pair};
  }
  std::sort(rows.begin(), rows.end(), [](const Row& x, const Row& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; });
  ContingencyTable result;
  for (const Row& row : rows) {
    result.a.push_back(row.a);
    result.b.push_back(row.b);
    result.counts.push_back(static_cast<double>(voxels[row.pair]));
  }
  return result;
}

}  // namespace blockwright
