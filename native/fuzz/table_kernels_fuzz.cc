// The kernels that read tables of ids, on any ids and columns, beside plain versions. Promises: the same rows, or the error that the
// header names.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "core/error_codes.h"
#include "fuzz/kernel_case.h"
#include "kernels/block_components.h"
#include "kernels/join_components.h"
#include "kernels/merge_contingency_tables.h"
#include "kernels/segment_sizes.h"
#include "kernels/table_scores.h"

namespace blockwright {

namespace {

const Cancellation NEVER;

template <class T>
Span<T> span_of(std::vector<T>& values) {
  return {values.data(), values.size()};
}

// Ascending, unique; `wrong`: perhaps not.
std::vector<uint64_t> some_ids(KernelCase& chosen, uint64_t most, bool& wrong) {
  std::vector<uint64_t> ids;
  const uint64_t base = chosen.id();
  for (uint64_t i = chosen.below(most); i > 0; --i) ids.push_back(chosen.yes_one_of(4) ? chosen.id() : base + chosen.content().below(500));
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  wrong = ids.size() > 1 && chosen.yes_one_of(8);
  if (wrong) ids[chosen.below(ids.size() - 1)] = ids.back();
  return ids;
}

void sizes_of_segments(KernelCase& chosen) {
  bool wrong = false;
  std::vector<uint64_t> ids = some_ids(chosen, 80, wrong), segments(ids.size()), node_sizes(ids.size());
  Random& random = chosen.content();
  for (size_t i = 0; i < ids.size(); ++i) {
    // the id of one of the nodes of the segment, as it should be, or now and then of another
    segments[i] = ids[random.below(2) == 0 || i == 0 ? i : random.below(i)];
    node_sizes[i] = random.next() >> random.below(64);
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto found = std::find(ids.begin(), ids.end(), segments[i]);
    if (!chosen.yes_one_of(20)) segments[i] = segments[static_cast<size_t>(found - ids.begin())];
  }
  bool stranger = false;
  if (!ids.empty() && chosen.yes_one_of(10)) segments[chosen.below(ids.size())] = chosen.id();
  std::map<uint64_t, uint64_t> expected;
  for (size_t i = 0; i < ids.size(); ++i) {
    expected[segments[i]] += node_sizes[i];
    const auto found = std::find(ids.begin(), ids.end(), segments[i]);
    stranger = stranger || found == ids.end() || segments[static_cast<size_t>(found - ids.begin())] != segments[i];
  }
  Exact<uint64_t> sizes(ids.size());
  const std::string code =
      code_of([&] { segment_sizes(span_of(ids), span_of(segments), span_of(node_sizes), sizes.data(), NEVER); });
  promise(code == (wrong || stranger ? ERR_ARGUMENT : ""), "ended with " + code);
  for (size_t i = 0; code.empty() && i < ids.size(); ++i) promise(sizes[i] == expected[segments[i]], "another size");
}

void joined(KernelCase& chosen) {
  bool wrong = false;
  std::vector<uint64_t> names = some_ids(chosen, 120, wrong), sizes(names.size());
  for (uint64_t& size : sizes) size = chosen.content().below(4);
  std::vector<std::vector<uint64_t>> columns(2 * chosen.below(4));
  std::vector<PairRun> runs;
  for (size_t run = 0; run + 1 < columns.size(); run += 2) {
    for (uint64_t i = chosen.below(60); i > 0; --i) {
      for (size_t end = 0; end < 2; ++end) {
        const bool known = !names.empty() && chosen.content().below(8) != 0;
        columns[run + end].push_back(known ? names[chosen.content().below(names.size())] : chosen.content().next());
      }
    }
    runs.push_back({span_of(columns[run]), span_of(columns[run + 1])});
  }
  const uint64_t minimum_size = chosen.below(5);
  std::map<uint64_t, uint64_t> owner;
  for (const uint64_t name : names) owner[name] = name;
  for (const PairRun& run : runs) {
    for (size_t i = 0; i < run.u.size; ++i) {
      if (owner.count(run.u[i]) == 0 || owner.count(run.v[i]) == 0) continue;
      const uint64_t a = owner[run.u[i]], b = owner[run.v[i]];
      for (auto& entry : owner) {
        if (entry.second == b) entry.second = a;
      }
    }
  }
  std::map<uint64_t, uint64_t> total, number;
  for (size_t i = 0; i < names.size(); ++i) total[owner[names[i]]] += sizes[i];
  uint64_t components = 0;
  for (const uint64_t name : names) {
    const uint64_t voxels = total[owner[name]];
    if (voxels > 0 && number.count(owner[name]) == 0) number[owner[name]] = voxels < minimum_size ? 0 : ++components;
  }
  Exact<uint64_t> fragments(names.size()), segments(names.size()), voxels(names.size());
  JoinedCount found;
  const std::string code = code_of([&] {
    found = join_components(span_of(names), span_of(sizes), runs, minimum_size, {fragments.data(), segments.data(), voxels.data()}, NEVER);
  });
  promise(code == (wrong ? ERR_ARGUMENT : ""), "ended with " + code);
  if (wrong) return;
  size_t row = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    if (sizes[i] == 0) continue;
    promise(row < found.rows && fragments[row] == names[i], "another name");
    promise(segments[row] == number[owner[names[i]]] && voxels[row] == total[owner[names[i]]], "another component");
    ++row;
  }
  promise(row == found.rows && components == found.components, "another number of components");
}

struct Table {
  std::vector<uint64_t> a, b;
  std::vector<double> counts, places;
  std::vector<uint32_t> runs;

