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
  constexpr size_t PART = size_t{1} << 18;
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    const uint64_t* part = fragments + begin;
    uint32_t* numbers = result.numbers.get() + begin;
    for_each_run(part, std::min(PART, count - begin), [&](size_t at, size_t end) {
      std::fill(numbers + at, numbers + end, part[at] == 0 ? 0 : table.number(part[at]) + 1);
    });
  }
  result.ids = table.ids();
  const std::vector<uint32_t> order = table.ascending(cancellation);
  result.ranks.resize(order.size());
  for (uint32_t rank = 0; rank < order.size(); ++rank) result.ranks[order[rank]] = rank;
  return result;
}

template <class Value>
struct Accumulator {
  std::conditional_t<std::is_integral_v<Value>, uint64_t, double> sum = 0;
  uint64_t count = 0;
};

// The edges met so far, and runs of voxel pairs that wait to be added. Waiting lets the memory of a table as large as the
// edges of a block be fetched ahead.
template <class Value>
class EdgeTable {
 public:
  using Sums = Accumulator<Value>;

  EdgeTable(const std::vector<EdgeChannel>& channels, size_t scores, const Cancellation& cancellation)
      : channels_(channels), scores_(scores), edges_(cancellation) {
    waiting_.reserve(BATCH);
  }

  // numbers: of two fragments, different, above 0. channel: index in the list of channels.
  void add(uint32_t a, uint32_t b, size_t channel, const Sums& sums) {
    const uint64_t key = static_cast<uint64_t>(std::min(a, b)) << 32 | std::max(a, b);
    edges_.prefetch(key);
    waiting_.push_back({key, sums, static_cast<uint32_t>(channel), 0});
    if (waiting_.size() == BATCH) flush();
  }

  // Adds what waits, in the order in which it came.
  void flush() {
    for (Waiting& run : waiting_) {
      run.edge = edges_.insert(run.key);
      if (run.edge * scores_ == table_.size()) table_.resize(table_.size() + scores_);
      __builtin_prefetch(&table_[run.edge * scores_]);
    }
    for (const Waiting& run : waiting_) {
      for (const uint32_t score : channels_[run.channel].scores) {
        Sums& entry = table_[run.edge * scores_ + score];
        entry.sum += run.sums.sum;
        entry.count += run.sums.count;
      }
    }
    waiting_.clear();
  }

  // Smaller number << 32 | larger number.
  const std::vector<uint64_t>& keys() const { return edges_.keys(); }
  const Sums& sums(size_t edge, size_t score) const { return table_[edge * scores_ + score]; }

 private:
  static constexpr size_t BATCH = 512;
  struct Waiting {
    uint64_t key;
    Sums sums;
    uint32_t channel;
    size_t edge;
  };

  const std::vector<EdgeChannel>& channels_;
  const size_t scores_;
  IdMap edges_;
  std::vector<Sums> table_;
  std::vector<Waiting> waiting_;
};

// Where a channel's pairs lie: the box cut to the positions whose other end is in the array.
struct ChannelRange {
  int64_t begin[MAX_DIMENSIONS], end[MAX_DIMENSIONS];
  int64_t step = 0;  // from p to p + offset, in elements
  bool empty = false;

  ChannelRange(const EdgeChannel& channel, const Shape& shape, const Box& box) {
    const Shape strides = shape.strides();
    for (int axis = 0; axis < shape.dimensions; ++axis) {
      const int64_t offset = channel.offset[axis];
      if (offset >= shape[axis] || offset <= -shape[axis]) {
        empty = true;
        return;
      }
      begin[axis] = std::max(box.begin[axis], -offset);
      end[axis] = std::min(box.begin[axis] + box.shape[axis], shape[axis] - offset);
      empty = empty || begin[axis] >= end[axis];
      step += offset * strides[axis];
    }
  }

  bool has_row(const Shape& position, int rows) const {
    for (int axis = 0; axis < rows; ++axis) {
      if (position[axis] < begin[axis] || position[axis] >= end[axis]) return false;
    }
    return !empty;
  }
};

// Whether the next STEP pairs are each within one fragment.
constexpr int64_t STEP = 16;
inline bool all_equal(const uint32_t* own, const uint32_t* other) {
  uint32_t different = 0;
  for (int64_t i = 0; i < STEP; ++i) different |= own[i] ^ other[i];
  return different == 0;
}

// The pairs of one channel along one row, from x = begin to end. Runs of one pair are summed before the table is touched.
template <class Value>
void scan_row(const uint32_t* own, const uint32_t* other, const Value* values, int64_t begin, int64_t end, size_t channel,
              EdgeTable<Value>& table) {
  for (int64_t x = begin; x < end;) {
    const uint32_t a = own[x], b = other[x];
    if (a == b || a == 0 || b == 0) {
      ++x;
      while (x + STEP <= end && all_equal(own + x, other + x)) x += STEP;
      while (x < end && own[x] == other[x]) ++x;
      continue;
    }
    Accumulator<Value> run;
    do {
      run.sum += values[x];
      ++run.count;
      ++x;
    } while (x < end && own[x] == a && other[x] == b);
    table.add(a, b, channel, run);
  }
}

// Names the first NaN of the array among the channels; called when a sum turned out to be none.
[[noreturn]] void fail_at_nan(const float* affinities, size_t count, const std::vector<EdgeChannel>& channels) {
  for (const EdgeChannel& channel : channels) {
    const float* values = affinities + static_cast<size_t>(channel.index) * count;
    for (size_t voxel = 0; voxel < count; ++voxel) {
      if (values[voxel] == values[voxel]) continue;
      throw Error(ERR_NOT_A_NUMBER, "affinities: NaN in channel " + std::to_string(channel.index) + " at voxel " +
                                        std::to_string(voxel) + " (raster index)");
    }
  }
  throw Error(ERR_NOT_A_NUMBER, "affinities: a sum of infinities is not a number");
}

