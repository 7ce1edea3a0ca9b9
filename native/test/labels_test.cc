// Kernels that read labels: statistics, debris, filter, components, relabel, contingency. Each against a plain version.
#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "kernels/connected_components.h"
#include "kernels/contingency_table.h"
#include "kernels/filter_fragments.h"
#include "kernels/fragment_statistics.h"
#include "kernels/merge_contingency_tables.h"
#include "kernels/relabel.h"
#include "kernels/remove_debris.h"
#include "kernels/table_scores.h"
#include "test/check.h"

using namespace blockwright;

namespace {

const Cancellation NEVER;
constexpr uint64_t HUGE_ID = std::numeric_limits<uint64_t>::max();

// Labels out of a few ids, of which some are next to 2^64, or of the range given.
void fill_labels(const Exact<uint64_t>& labels, Random& random, int kind) {
  const uint64_t ids[] = {0, 1, 2, HUGE_ID, HUGE_ID - 1, uint64_t{1} << 63, 77};
  uint64_t label = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i == 0 || random.below(3) == 0) label = kind == 0 ? ids[random.below(7)] : random.below(5) + (kind == 1 ? 0 : HUGE_ID - 4);
    labels[i] = label;
  }
}

void statistics_of(const Exact<uint64_t>& labels, const Shape& shape) {
  std::map<uint64_t, std::vector<uint64_t>> sums;
  const Shape strides = shape.strides();
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == 0) continue;
    std::vector<uint64_t>& entry = sums[labels[i]];
    entry.resize(static_cast<size_t>(shape.dimensions) + 1);
    ++entry[0];
    for (int axis = 0; axis < shape.dimensions; ++axis) {
      entry[axis + 1] += i / static_cast<size_t>(strides[axis]) % static_cast<size_t>(shape[axis]);
    }
  }
  const FragmentStatistics found = fragment_statistics(labels.data(), shape, NEVER);
  CHECK(found.ids.size() == sums.size());
  size_t at = 0;
  for (const auto& [id, entry] : sums) {
    CHECK(found.ids[at] == id && found.sizes[at] == entry[0]);
    for (int axis = 0; axis < shape.dimensions; ++axis) {
      const double centre = static_cast<double>(entry[axis + 1]) / static_cast<double>(entry[0]);
      CHECK(found.centres[at * shape.dimensions + axis] == centre);
    }
    ++at;
  }
}

void clean(const Exact<uint64_t>& labels, Random& random) {
  std::map<uint64_t, uint64_t> sizes;
  for (size_t i = 0; i < labels.size(); ++i) ++sizes[labels[i]];
  for (const uint64_t limit : {uint64_t{0}, uint64_t{2}, uint64_t{5}, HUGE_ID}) {
    Exact<uint64_t> copy(labels.size());
    std::copy_n(labels.data(), labels.size(), copy.data());
    remove_debris(copy.data(), copy.size(), limit, NEVER);
    for (size_t i = 0; i < labels.size(); ++i) CHECK(copy[i] == (sizes[labels[i]] < limit ? 0 : labels[i]));
  }
  Exact<float> values(2 * labels.size());
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.below(256)) / 256;
  std::map<uint64_t, double> sums;
  for (size_t i = 0; i < labels.size(); ++i) sums[labels[i]] += static_cast<double>(values[i]) + values[labels.size() + i];
  Exact<uint64_t> copy(labels.size());
  std::copy_n(labels.data(), labels.size(), copy.data());
  filter_fragments(copy.data(), copy.size(), values.data(), {1, 0}, 0.5, NEVER);
  for (size_t i = 0; i < labels.size(); ++i) {
    const bool drop = sums[labels[i]] < 0.5 * 2.0 * static_cast<double>(sizes[labels[i]]);
    CHECK(copy[i] == (drop ? 0 : labels[i]));
  }
}

