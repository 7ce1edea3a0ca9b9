#include "kernels/remove_debris.h"

#include <algorithm>

#include "core/equal_bits.h"

namespace blockwright {

namespace {
constexpr size_t PART = size_t{1} << 18;  // voxels between two looks at the cancellation
}

size_t clear_labels(uint64_t* labels, size_t count, LabelTable& table, const std::vector<uint8_t>& drop,
                    const Cancellation& cancellation) {
  const size_t dropped = static_cast<size_t>(std::count_if(drop.begin(), drop.end(), [](uint8_t flag) { return flag != 0; }));
  if (dropped == 0) return 0;
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    uint64_t* part = labels + begin;
    for_each_run(part, std::min(PART, count - begin), [&](size_t at, size_t end) {
      if (part[at] != 0 && drop[table.number(part[at])] != 0) std::fill(part + at, part + end, 0);
    });
  }
  return dropped;
}

size_t remove_debris(uint64_t* labels, size_t count, uint64_t minimum_size, const Cancellation& cancellation) {
  if (minimum_size <= 1) return 0;
  LabelTable table(labels, count, cancellation);
  std::vector<uint64_t> sizes;
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    const uint64_t* part = labels + begin;
    for_each_run(part, std::min(PART, count - begin), [&](size_t at, size_t end) {
      if (part[at] == 0) return;
      const uint32_t number = table.number(part[at]);
      if (number == sizes.size()) sizes.push_back(0);
      sizes[number] += end - at;
    });
  }
  std::vector<uint8_t> drop(sizes.size());
  for (size_t number = 0; number < sizes.size(); ++number) drop[number] = sizes[number] < minimum_size;
  return clear_labels(labels, count, table, drop, cancellation);
}

}  // namespace blockwright