// Edges in ascending order of (u, v): a counting sort by u, then each u's short list by v.
template <class Value>
EdgeScores sorted_edges(const NumberedFragments& fragments, const EdgeTable<Value>& table, size_t scores,
                        const Cancellation& cancellation) {
  constexpr size_t UNLOOKED = size_t{1} << 18;  // edges between two looks at the cancellation
  struct Entry {
    uint32_t v, edge;
  };
  const std::vector<uint64_t>& keys = table.keys();
  const size_t fragment_count = fragments.ids.size();
  const auto ends_of = [&](uint64_t key) {
    return std::minmax({fragments.ranks[(key >> 32) - 1], fragments.ranks[(key & UINT32_MAX) - 1]});
  };
  std::vector<uint64_t> ascending(fragment_count);
  for (size_t number = 0; number < fragment_count; ++number) ascending[fragments.ranks[number]] = fragments.ids[number];
  std::vector<size_t> starts(fragment_count + 1);
  for (size_t edge = 0; edge < keys.size(); ++edge) {
    if (edge % UNLOOKED == 0) cancellation.check();
    ++starts[ends_of(keys[edge]).first + 1];
  }
  for (size_t rank = 0; rank < fragment_count; ++rank) starts[rank + 1] += starts[rank];
  std::vector<Entry> entries(keys.size());
  std::vector<size_t> next(starts.begin(), starts.end() - 1);
  for (uint32_t edge = 0; edge < keys.size(); ++edge) {
    if (edge % UNLOOKED == 0) cancellation.check();
    const std::pair<uint32_t, uint32_t> ends = ends_of(keys[edge]);
    entries[next[ends.first]++] = {ends.second, edge};
  }
  EdgeScores result;
  result.u.resize(keys.size());
  result.v.resize(keys.size());
  result.sums.assign(scores, std::vector<double>(keys.size()));
  result.counts.assign(scores, std::vector<double>(keys.size()));
  for (size_t rank = 0; rank < fragment_count; ++rank) {
    const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(starts[rank]);
    const auto end = entries.begin() + static_cast<std::ptrdiff_t>(starts[rank + 1]);
    std::sort(begin, end, [](const Entry& a, const Entry& b) { return a.v < b.v; });
    for (size_t at = starts[rank]; at < starts[rank + 1]; ++at) {
      if (at % UNLOOKED == 0) cancellation.check();
      result.u[at] = ascending[rank];
      result.v[at] = ascending[entries[at].v];
      for (size_t score = 0; score < scores; ++score) {
        result.sums[score][at] = static_cast<double>(table.sums(entries[at].edge, score).sum);
        result.counts[score][at] = static_cast<double>(table.sums(entries[at].edge, score).count);
      }
    }
  }
  return result;
}

}  // namespace

template <class Value>
EdgeScores edge_scores(const uint64_t* fragments, const Value* affinities, const Shape& shape, const Box& box,
                       const std::vector<EdgeChannel>& channels, size_t scores, const Cancellation& cancellation) {
  check_box("box", box, shape);
  const size_t count = shape.count();
  EdgeTable<Value> table(channels, scores, cancellation);
  if (box.shape.count() == 0) return sorted_edges(NumberedFragments(), table, scores, cancellation);
  const NumberedFragments numbered = number_fragments(fragments, count, cancellation);
  const int last = shape.dimensions - 1;
  const Shape strides = shape.strides();
  std::vector<ChannelRange> ranges;
  for (const EdgeChannel& channel : channels) ranges.emplace_back(channel, shape, box);
  size_t rows = 1;
  for (int axis = 0; axis < last; ++axis) rows *= static_cast<size_t>(box.shape[axis]);
  Shape position = box.begin;
  for (size_t row = 0; row < rows; ++row) {
    int64_t base = 0;
    for (int axis = 0; axis < last; ++axis) base += position[axis] * strides[axis];
    for (size_t channel = 0; channel < channels.size(); ++channel) {
      cancellation.check();
      const ChannelRange& range = ranges[channel];
      if (!range.has_row(position, last)) continue;
      const uint32_t* own = numbered.numbers.get() + base;
      const Value* values = affinities + static_cast<size_t>(channels[channel].index) * count + base;
      scan_row(own, own + range.step, values, range.begin[last], range.end[last], channel, table);
    }
    for (int axis = last - 1; axis >= 0; --axis) {
      if (++position[axis] < box.begin[axis] + box.shape[axis]) break;
      position[axis] = box.begin[axis];
    }
  }
  table.flush();
  cancellation.check();
  if constexpr (!std::is_integral_v<Value>) {
    for (size_t entry = 0; entry < table.keys().size() * scores; ++entry) {
      const double sum = table.sums(entry / scores, entry % scores).sum;
      if (sum != sum) fail_at_nan(affinities, count, channels);
    }
  }
  return sorted_edges(numbered, table, scores, cancellation);
}

template EdgeScores edge_scores(const uint64_t*, const uint8_t*, const Shape&, const Box&, const std::vector<EdgeChannel>&,
                                size_t, const Cancellation&);
template EdgeScores edge_scores(const uint64_t*, const float*, const Shape&, const Box&, const std::vector<EdgeChannel>&,
                                size_t, const Cancellation&);

}  // namespace blockwright