// Components by repeated sweeps: each voxel takes the smallest number among its neighbours of the same label.
std::vector<uint64_t> swept(const Exact<uint64_t>& labels, const Shape& shape, int reach) {
  const Shape strides = shape.strides();
  std::vector<uint64_t> numbers(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) numbers[i] = labels[i] == 0 ? 0 : i + 1;
  size_t steps = 1;
  for (int axis = 0; axis < shape.dimensions; ++axis) steps *= 3;
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < labels.size(); ++i) {
      for (size_t code = 0; code < steps; ++code) {
        int64_t other = 0;
        int changes = 0;
        bool inside = true;
        size_t rest = code;
        for (int axis = 0; axis < shape.dimensions; ++axis, rest /= 3) {
          const int64_t step = static_cast<int64_t>(rest % 3) - 1;
          const int64_t place = static_cast<int64_t>(i) / strides[axis] % shape[axis] + step;
          inside = inside && place >= 0 && place < shape[axis];
          changes += step != 0;
          other += place * strides[axis];
        }
        if (!inside || changes > reach || labels[i] == 0 || labels[other] != labels[i]) continue;
        if (numbers[other] < numbers[i]) {
          numbers[i] = numbers[other];
          changed = true;
        }
      }
    }
  }
  uint64_t count = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (numbers[i] == i + 1) {
      numbers[i] = ++count;  // the first voxel of its component: the others come later
    } else if (numbers[i] != 0) {
      numbers[i] = numbers[numbers[i] - 1];
    }
  }
  return numbers;
}

// Of `labels` cut to the type: its expected components are those of the cut labels.
template <class T>
void components_of(const Exact<uint64_t>& wide, const Shape& shape) {
  Exact<T> labels(wide.size());
  Exact<uint64_t> widened(wide.size());
  for (size_t i = 0; i < wide.size(); ++i) widened[i] = labels[i] = static_cast<T>(wide[i]);
  Box all{shape, shape};
  for (int axis = 0; axis < shape.dimensions; ++axis) all.begin[axis] = 0;
  for (int reach = 1; reach <= shape.dimensions; ++reach) {
    const std::vector<uint64_t> expected = swept(widened, shape, reach);
    for (const size_t threads : {size_t{1}, size_t{2}, size_t{5}}) {
      Exact<uint64_t> output(labels.size());
      connected_components(labels.data(), shape, all, reach, 10, threads, output.data(), NEVER);
      for (size_t i = 0; i < labels.size(); ++i) CHECK(output[i] == (expected[i] == 0 ? 0 : expected[i] + 10));
      Exact<uint32_t> narrow(labels.size());
      connected_components(labels.data(), shape, all, reach, 10, threads, narrow.data(), NEVER);
      for (size_t i = 0; i < labels.size(); ++i) CHECK(narrow[i] == output[i]);
    }
  }
}

void relabelled(const Exact<uint64_t>& labels, Random& random) {
  std::map<uint64_t, uint64_t> map;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (random.below(2) == 0) map.emplace(labels[i], random.next());
  }
  Exact<uint64_t> fragments(map.size()), segments(map.size()), sizes(map.size());
  size_t at = 0;
  for (const auto& [fragment, segment] : map) {
    fragments[at] = fragment;
    segments[at] = segment;
    sizes[at++] = segment % 10;
  }
  const LookupTable table{fragments.data(), segments.data(), sizes.data(), map.size()};
  for (const size_t threads : {size_t{1}, size_t{3}}) {
    for (const Missing missing : {Missing::keep, Missing::background}) {
      Exact<uint64_t> output(labels.size()), in_place(labels.size());
      relabel(labels.data(), output.data(), labels.size(), table, missing, 4, threads, NEVER);
      std::copy_n(labels.data(), labels.size(), in_place.data());
      relabel(in_place.data(), in_place.data(), labels.size(), table, missing, 4, threads, NEVER);
      for (size_t i = 0; i < labels.size(); ++i) {
        const auto found = map.find(labels[i]);
        const uint64_t without = missing == Missing::keep ? labels[i] : 0;
        CHECK(output[i] == (found == map.end() ? without : found->second % 10 < 4 ? 0 : found->second));
        CHECK(in_place[i] == output[i]);
      }
    }
  }
}

