// The mutex watershed on any grid, offsets, strides, seeds and values, beside a plain version. Promises: its labels, or the error that
// the header names; the same whatever the search budget and the threads, also with noise and with strides by chance.
#include "kernels/mutex_watershed.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/error_codes.h"
#include "fuzz/kernel_case.h"
#include "fuzz/naive_clusters.h"

namespace blockwright {

namespace {

const Cancellation NEVER;

// All that an input refers to.
struct Grid {
  MutexWatershedInput input;
  MutexWatershedSeeds seeds;
  std::vector<uint8_t> bytes, mask;
  std::vector<float> floats, smoothed;
  std::vector<uint64_t> seed_ids;
  size_t voxels = 0;
  size_t channels = 0;
  bool unknown_seed = false;  // a user edge names an id that no voxel has
};

void choose_offsets(KernelCase& chosen, Grid& grid) {
  constexpr int64_t FAR = (int64_t{1} << 53) - 1;
  const int64_t near[] = {0, 1, -1, 2, -3, 4};
  const int64_t far[] = {70, FAR, -FAR, -1000};
  const bool strided = chosen.yes_one_of(3);
  grid.channels = chosen.yes_one_of(8) ? 15 + chosen.below(20) : chosen.below(7);
  Random& random = chosen.content();
  for (size_t channel = 0; channel < grid.channels; ++channel) {
    std::vector<int64_t> offset, stride;
    for (int axis = 0; axis < grid.input.shape.dimensions; ++axis) {
      offset.push_back(random.below(12) == 0 ? far[random.below(4)] : near[random.below(6)]);
      stride.push_back(random.below(20) == 0 ? FAR : static_cast<int64_t>(1 + random.below(3)));
    }
    grid.input.offsets.push_back(offset);
    if (strided) grid.input.strides.push_back(stride);
    grid.input.bias.push_back(-static_cast<double>(random.below(5)) / 8);
  }
  grid.input.randomized_strides = strided && chosen.yes_one_of(3);
  if (chosen.yes_one_of(2)) {
    for (int axis = 0; axis < grid.input.shape.dimensions; ++axis) grid.input.origin.push_back(random.below(2) == 0 ? FAR : 7);
  }
}

void choose_values(KernelCase& chosen, Grid& grid) {
  const size_t edges = grid.voxels * grid.channels;
  if (chosen.yes_one_of(2)) {
    grid.bytes.resize(edges + 1);  // one more, so that there is memory where there are no edges
    chosen.fill_bytes(grid.bytes.data(), edges);
    grid.input.affinities_uint8 = grid.bytes.data();
  } else {
    grid.floats.resize(edges + 1);
    chosen.fill_values(grid.floats.data(), edges, chosen.yes_one_of(4));
    grid.input.affinities_float32 = grid.floats.data();
  }
  if (chosen.yes_one_of(4)) {
    grid.smoothed.resize(edges + 1);
    chosen.fill_values(grid.smoothed.data(), edges, chosen.yes_one_of(8));
    grid.input.smoothed = grid.smoothed.data();
  }
  if (chosen.yes_one_of(4)) {
    grid.mask.resize(grid.voxels + 1);
    for (uint8_t& inside : grid.mask) inside = static_cast<uint8_t>(chosen.content().below(3));
    grid.input.mask = grid.mask.data();
  }
  if (chosen.yes_one_of(4)) grid.input.noise_eps = 0.25;
  grid.input.seed = chosen.id();
  grid.input.stream = chosen.id();
}

void choose_seeds(KernelCase& chosen, Grid& grid) {
  if (!chosen.yes_one_of(3)) return;
  Random& random = chosen.content();
  std::vector<uint64_t> ids(1 + chosen.below(5));
  for (uint64_t& id : ids) id = chosen.yes_one_of(3) ? UINT64_MAX - chosen.below(3) : chosen.id();
  grid.seed_ids.resize(grid.voxels + 1);
  for (size_t i = 0; i < grid.voxels; ++i) grid.seed_ids[i] = random.below(6) == 0 ? ids[random.below(ids.size())] : 0;
  grid.seeds.seeds = grid.seed_ids.data();
  const auto known = [&](uint64_t id) {
    return id != 0 && std::find(grid.seed_ids.begin(), grid.seed_ids.end() - 1, id) != grid.seed_ids.end() - 1;
  };
  for (uint64_t i = chosen.below(5); i > 0; --i) {
    const UserEdge edge{chosen.yes_one_of(2), ids[chosen.below(ids.size())], ids[chosen.below(ids.size())]};
    const bool both = known(edge.a) && known(edge.b);
    if (!both && !chosen.yes_one_of(4)) continue;
    grid.unknown_seed = grid.unknown_seed || !both;
    grid.seeds.edges.push_back(edge);
  }
}

struct NaiveEdge {
  float value;
  size_t channel, u, v;
};

// Edges in the order of |value| descending, channel, raster index. Sets `refused` where an affinity or the value of an edge is NaN,
// `doubtful` where only a smoothed affinity makes one at a voxel without an edge.
std::vector<NaiveEdge> naive_edges(const Grid& grid, bool& refused, bool& doubtful) {
  const MutexWatershedInput& input = grid.input;
  const Shape strides = input.shape.strides();
  std::vector<NaiveEdge> edges;
  for (size_t channel = 0; channel < grid.channels; ++channel) {
    for (size_t u = 0; u < grid.voxels; ++u) {
      const Shape position = position_of(u, input.shape);
      const bool masked = input.mask != nullptr && input.mask[u] == 0;
      const size_t at = channel * grid.voxels + u;
      const double raw = input.affinities_uint8 != nullptr ? input.affinities_uint8[at] / 255.0 : double{input.affinities_float32[at]};
      const double a = masked ? 0 : raw;
      refused = refused || a != a;
      bool inside = true;
      int64_t v = 0;
      for (int axis = 0; inside && axis < input.shape.dimensions; ++axis) {
        const int64_t offset = input.offsets[channel][axis];
        const int64_t end = position[axis] + offset;
        inside = end >= 0 && end < input.shape[axis];
        const int64_t from = std::max<int64_t>(0, -offset);
        if (!input.strides.empty()) inside = inside && (position[axis] - from) % input.strides[channel][axis] == 0;
        if (inside) v += end * strides[axis];
      }
      double sum = a;
      if (input.smoothed != nullptr) sum += static_cast<double>(input.smoothed[at]) - a;
      const float value = static_cast<float>(sum + input.bias[channel]);
      doubtful = doubtful || value != value;
      if (!inside) continue;
      refused = refused || value != value;
      edges.push_back({value, channel, u, static_cast<size_t>(v)});
    }
  }
  if (refused) return edges;
  std::stable_sort(edges.begin(), edges.end(),
                   [](const NaiveEdge& a, const NaiveEdge& b) { return std::fabs(a.value) > std::fabs(b.value); });
  return edges;
}

// The labels; sets `full` where there is no id left for a cluster.
std::vector<uint64_t> naive_labels(const Grid& grid, const std::vector<NaiveEdge>& edges, bool& full) {
  NaiveClusters clusters(grid.voxels);
  std::vector<bool> touched(grid.voxels);
  std::map<uint64_t, size_t> first;
  for (size_t i = 0; grid.seeds.seeds != nullptr && i < grid.voxels; ++i) {
    if (grid.seeds.seeds[i] == 0) continue;
    touched[i] = true;
    clusters.visit(true, first.emplace(grid.seeds.seeds[i], i).first->second, i);
  }
  for (const UserEdge& edge : grid.seeds.edges) clusters.visit(edge.attractive, first[edge.a], first[edge.b]);
  for (const auto& a : first) {
    for (const auto& b : first) clusters.visit(false, a.second, b.second);
  }
  for (const NaiveEdge& edge : edges) {
    if (edge.value > 0) touched[edge.u] = touched[edge.v] = true;
    clusters.visit(edge.value > 0, edge.u, edge.v);
  }
  std::map<size_t, uint64_t> label_of;
  uint64_t last = 0;
  for (const auto& [id, voxel] : first) {
    label_of.emplace(clusters.owner(voxel), id);
    last = id;
  }
  std::vector<uint64_t> labels(grid.voxels);
  for (size_t i = 0; i < grid.voxels; ++i) {
    if (!touched[i]) continue;
    const auto [entry, fresh] = label_of.emplace(clusters.owner(i), last + 1);
    full = full || (fresh && last == UINT64_MAX);
    last += fresh;
    labels[i] = entry->second;
  }
  return labels;
}

void watershed(KernelCase& chosen) {
  Grid grid;
  grid.input.shape = chosen.shape(400);
  grid.voxels = grid.input.shape.count();
  choose_offsets(chosen, grid);
  choose_values(chosen, grid);
  choose_seeds(chosen, grid);
  const std::string what = "shape " + text_of(grid.input.shape) + ", " + std::to_string(grid.channels) + " channels: ";

  std::vector<uint64_t> expected;
  std::string expected_code;
  bool known = grid.input.noise_eps == 0 && !grid.input.randomized_strides;
  if (known) {
    bool refused = false, full = false, doubtful = false;
    const std::vector<NaiveEdge> edges = naive_edges(grid, refused, doubtful);
    known = refused || !doubtful;
    if (!refused && !grid.unknown_seed) expected = naive_labels(grid, edges, full);
    expected_code = refused ? ERR_NOT_A_NUMBER : grid.unknown_seed ? ERR_ARGUMENT : full ? ERR_LIMIT : "";
  }
  for (const uint64_t budget : {uint64_t{0}, uint64_t{1}, uint64_t{4}}) {
    grid.input.search_budget = budget;
    grid.input.threads = budget == 1 ? 3 : 1;
    Exact<uint64_t> labels(grid.voxels);
    const std::string code = code_of([&] { mutex_watershed(grid.input, grid.seeds, labels.data(), NEVER); });
    if (known) {
      promise(code == expected_code, what + "expected " + (expected_code.empty() ? "labels" : expected_code) + ", found " + code);
      promise(!code.empty() || std::equal(expected.begin(), expected.end(), labels.data()), what + "other labels");
      continue;
    }
    const std::string allowed[] = {"", ERR_NOT_A_NUMBER, ERR_ARGUMENT, ERR_LIMIT};
    promise(std::find(std::begin(allowed), std::end(allowed), code) != std::end(allowed), what + "ended with " + code);
    known = true;
    expected_code = code;
    expected.assign(labels.data(), labels.data() + grid.voxels);
  }
}

}  // namespace

}  // namespace blockwright

int main(int argc, char** argv) {
  using namespace blockwright;
  KernelTarget target({{"mutex_watershed", watershed}});
  return fuzz_main(argc, argv, target);
}
