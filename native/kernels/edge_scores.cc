#include "kernels/edge_scores.h"

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>

#include "core/equal_bits.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/id_map.h"
#include "core/label_table.h"

namespace blockwright {

namespace {

// Fragments as numbers 1.. in order of first use, 0 = background: half the memory traffic of the ids, and a pair fits a key.
struct NumberedFragments {
  std::unique_ptr<uint32_t[]> numbers;
  std::vector<uint64_t> ids;    // by number - 1
  std::vector<uint32_t> ranks;  // by number - 1: place of the id in ascending order
};

NumberedFragments number_fragments(const uint64_t* fragments, size_t count, const Cancellation& cancellation) {
  LabelTable table(fragments, count, cancellation);
  NumberedFragments result;
  result.numbers.reset(new uint32_t[count]);
  constexpr size_t PART = size_t{1} << 20;
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    const uint64_t* part = fragments + begin;
    uint32_t* numbers = result.numbers.get() + begin;
    for_each_run(part, std::min(PART, count - begin), [&](size_t at, size_t end) {
      std::fill(numbers + at, numbers + end, part[at] == 0 ? 0 : table.number(part[at]) + 1);
    });
  }
  result.ids = table.ids();
  const std::vector<uint32_t> order = table.ascending();
  result.ranks.resize(order.size());
  for (uint32_t rank = 0; rank < order.size(); ++rank) result.ranks[order[rank]] = rank;
  return result;
}

template <class Value>
struct Accumulator {
  std::conditional_t<std::is_integral_v<Value>, uint64_t, double> sum = 0;
  uint64_t count = 0;
};

// Where a channel's pairs lie: the box cut to the positions whose other end is in the array.
struct ChannelRange {
  int64_t begin[MAX_DIMENSIONS], end[MAX_DIMENSIONS];
  int64_t step = 0;  // from p to p + offset, in elements
  bool empty = false;
};

ChannelRange range_of(const EdgeChannel& channel, const Shape& shape, const Box& box) {
  ChannelRange range;
  const Shape strides = shape.strides();
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    const int64_t offset = channel.offset[axis];
    if (offset >= shape[axis] || offset <= -shape[axis]) {
      range.empty = true;
      return range;
    }
    range.begin[axis] = std::max(box.begin[axis], -offset);
    range.end[axis] = std::min(box.begin[axis] + box.shape[axis], shape[axis] - offset);
    if (range.begin[axis] >= range.end[axis]) range.empty = true;
    range.step += offset * strides[axis];
  }
  return range;
}

}  // namespace