TableColumns columns_of(ContingencyTable& table) {
  const size_t rows = table.a.size();
  return {{table.a.data(), rows}, {table.b.data(), rows}, {table.counts.data(), rows}, {table.places.data(), rows}, {table.runs.data(), rows}};
}

// Enough labels for whole pages of ids to be looked up: near ids, ids at both ends, ids on a page each, and a page after
// many others.
void relabelled_by_pages(Random& random) {
  for (const uint64_t kinds : {uint64_t{1}, uint64_t{2}, uint64_t{3}}) {
    Exact<uint64_t> labels(200'000);
    for (size_t i = 0; i < labels.size(); ++i) {
      const uint64_t near = (random.below(5) << 21) + random.below(3000), ends = HUGE_ID - random.below(1500);
      const uint64_t far = random.next() & ~uint64_t{1023};
      const uint64_t ids[] = {near, random.below(20) == 0 ? ends : 0, random.below(9) == 0 ? far : near};
      labels[i] = ids[random.below(kinds)];
    }
    relabelled(labels, random);
  }
}

void counted(const Exact<uint64_t>& a, const Exact<uint64_t>& b, const Exact<uint8_t>& mask) {
  std::map<std::pair<uint64_t, uint64_t>, double> counts;
  for (size_t i = 0; i < a.size(); ++i) {
    if (mask[i] != 0) ++counts[{a[i], b[i]}];
  }
  const ContingencyTable found = contingency_table(a.data(), b.data(), mask.data(), a.size(), NEVER);
  CHECK(found.counts.size() == counts.size());
  size_t at = 0;
  for (const auto& [pair, count] : counts) {
    CHECK(found.a[at] == pair.first && found.b[at] == pair.second && found.counts[at] == count);
    const size_t place = static_cast<size_t>(found.places[at]);
    CHECK(a[place] == pair.first && b[place] == pair.second && mask[place] != 0);
    ++at;
  }

  // Two halves together are the whole.
  const size_t half = a.size() / 2;
  ContingencyTable first = contingency_table(a.data(), b.data(), mask.data(), half, NEVER);
  ContingencyTable second = contingency_table(a.data() + half, b.data() + half, mask.data() + half, a.size() - half, NEVER);
  const size_t room = first.a.size() + second.a.size();
  ContingencyTable merged;
  merged.a.resize(room);
  merged.b.resize(room);
  merged.counts.resize(room);
  merged.places.resize(room);
  merged.runs.resize(room);
  const size_t rows = merge_contingency_tables(columns_of(first), columns_of(second), columns_of(merged), NEVER);
  CHECK(rows == found.a.size());
  for (size_t row = 0; row < rows; ++row) {
    CHECK(merged.a[row] == found.a[row] && merged.b[row] == found.b[row] && merged.counts[row] == found.counts[row]);
  }

  // Sums over labels, with and without background of b.
  for (const bool ignore : {false, true}) {
    std::map<uint64_t, double> of_a, of_b;
    double voxels = 0;
    for (const auto& [pair, count] : counts) {
      if (ignore && pair.second == 0) continue;
      voxels += count;
      of_a[pair.first] += count;
      of_b[pair.second] += count;
    }
    TableColumns columns = columns_of(merged);
    const TableScores scores = table_scores({columns.a.data, rows}, {columns.b.data, rows}, {columns.counts.data, rows}, {ignore, 2, 1}, NEVER);
    CHECK(scores.voxels == voxels && scores.a_labels == of_a.size() && scores.b_labels == of_b.size());
    CHECK(scores.merges.size() <= 2 && scores.splits.size() <= 2);
    for (const ErrorOfLabel& error : scores.merges) {
      CHECK(error.voxels == of_a[error.id] && error.partners > 1 && error.rows.size() == 1 && found.a[error.rows[0]] == error.id);
    }
    for (const ErrorOfLabel& error : scores.splits) {
      CHECK(error.voxels == of_b[error.id] && error.partners > 1 && error.rows.size() == 1 && found.b[error.rows[0]] == error.id);
    }
  }
}

}  // namespace

