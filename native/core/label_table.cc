#include "core/label_table.h"

#include "core/row_order.h"

namespace blockwright {

namespace {

BLOCKWRIGHT_TARGET_CLONES void extend_range(const uint64_t* labels, size_t count, uint64_t* smallest, uint64_t* largest) {
  uint64_t low = *smallest, high = *largest;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t before = labels[i] - 1;  // background wraps round to the largest value and never is the smallest
    low = before < low ? before : low;
    high = labels[i] > high ? labels[i] : high;
  }
  *smallest = low;
  *largest = high;
}

}  // namespace

LabelRange label_range(const uint64_t* labels, size_t count, const Cancellation& cancellation) {
  uint64_t smallest = UINT64_MAX, largest = 0;
  constexpr size_t PART = size_t{1} << 20;
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    extend_range(labels + begin, std::min(PART, count - begin), &smallest, &largest);
  }
  return {largest == 0 ? 0 : smallest + 1, largest};
}

LabelTable::LabelTable(const uint64_t* labels, size_t count, const Cancellation& cancellation) : hashed_(cancellation) {
  const LabelRange range = label_range(labels, count, cancellation);
  if (range.largest == 0) return;
  smallest_ = range.smallest;
  const uint64_t span = range.largest - range.smallest;
  const uint64_t limit = std::min<uint64_t>(std::max<uint64_t>(count / 4, 1024), IdMap::MAX_KEYS);
  if (span < limit) direct_.resize(span + 1);
}

std::vector<uint32_t> LabelTable::ascending(const Cancellation& cancellation) const {
  const std::vector<uint64_t>& labels = ids();
  std::vector<uint32_t> order;
  order.reserve(labels.size());
  if (!direct_.empty()) {
    for (const uint32_t entry : direct_) {
      if (entry != 0) order.push_back(entry - 1);
    }
    return order;
  }
  std::vector<RowReference> rows(labels.size());
  for (uint32_t number = 0; number < labels.size(); ++number) rows[number] = {labels[number], 0, number};
  sort_by_key(rows, cancellation);
  for (const RowReference& row : rows) order.push_back(row.row);
  return order;
}

}  // namespace blockwright