template <class Value>
EdgeScores edge_scores(const uint64_t* fragments, const Value* affinities, const Shape& shape, const Box& box,
                       const std::vector<EdgeChannel>& channels, size_t scores, const Cancellation& cancellation) {
  check_box("box", box, shape);
  EdgeScores result;
  result.sums.resize(scores);
  result.counts.resize(scores);
  const size_t count = shape.count();
  if (box.shape.count() == 0) return result;
  const NumberedFragments numbered = number_fragments(fragments, count, cancellation);
  const int last = shape.dimensions - 1;
  const Shape strides = shape.strides();
  std::vector<ChannelRange> ranges;
  for (const EdgeChannel& channel : channels) ranges.push_back(range_of(channel, shape, box));

  IdMap edges;  // key: smaller number << 32 | larger number
  std::vector<Accumulator<Value>> table;
  Shape position = box.begin;
  size_t rows = 1;
  for (int axis = 0; axis < last; ++axis) rows *= static_cast<size_t>(box.shape[axis]);
  for (size_t row = 0; row < rows; ++row) {
    if (row % 64 == 0) cancellation.check();
    int64_t base = 0;
    for (int axis = 0; axis < last; ++axis) base += position[axis] * strides[axis];
    for (size_t c = 0; c < channels.size(); ++c) {
      const ChannelRange& range = ranges[c];
      bool inside = !range.empty;
      for (int axis = 0; inside && axis < last; ++axis) {
        inside = position[axis] >= range.begin[axis] && position[axis] < range.end[axis];
      }
      if (!inside) continue;
      const uint32_t* own = numbered.numbers.get() + base;
      const uint32_t* other = own + range.step;
      const Value* values = affinities + static_cast<size_t>(channels[c].index) * count + base;
      const int64_t end = range.end[last];
      for (int64_t x = range.begin[last]; x < end;) {
        const uint32_t a = own[x], b = other[x];
        if (a == b || a == 0 || b == 0) {
          ++x;
          continue;
        }
        // A run of one pair is summed before the table is touched.
        Accumulator<Value> run;
        do {
          if constexpr (!std::is_integral_v<Value>) {
            if (values[x] != values[x]) {
              throw Error(ERR_NOT_A_NUMBER, "affinities: NaN in channel " + std::to_string(channels[c].index) +
                                                " at voxel " + std::to_string(base + x) + " (raster index)");
            }
          }
          run.sum += values[x];
          ++run.count;
          ++x;
        } while (x < end && own[x] == a && other[x] == b);
        const uint64_t key = static_cast<uint64_t>(std::min(a, b)) << 32 | std::max(a, b);
        const size_t edge = edges.insert(key);
        if (edge * scores == table.size()) table.resize(table.size() + scores);
        for (const uint32_t score : channels[c].scores) {
          table[edge * scores + score].sum += run.sum;
          table[edge * scores + score].count += run.count;
        }
      }
    }
    for (int axis = last - 1; axis >= 0; --axis) {
      if (++position[axis] < box.begin[axis] + box.shape[axis]) break;
      position[axis] = box.begin[axis];
    }
  }

  // Ascending by (u, v): a counting sort by u, then each u's short list by v.
  struct Entry {
    uint32_t v, edge;
  };
  cancellation.check();
  const size_t fragment_count = numbered.ids.size();
  std::vector<size_t> starts(fragment_count + 1);
  const auto ends_of = [&](uint64_t key) {
    return std::minmax({numbered.ranks[(key >> 32) - 1], numbered.ranks[(key & UINT32_MAX) - 1]});
  };
  std::vector<uint32_t> order_of_rank(fragment_count);
  for (uint32_t number = 0; number < fragment_count; ++number) order_of_rank[numbered.ranks[number]] = number;
  for (const uint64_t key : edges.keys()) {
    const std::pair<uint32_t, uint32_t> ends = ends_of(key);
    ++starts[ends.first + 1];
  }
  for (size_t rank = 0; rank < fragment_count; ++rank) starts[rank + 1] += starts[rank];
  std::vector<Entry> entries(edges.size());
  {
    std::vector<size_t> next(starts.begin(), starts.end() - 1);
    for (uint32_t edge = 0; edge < edges.size(); ++edge) {
      const std::pair<uint32_t, uint32_t> ends = ends_of(edges.keys()[edge]);
      entries[next[ends.first]++] = {ends.second, edge};
    }
  }
  result.u.resize(edges.size());
  result.v.resize(edges.size());
  for (size_t score = 0; score < scores; ++score) {
    result.sums[score].resize(edges.size());
    result.counts[score].resize(edges.size());
  }
  for (size_t rank = 0; rank < fragment_count; ++rank) {
    const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(starts[rank]);
    const auto end = entries.begin() + static_cast<std::ptrdiff_t>(starts[rank + 1]);
    std::sort(begin, end, [](const Entry& a, const Entry& b) { return a.v < b.v; });
    for (size_t at = starts[rank]; at < starts[rank + 1]; ++at) {
      result.u[at] = numbered.ids[order_of_rank[rank]];
      result.v[at] = numbered.ids[order_of_rank[entries[at].v]];
      for (size_t score = 0; score < scores; ++score) {
        const Accumulator<Value>& entry = table[entries[at].edge * scores + score];
        result.sums[score][at] = static_cast<double>(entry.sum);
        result.counts[score][at] = static_cast<double>(entry.count);
      }
    }
  }
  return result;
}

template EdgeScores edge_scores(const uint64_t*, const uint8_t*, const Shape&, const Box&, const std::vector<EdgeChannel>&,
                                size_t, const Cancellation&);
template EdgeScores edge_scores(const uint64_t*, const float*, const Shape&, const Box&, const std::vector<EdgeChannel>&,
                                size_t, const Cancellation&);

}  // namespace blockwright