int main() {
  Random random(1);
  for (const Shape& shape : hostile_shapes()) {
    for (int kind = 0; kind < 3; ++kind) {
      Exact<uint64_t> labels(shape.count()), others(shape.count());
      fill_labels(labels, random, kind);
      fill_labels(others, random, 1);
      statistics_of(labels, shape);
      clean(labels, random);
      components_of<uint8_t>(labels, shape);
      components_of<uint16_t>(labels, shape);
      components_of<uint32_t>(labels, shape);
      components_of<uint64_t>(labels, shape);
      relabelled(labels, random);
      Exact<uint8_t> mask(shape.count());
      for (size_t i = 0; i < mask.size(); ++i) mask[i] = random.below(4) != 0;
      counted(labels, others, mask);
    }
  }

  relabelled_by_pages(random);

  // Refusals.
  CHECK_ERROR(ERR_LIMIT, Shape({int64_t{1} << 40, int64_t{1} << 40}).count());
  CHECK_ERROR(ERR_ARGUMENT, Shape({-1, 2}).count());
  const Shape two({2});
  Exact<uint64_t> labels(2), output(2);
  labels[0] = labels[1] = 5;
  const Box all{Shape({0}), two};
  CHECK_ERROR(ERR_ARGUMENT, connected_components(labels.data(), two, {Shape({1}), two}, 1, 0, 1, output.data(), NEVER));
  CHECK_ERROR(ERR_ARGUMENT, connected_components(labels.data(), two, {Shape({0, 0}), Shape({1, 1})}, 1, 0, 1, output.data(), NEVER));
  CHECK_ERROR(ERR_ARGUMENT, check_box("box", {Shape({INT64_MAX}), Shape({INT64_MAX})}, two));
  CHECK_ERROR(ERR_LIMIT, connected_components(labels.data(), two, all, 1, HUGE_ID, 1, output.data(), NEVER));
  CHECK(connected_components(labels.data(), two, all, 1, HUGE_ID - 1, 1, output.data(), NEVER) == 1 && output[1] == HUGE_ID);
  Exact<uint32_t> narrow(2);
  CHECK_ERROR(ERR_LIMIT, connected_components(labels.data(), two, all, 1, UINT32_MAX, 1, narrow.data(), NEVER));
  CHECK_ERROR(ERR_LIMIT, connected_components(labels.data(), two, all, 1, uint64_t{1} << 32, 1, narrow.data(), NEVER));
  CHECK(connected_components(labels.data(), two, all, 1, UINT32_MAX - 1, 1, narrow.data(), NEVER) == 1);
  CHECK(narrow[0] == UINT32_MAX && narrow[1] == UINT32_MAX);
  const LookupTable none;
  CHECK_ERROR(ERR_ARGUMENT, relabel(labels.data(), output.data(), 2, none, Missing::error, 0, 1, NEVER));
  const uint64_t descending[] = {4, 3};
  CHECK_ERROR(ERR_ARGUMENT, relabel(labels.data(), output.data(), 2, {descending, descending, nullptr, 2}, Missing::keep, 0, 1, NEVER));
  const float nan[] = {0, std::numeric_limits<float>::quiet_NaN()};
  CHECK_ERROR(ERR_NOT_A_NUMBER, filter_fragments(labels.data(), 2, nan, {0}, 0.5, NEVER));
  const uint8_t raised = 1;
  const Cancellation cancelled(&raised);
  CHECK_ERROR(ERR_CANCELLED, fragment_statistics(labels.data(), two, cancelled));
  CHECK_ERROR(ERR_CANCELLED, remove_debris(labels.data(), 2, 2, cancelled));
  CHECK_ERROR(ERR_CANCELLED, connected_components(labels.data(), two, all, 1, 0, 2, output.data(), cancelled));
  CHECK_ERROR(ERR_CANCELLED, relabel(labels.data(), output.data(), 2, none, Missing::keep, 0, 1, cancelled));
  CHECK_ERROR(ERR_CANCELLED, contingency_table(labels.data(), labels.data(), nullptr, 2, cancelled));
  return 0;
}
