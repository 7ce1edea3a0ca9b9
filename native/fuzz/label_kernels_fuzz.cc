// The kernels that read labels, on any shape, box and id, beside plain versions. Promises: the same result, for any number of threads
// and in place too, or the error that the header names; nothing outside the arrays is touched.
#include <algorithm>
#include <map>
#include <optional>

#include "core/error_codes.h"
#include "fuzz/kernel_case.h"
#include "kernels/connected_components.h"
#include "kernels/contingency_table.h"
#include "kernels/filter_fragments.h"
#include "kernels/fragment_statistics.h"
#include "kernels/relabel.h"
#include "kernels/remove_debris.h"

namespace blockwright {

namespace {

const Cancellation NEVER;
constexpr size_t THREADS[] = {1, 3};

bool equal(const Exact<uint64_t>& found, const std::vector<uint64_t>& expected) {
  return std::equal(expected.begin(), expected.end(), found.data(), found.data() + found.size());
}

void components(KernelCase& chosen) {
  const Shape shape = chosen.shape(4000);
  const Box box = chosen.box(shape);
  const size_t count = shape.count();
  Exact<uint64_t> labels(count);
  chosen.fill_labels(labels.data(), shape);
  const int reach = 1 + static_cast<int>(chosen.below(static_cast<uint64_t>(shape.dimensions)));
  std::vector<uint64_t> inside(box.shape.count()), expected;
  const Shape strides = shape.strides();
  for (size_t voxel = 0; voxel < inside.size(); ++voxel) {
    const Shape position = position_of(voxel, box.shape);
    int64_t at = 0;
    for (int axis = 0; axis < shape.dimensions; ++axis) at += (box.begin[axis] + position[axis]) * strides[axis];
    inside[voxel] = labels[static_cast<size_t>(at)];
  }
  const uint64_t number = flood_fill(inside, box.shape, reach, expected);
  // Also offsets with just enough room, or one id too little.
  const uint64_t offset = chosen.yes_one_of(4) ? UINT64_MAX - number + chosen.below(2) : chosen.id();
  const bool fits = number <= UINT64_MAX - offset;
  for (uint64_t& component : expected) component += component == 0 ? 0 : offset;
  for (const size_t threads : THREADS) {
    Exact<uint64_t> output(inside.size());
    uint64_t found = 0;
    const std::string code = code_of(
        [&] { found = connected_components(labels.data(), shape, box, reach, offset, threads, output.data(), NEVER); });
    const std::string what = "shape " + text_of(shape) + ", box " + text_of(box.shape) + ", reach " + std::to_string(reach) + ": ";
    promise(code == (fits ? "" : ERR_LIMIT), what + "ended with " + code);
    promise(!fits || (found == number && equal(output, expected)), what + "other components");
  }
}

void relabelled(KernelCase& chosen) {
  const Shape shape = chosen.shape(5000);
  const size_t count = shape.count();
  Exact<uint64_t> labels(count);
  chosen.fill_labels(labels.data(), shape);
  std::map<uint64_t, std::pair<uint64_t, uint64_t>> entries;  // segment and size
  const auto enter = [&](uint64_t fragment) { entries[fragment] = {chosen.id(), chosen.content().below(4)}; };
  const uint64_t others = chosen.below(12);
  for (uint64_t i = 0; i < others; ++i) enter(chosen.id());
  for (size_t i = chosen.below(3) * count; i < count; i += 1 + chosen.below(7)) {
    entries[labels[i]] = {chosen.content().next() >> chosen.content().below(64), chosen.content().below(4)};
  }
  if (chosen.yes_one_of(8)) entries.clear();
  Exact<uint64_t> fragments(entries.size()), segments(entries.size()), sizes(entries.size());
  size_t at = 0;
  for (const auto& [fragment, outcome] : entries) {
    fragments[at] = fragment;
    segments[at] = outcome.first;
    sizes[at++] = outcome.second;
  }
  LookupTable table{fragments.data(), segments.data(), nullptr, entries.size()};
  const bool sized = chosen.yes_one_of(2);
  if (sized) table.sizes = sizes.data();
  const uint64_t minimum_size = chosen.below(5);
  const Missing missing = std::array{Missing::keep, Missing::background, Missing::error}[chosen.below(3)];
  // A table that does not ascend is refused where all of it is looked at, and harmless elsewhere.
  const bool unordered = entries.size() > 1 && chosen.yes_one_of(8);
  if (unordered) std::swap(fragments[0], fragments[entries.size() - 1]);

  bool refused = false;
  std::vector<uint64_t> expected(count);
  for (size_t i = 0; i < count; ++i) {
    const auto found = entries.find(labels[i]);
    if (found != entries.end()) {
      expected[i] = sized && found->second.second < minimum_size ? 0 : found->second.first;
    } else {
      expected[i] = missing == Missing::keep ? labels[i] : 0;
      refused = refused || (missing == Missing::error && labels[i] != 0);
    }
  }
  for (const size_t threads : THREADS) {
    for (const bool in_place : {false, true}) {
      Exact<uint64_t> source(count), output(count);
      std::copy(labels.data(), labels.data() + count, source.data());
      uint64_t* const target = in_place ? source.data() : output.data();
      const std::string code =
          code_of([&] { relabel(source.data(), target, count, table, missing, minimum_size, threads, NEVER); });
      promise(code.empty() || code == ERR_ARGUMENT, "ended with " + code);
      if (unordered) {
        promise(entries.size() > count || !code.empty(), "a table that does not ascend was taken");
        continue;
      }
      promise(code.empty() != refused, refused ? "a label without an entry was taken" : "ended with " + code);
      promise(refused || std::equal(expected.begin(), expected.end(), target), "other labels, shape " + text_of(shape));
    }
  }
}

void debris(KernelCase& chosen) {
  const Shape shape = chosen.shape(5000);
  const size_t count = shape.count();
  Exact<uint64_t> labels(count);
  chosen.fill_labels(labels.data(), shape);
  const uint64_t minimum_size = chosen.yes_one_of(4) ? chosen.id() : chosen.below(100);
  std::map<uint64_t, uint64_t> sizes;
  for (size_t i = 0; i < count; ++i) ++sizes[labels[i]];
  sizes.erase(0);
  std::vector<uint64_t> expected(labels.data(), labels.data() + count);
  for (uint64_t& label : expected) label = label != 0 && sizes[label] < minimum_size ? 0 : label;
  const auto gone = std::count_if(sizes.begin(), sizes.end(), [&](const auto& entry) { return entry.second < minimum_size; });
  const size_t found = remove_debris(labels.data(), count, minimum_size, NEVER);
  promise(found == static_cast<size_t>(gone) && equal(labels, expected), "other labels went");
}

template <class Value>
void filtered(KernelCase& chosen) {
  const Shape shape = chosen.shape(3000);
  const size_t count = shape.count();
  Exact<uint64_t> labels(count);
  chosen.fill_labels(labels.data(), shape);
  const uint64_t available = 1 + chosen.below(4);
  Exact<Value> affinities(available * count);
  if constexpr (std::is_integral_v<Value>) {
    chosen.fill_bytes(affinities.data(), affinities.size());
  } else {
    chosen.fill_values(affinities.data(), affinities.size(), chosen.yes_one_of(3));
  }
  std::vector<int64_t> channels(chosen.below(5));
  for (int64_t& channel : channels) channel = static_cast<int64_t>(chosen.below(available));
  const double threshold = static_cast<double>(chosen.below(12)) / 8 - 0.25;
  struct Entry {
    double sum = 0;
    uint64_t size = 0;
  };
  // Exact where nothing is special; then the order of the additions matters, and it is that of the header.
  std::map<uint64_t, Entry> entries;
  bool refused = false;
  for (size_t begin = 0, end; begin < count; begin = end) {
    for (end = begin + 1; end < count && labels[end] == labels[begin];) ++end;
    if (labels[begin] == 0) continue;
    Entry& entry = entries[labels[begin]];
    entry.size += end - begin;
    for (const int64_t channel : channels) {
      for (size_t i = begin; i < end; ++i) {
        const Value value = affinities[static_cast<size_t>(channel) * count + i];
        refused = refused || value != value;
        entry.sum += static_cast<double>(value);
      }
    }
  }
  const double scale = (std::is_integral_v<Value> ? 255.0 : 1.0) * static_cast<double>(channels.size());
  std::vector<uint64_t> expected(labels.data(), labels.data() + count);
  size_t gone = 0;
  for (const auto& [label, entry] : entries) {
    if (!(entry.sum < threshold * scale * static_cast<double>(entry.size))) continue;
    ++gone;
    std::replace(expected.begin(), expected.end(), label, uint64_t{0});
  }
  size_t found = 0;
  const std::string code =
      code_of([&] { found = filter_fragments(labels.data(), count, affinities.data(), channels, threshold, NEVER); });
  promise(code == (refused ? ERR_NOT_A_NUMBER : ""), "ended with " + code);
  promise(refused || (found == gone && equal(labels, expected)), "other fragments went");
}

void statistics(KernelCase& chosen) {
  const Shape shape = chosen.shape(5000);
  const size_t count = shape.count();
  Exact<uint64_t> labels(count);
  chosen.fill_labels(labels.data(), shape);
  struct Entry {
    uint64_t size = 0;
    std::array<uint64_t, MAX_DIMENSIONS> sums{};
  };
  std::map<uint64_t, Entry> entries;
  for (size_t voxel = 0; voxel < count; ++voxel) {
    if (labels[voxel] == 0) continue;
    Entry& entry = entries[labels[voxel]];
    ++entry.size;
    const Shape position = position_of(voxel, shape);
    for (int axis = 0; axis < shape.dimensions; ++axis) entry.sums[axis] += static_cast<uint64_t>(position[axis]);
  }
  const FragmentStatistics found = fragment_statistics(labels.data(), shape, NEVER);
  const auto dimensions = static_cast<size_t>(shape.dimensions);
  promise(found.ids.size() == entries.size() && found.sizes.size() == entries.size() &&
              found.centres.size() == entries.size() * dimensions,
          "another number of labels");
  size_t at = 0;
  for (const auto& [label, entry] : entries) {
    promise(found.ids[at] == label && found.sizes[at] == entry.size, "another label or size");
    for (size_t axis = 0; axis < dimensions; ++axis) {
      const double centre = static_cast<double>(entry.sums[axis]) / static_cast<double>(entry.size);
      promise(found.centres[at * dimensions + axis] == centre, "another centre");
    }
    ++at;
  }
}

void contingency(KernelCase& chosen) {
  const Shape shape = chosen.shape(5000);
  const size_t count = shape.count();
  Exact<uint64_t> a(count), b(count);
  chosen.fill_labels(a.data(), shape);
  chosen.fill_labels(b.data(), shape);
  Exact<uint8_t> mask(count);
  const bool masked = chosen.yes_one_of(3);
  for (size_t i = 0; i < count; ++i) mask[i] = static_cast<uint8_t>(masked ? chosen.content().below(3) : 1);
  std::map<std::pair<uint64_t, uint64_t>, double> pairs;
  for (size_t i = 0; i < count; ++i) {
    if (mask[i] != 0) ++pairs[{a[i], b[i]}];
  }
  const ContingencyTable found = contingency_table(a.data(), b.data(), masked ? mask.data() : nullptr, count, NEVER);
  promise(found.a.size() == pairs.size() && found.b.size() == pairs.size() && found.counts.size() == pairs.size() &&
              found.places.size() == pairs.size() && found.runs.size() == pairs.size(),
          "another number of pairs");
  size_t at = 0;
  for (const auto& [pair, voxels] : pairs) {
    promise(found.a[at] == pair.first && found.b[at] == pair.second && found.counts[at] == voxels, "another pair");
    const auto place = static_cast<size_t>(found.places[at]);
    promise(place < count && a[place] == pair.first && b[place] == pair.second && mask[place] != 0, "a place without the pair");
    promise(found.runs[at] >= 1 && found.runs[at] <= voxels, "a run longer than what there is");
    ++at;
  }
}

}  // namespace

}  // namespace blockwright

int main(int argc, char** argv) {
  using namespace blockwright;
  KernelTarget target({{"connected_components", components},
                       {"relabel", relabelled},
                       {"remove_debris", debris},
                       {"filter_fragments", filtered<uint8_t>},
                       {"filter_fragments", filtered<float>},
                       {"fragment_statistics", statistics},
                       {"contingency_table", contingency}});
  return fuzz_main(argc, argv, target);
}
