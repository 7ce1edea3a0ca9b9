#include "kernels/remove_debris.h"

#include <algorithm>

namespace blockwright {

namespace {
constexpr size_t PART = size_t{1} << 20;  // voxels between two looks at the cancellation
}

size_t clear_labels(uint64_t* labels, size_t count, LabelTable& table, const std::vector<uint8_t>& drop,
                    const Cancellation& cancellation) {
  const size_t dropped = static_cast<size_t>(std::count_if(drop.begin(), drop.end(), [](uint8_t flag) { return flag != 0; }));
  if (dropped == 0) return 0;
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    const size_t end = std::min(count, begin + PART);
    for (size_t at = begin; at < end;) {
      const size_t stop = run_end(labels, at, end);
      if (labels[at] != 0 && drop[table.number(labels[at])] != 0) std::fill(labels + at, labels + stop, 0);
      at = stop;
    }
  }
  return dropped;
}

size_t remove_debris(uint64_t* labels, size_t count, uint64_t minimum_size, const Cancellation& cancellation) {
  if (minimum_size <= 1) return 0;
  LabelTable table(labels, count, cancellation);
  std::vector<uint64_t> sizes;
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    const size_t end = std::min(count, begin + PART);
    for (size_t at = begin; at < end;) {
      const size_t stop = run_end(labels, at, end);
      if (labels[at] != 0) {
        const uint32_t number = table.number(labels[at]);
        if (number == sizes.size()) sizes.push_back(0);
        sizes[number] += stop - at;
      }
      at = stop;
    }
  }
  std::vector<uint8_t> drop(sizes.size());
  for (size_t number = 0; number < sizes.size(); ++number) drop[number] = sizes[number] < minimum_size;
  return clear_labels(labels, count, table, drop, cancellation);
}

}  // namespace blockwright