  TableColumns columns() { return {span_of(a), span_of(b), span_of(counts), span_of(places), span_of(runs)}; }
};

Table some_table(KernelCase& chosen) {
  std::map<std::pair<uint64_t, uint64_t>, double> rows;
  std::array<uint64_t, 6> ids{};
  for (uint64_t& id : ids) id = chosen.id();
  Random& random = chosen.content();
  for (uint64_t i = chosen.below(60); i > 0; --i) {
    const auto id = [&] { return random.below(2) == 0 ? ids[random.below(6)] : random.below(6); };
    const uint64_t a = id();
    rows[{a, id()}] = static_cast<double>(1 + random.below(9));
  }
  Table table;
  for (const auto& [pair, count] : rows) {
    table.a.push_back(pair.first);
    table.b.push_back(pair.second);
    table.counts.push_back(count);
    table.places.push_back(static_cast<double>(random.below(100)));
    table.runs.push_back(static_cast<uint32_t>(1 + random.below(3)));
  }
  return table;
}

void merged_tables(KernelCase& chosen) {
  Table x = some_table(chosen), y = some_table(chosen);
  struct Row {
    double count = 0, place = 0;
    uint32_t run = 0;
  };
  std::map<std::pair<uint64_t, uint64_t>, Row> expected;
  for (const Table* table : {&x, &y}) {
    for (size_t i = 0; i < table->a.size(); ++i) {
      Row& row = expected[{table->a[i], table->b[i]}];
      row.count += table->counts[i];
      if (table->runs[i] > row.run || (table->runs[i] == row.run && table->places[i] < row.place)) {
        row.run = table->runs[i];
        row.place = table->places[i];
      }
    }
  }
  const size_t total = x.a.size() + y.a.size();
  Table merged{std::vector<uint64_t>(total), std::vector<uint64_t>(total), std::vector<double>(total), std::vector<double>(total),
               std::vector<uint32_t>(total)};
  promise(merge_contingency_tables(x.columns(), y.columns(), merged.columns(), NEVER) == expected.size(), "another number of rows");
  size_t at = 0;
  for (const auto& [pair, row] : expected) {
    promise(merged.a[at] == pair.first && merged.b[at] == pair.second && merged.counts[at] == row.count, "another row");
    promise(merged.places[at] == row.place && merged.runs[at] == row.run, "another place");
    ++at;
  }
}

void scores(KernelCase& chosen) {
  Table table = some_table(chosen);
  TableScoreOptions options;
  options.ignore_b_background = chosen.yes_one_of(2);
  options.labels = chosen.below(4);
  options.partners = chosen.below(4);
  const double wrong[] = {0, -1, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()};
  const bool refused = !table.a.empty() && chosen.yes_one_of(6);
  if (refused) table.counts[chosen.below(table.a.size())] = wrong[chosen.below(4)];
  TableScores found;
  const std::string code =
      code_of([&] { found = table_scores(span_of(table.a), span_of(table.b), span_of(table.counts), options, NEVER); });
  promise(code == (refused ? ERR_ARGUMENT : ""), "ended with " + code);
  if (refused) return;
  std::map<uint64_t, double> of_a, of_b;
  double voxels = 0, joint = 0, split = 0, merge = 0, a_squares = 0, b_squares = 0;
  const auto counts = [&](size_t i) { return !options.ignore_b_background || table.b[i] != 0; };
  for (size_t i = 0; i < table.a.size(); ++i) {
    if (!counts(i)) continue;
    of_a[table.a[i]] += table.counts[i];
    of_b[table.b[i]] += table.counts[i];
    voxels += table.counts[i];
    joint += table.counts[i] * table.counts[i];
  }
  for (size_t i = 0; i < table.a.size(); ++i) {
    if (!counts(i)) continue;
    split += table.counts[i] / voxels * std::log2(of_b[table.b[i]] / table.counts[i]);
    merge += table.counts[i] / voxels * std::log2(of_a[table.a[i]] / table.counts[i]);
  }
  for (const auto& entry : of_a) a_squares += entry.second * entry.second;
  for (const auto& entry : of_b) b_squares += entry.second * entry.second;
  const auto near = [](double x, double y) { return std::fabs(x - y) <= 1e-9 * std::max(1.0, std::fabs(y)); };
  promise(found.voxels == voxels && found.a_labels == of_a.size() && found.b_labels == of_b.size(), "other numbers of labels");
  promise(near(found.voi_split, split) && near(found.voi_merge, merge), "another VOI");
  promise(found.joint_squares == joint && found.a_squares == a_squares && found.b_squares == b_squares, "other squares");
  promise(found.merges.size() <= options.labels && found.splits.size() <= options.labels, "more labels than wanted");
}

// A block that is the volume; several are compared with it in native/test/block_components_test.cc.
template <class T>
void one_block(KernelCase& chosen) {
  const Shape shape = chosen.shape(2000);
  const size_t count = shape.count();
  Exact<uint64_t> wide(count);
  chosen.fill_labels(wide.data(), shape);
  Exact<T> labels(count);
  const bool binary = chosen.yes_one_of(2);
  std::vector<uint64_t> plain(count), expected;
  for (size_t i = 0; i < count; ++i) {
    labels[i] = static_cast<T>(wide[i]);
    plain[i] = binary ? labels[i] != 0 : labels[i];
  }
  const int reach = 1 + static_cast<int>(chosen.below(static_cast<uint64_t>(shape.dimensions)));
  const uint64_t number = flood_fill(plain, shape, reach, expected);
  std::vector<uint64_t> names(number + 1);
  for (size_t i = count; i-- > 0;) names[expected[i]] = expected[i] == 0 ? 0 : i + 1;
  Shape zero = shape;
  for (int axis = 0; axis < shape.dimensions; ++axis) zero[axis] = 0;
  for (const size_t threads : {size_t{1}, size_t{3}}) {
    Exact<uint64_t> output(count);
    const BlockComponents found = block_components(labels.data(), shape, {zero, zero, shape}, reach, binary, threads, output.data(), NEVER);
    promise(found.count == number, "another number of components, shape " + text_of(shape));
    for (size_t i = 0; i < count; ++i) promise(output[i] == names[expected[i]], "another name, shape " + text_of(shape));
  }
}

}  // namespace

}  // namespace blockwright

int main(int argc, char** argv) {
  using namespace blockwright;
  KernelTarget target({{"segment_sizes", sizes_of_segments},
                       {"join_components", joined},
                       {"merge_contingency_tables", merged_tables},
                       {"table_scores", scores},
                       {"block_components", one_block<uint8_t>},
                       {"block_components", one_block<uint64_t>}});
  return fuzz_main(argc, argv, target);
}
