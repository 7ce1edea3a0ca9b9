#include "kernels/contingency_table.h"

#include <algorithm>

#include "core/id_map.h"
#include "core/interruptible_sort.h"
#include "core/label_table.h"

namespace blockwright {

namespace {

struct Pair {
  uint64_t voxels = 0;
  uint64_t place = 0;
  uint32_t run = 0;
};

}  // namespace

ContingencyTable contingency_table(const uint64_t* a, const uint64_t* b, const uint8_t* mask, size_t count,
                                   const Cancellation& cancellation) {
  LabelTable a_table(a, count, cancellation);
  LabelTable b_table(b, count, cancellation);
  // Keys hold both numbers + 1, where background is 1, so that no key is 0.
  const auto number = [](LabelTable& table, uint64_t label) { return label == 0 ? 1u : table.number(label) + 2u; };
  const auto label = [](const LabelTable& table, uint64_t key) { return key == 1 ? 0 : table.ids()[key - 2]; };
  IdMap numbers(cancellation);
  std::vector<Pair> pairs;
  constexpr size_t PART = size_t{1} << 20;  // a run is cut at its end
  for (size_t begin = 0; begin < count; begin += PART) {
    const size_t end = std::min(count, begin + PART);
    for (size_t at = begin, looked = 0; at < end; ++looked) {
      if (looked % 65536 == 0) cancellation.check();
      size_t stop = at + 1;
      if (mask != nullptr && mask[at] == 0) {
        while (stop < end && mask[stop] == 0) ++stop;
        at = stop;
        continue;
      }
      while (stop < end && a[stop] == a[at] && b[stop] == b[at] && (mask == nullptr || mask[stop] != 0)) ++stop;
      const uint64_t key = static_cast<uint64_t>(number(a_table, a[at])) << 32 | number(b_table, b[at]);
      const uint32_t found = numbers.insert(key);
      if (found == pairs.size()) pairs.emplace_back();
      Pair& pair = pairs[found];
      const size_t run = stop - at;
      pair.voxels += run;
      if (run > pair.run) {
        pair.run = static_cast<uint32_t>(run);
        pair.place = at + run / 2;
      }
      at = stop;
    }
  }
  struct Row {
    uint64_t a, b;
    uint32_t pair;
  };
  std::vector<Row> rows(pairs.size());
  for (uint32_t pair = 0; pair < pairs.size(); ++pair) {
    const uint64_t key = numbers.keys()[pair];
    rows[pair] = {label(a_table, key >> 32), label(b_table, key & UINT32_MAX), pair};
  }
  const auto before = [](const Row& x, const Row& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; };
  interruptible_sort(rows.begin(), rows.end(), before, cancellation);
  ContingencyTable result;
  for (const Row& row : rows) {
    const Pair& pair = pairs[row.pair];
    result.a.push_back(row.a);
    result.b.push_back(row.b);
    result.counts.push_back(static_cast<double>(pair.voxels));
    result.places.push_back(static_cast<double>(pair.place));
    result.runs.push_back(pair.run);
  }
  return result;
}

}  // namespace blockwright
