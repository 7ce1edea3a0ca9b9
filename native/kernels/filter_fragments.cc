#include "kernels/filter_fragments.h"

#include <algorithm>
#include <string>
#include <type_traits>

#include "core/equal_bits.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/label_table.h"
#include "kernels/remove_debris.h"

namespace blockwright {

template <class Value>
size_t filter_fragments(uint64_t* labels, size_t count, const Value* affinities, const std::vector<int64_t>& channels,
                        double threshold, const Cancellation& cancellation) {
  using Sum = std::conditional_t<std::is_integral_v<Value>, uint64_t, double>;
  struct Entry {
    Sum sum = 0;
    uint64_t size = 0;
  };
  constexpr size_t PART = size_t{1} << 18;
  LabelTable table(labels, count, cancellation);
  std::vector<Entry> entries;
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    const uint64_t* part = labels + begin;
    for_each_run(part, std::min(PART, count - begin), [&](size_t at, size_t end) {
      if (part[at] == 0) return;
      const uint32_t number = table.number(part[at]);
      if (number == entries.size()) entries.emplace_back();
      Entry& entry = entries[number];
      entry.size += end - at;
      for (const int64_t channel : channels) {
        const Value* values = affinities + static_cast<size_t>(channel) * count + begin;
        for (size_t voxel = at; voxel < end; ++voxel) {
          if constexpr (!std::is_integral_v<Value>) {
            if (values[voxel] != values[voxel]) {
              throw Error(ERR_NOT_A_NUMBER, "affinities: NaN in channel " + std::to_string(channel) + " at voxel " +
                                                std::to_string(begin + voxel) + " (raster index)");
            }
          }
          entry.sum += static_cast<Sum>(values[voxel]);
        }
      }
    });
  }
  const double scale = (std::is_integral_v<Value> ? 255.0 : 1.0) * static_cast<double>(channels.size());
  std::vector<uint8_t> drop(entries.size());
  for (size_t number = 0; number < entries.size(); ++number) {
    const Entry& entry = entries[number];
    drop[number] = static_cast<double>(entry.sum) < threshold * scale * static_cast<double>(entry.size);
  }
  return clear_labels(labels, count, table, drop, cancellation);
}

template size_t filter_fragments(uint64_t*, size_t, const uint8_t*, const std::vector<int64_t>&, double, const Cancellation&);
template size_t filter_fragments(uint64_t*, size_t, const float*, const std::vector<int64_t>&, double, const Cancellation&);

}  // namespace blockwright
