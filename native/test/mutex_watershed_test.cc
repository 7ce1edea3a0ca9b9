// The mutex watershed against a naive twin, on random grids with many ties, with every way of finding exclusions. Plain
// asserts, so that it runs under the address and undefined-behaviour sanitizers.
#undef NDEBUG
#include "kernels/mutex_watershed.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "core/philox.h"
#include "kernels/mutex_watershed_keys.h"
#include "test/stopped.h"

using namespace blockwright;

namespace {

// Small random integers, the same on every machine.
class Random {
 public:
  explicit Random(uint32_t seed) : key_{seed, 1} {}
  uint32_t below(uint32_t limit) { return philox({counter_++, 0, 0, 0}, key_)[0] % limit; }

 private:
  RandomKey key_;
  uint32_t counter_ = 0;
};

// Clusters as sets of members and of excluded clusters.
struct Naive {
  std::vector<size_t> owner;
  std::vector<std::set<size_t>> members, exclusive;

  explicit Naive(size_t count) : owner(count), members(count), exclusive(count) {
    for (size_t i = 0; i < count; ++i) {
      owner[i] = i;
      members[i] = {i};
    }
  }
  void visit(bool attractive, size_t u, size_t v) {
    const size_t a = owner[u], b = owner[v];
    if (a == b || exclusive[a].count(b) != 0) return;
    if (!attractive) {
      exclusive[a].insert(b);
      exclusive[b].insert(a);
      return;
    }
    for (const size_t member : members[b]) owner[member] = a;
    members[a].insert(members[b].begin(), members[b].end());
    for (const size_t other : exclusive[b]) {
      exclusive[other].erase(b);
      exclusive[other].insert(a);
      exclusive[a].insert(other);
    }
  }
};

struct NaiveEdge {
  float value;
  size_t channel, u, v;
};

std::vector<uint64_t> naive_labels(const MutexWatershedInput& input, const MutexWatershedSeeds& seeds) {
  const size_t voxels = input.shape.count();
  const Shape raster = input.shape.strides();
  Naive clusters(voxels);
  std::vector<bool> touched(voxels);
  std::map<uint64_t, size_t> first;
  for (size_t i = 0; seeds.seeds != nullptr && i < voxels; ++i) {
    if (seeds.seeds[i] == 0) continue;
    touched[i] = true;
    clusters.visit(true, first.emplace(seeds.seeds[i], i).first->second, i);
  }
  for (const UserEdge& edge : seeds.edges) clusters.visit(edge.attractive, first[edge.a], first[edge.b]);
  for (const auto& a : first) {
    for (const auto& b : first) clusters.visit(false, a.second, b.second);
  }
  std::vector<NaiveEdge> edges;
  for (size_t c = 0; c < input.offsets.size(); ++c) {
    for (size_t u = 0; u < voxels; ++u) {
      size_t v = 0;
      bool runs = true;
      for (int axis = 0; axis < input.shape.dimensions; ++axis) {
        const int64_t position = static_cast<int64_t>(u) / raster[axis] % input.shape[axis];
        const int64_t end = position + input.offsets[c][axis];
        runs = runs && end >= 0 && end < input.shape[axis];
        if (!input.strides.empty()) {
          runs = runs && (position - std::max<int64_t>(0, -input.offsets[c][axis])) % input.strides[c][axis] == 0;
        }
        v += static_cast<size_t>(end * raster[axis]);
      }
      if (!runs) continue;
      const size_t at = c * voxels + u;
      const double a = input.affinities_uint8 != nullptr ? input.affinities_uint8[at] / 255.0 : double{input.affinities_float32[at]};
      edges.push_back({static_cast<float>(a + input.bias[c]), c, u, v});
    }
  }
  std::stable_sort(edges.begin(), edges.end(), [](const NaiveEdge& a, const NaiveEdge& b) { return std::fabs(a.value) > std::fabs(b.value); });
  for (const NaiveEdge& edge : edges) {
    if (edge.value > 0) touched[edge.u] = touched[edge.v] = true;
    clusters.visit(edge.value > 0, edge.u, edge.v);
  }
  std::map<size_t, uint64_t> label_of;
  uint64_t last = 0;
  for (const auto& [id, voxel] : first) {
    label_of.emplace(clusters.owner[voxel], id);
    last = id;
  }
  std::vector<uint64_t> labels(voxels);
  for (size_t i = 0; i < voxels; ++i) {
    if (!touched[i]) continue;
    const auto [entry, fresh] = label_of.emplace(clusters.owner[i], last + 1);
    last += fresh;
    labels[i] = entry->second;
  }
  return labels;
}

void test_random_grid(uint32_t seed) {
  Random random(seed);
  const int axes = 1 + static_cast<int>(random.below(4));
  const int longest[] = {90, 12, 7, 5};
  std::vector<int64_t> shape;
  for (int axis = 0; axis < axes; ++axis) shape.push_back(1 + random.below(longest[axes - 1]));
  const size_t channels = random.below(10) == 0 ? 20 + random.below(10) : random.below(7);
  MutexWatershedInput input;
  input.shape = Shape(shape);
  const bool strided = random.below(3) == 0;
  for (size_t c = 0; c < channels; ++c) {
    std::vector<int64_t> offset, stride;
    for (int axis = 0; axis < axes; ++axis) {
      offset.push_back(static_cast<int64_t>(random.below(9)) - 4);
      stride.push_back(1 + random.below(3));
    }
    input.offsets.push_back(offset);
    if (strided) input.strides.push_back(stride);
    input.bias.push_back(-0.25 - 0.125 * random.below(4));
  }
  const size_t voxels = input.shape.count();
  const uint32_t levels = 2 + random.below(3) * random.below(100);
  std::vector<uint8_t> bytes(voxels * channels);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.below(levels) * 255 / (levels - 1));
  std::vector<float> floats(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) floats[i] = static_cast<float>(bytes[i]) / 255;
  if (random.below(2) == 0) {
    input.affinities_uint8 = bytes.data();
  } else {
    input.affinities_float32 = floats.data();
  }
  std::vector<uint64_t> ids(voxels);
  MutexWatershedSeeds seeds;
  if (random.below(3) == 0) {
    for (uint64_t& id : ids) id = random.below(4) == 0 ? 10 * (1 + random.below(4)) : 0;
    seeds.seeds = ids.data();
    for (uint32_t i = random.below(4); i > 0; --i) {
      const uint64_t a = ids[random.below(static_cast<uint32_t>(voxels))];
      const uint64_t b = ids[random.below(static_cast<uint32_t>(voxels))];
      if (a != 0 && b != 0) seeds.edges.push_back({random.below(2) == 0, a, b});
    }
  }
  const std::vector<uint64_t> expected = naive_labels(input, seeds);
  for (const uint64_t budget : {0, 1, 1000}) {
    input.search_budget = budget;
    input.threads = 1 + random.below(3);
    std::vector<uint64_t> labels(voxels, 77);
    mutex_watershed(input, seeds, labels.data(), Cancellation());
    assert(labels == expected);
  }
}

// More edges in one stage than the memory for lists holds: stages are cut, and one |key| alone is visited unlisted.
void test_crowded_stages(int64_t width, uint32_t levels) {
  Random random(levels);
  MutexWatershedInput input;
  input.shape = Shape({width, width + 10});
  for (int64_t c = 0; c < 8; ++c) {
    input.offsets.push_back({c / 3 + 1, c % 3 - 1});
    input.bias.push_back(-0.1);
  }
  const size_t voxels = input.shape.count();
  std::vector<float> values(voxels * input.offsets.size());
  for (float& value : values) {
    value = random.below(100) == 0 ? -1.0f : 0.5f + static_cast<float>(random.below(levels)) / static_cast<float>(levels);
  }
  input.affinities_float32 = values.data();
  std::vector<uint64_t> searched(voxels), tabled(voxels);
  input.search_budget = 1000;
  mutex_watershed(input, {}, searched.data(), Cancellation());
  input.search_budget = 0;
  mutex_watershed(input, {}, tabled.data(), Cancellation());
  assert(searched == tabled);
  if (width < 100) assert(searched == naive_labels(input, {}));
}

// Lines along one axis cross lines along the other; each two are kept apart by one edge, asked by a weaker one, and found by
// a search along a line. The budget for that is soon spent.
void test_crossing_lines(int64_t width) {
  Random random(5);
  MutexWatershedInput input;
  input.shape = Shape({width, width});
  input.offsets = {{0, 1}, {1, 0}, {0, 2}, {2, 0}};
  input.bias = {0, 0, 0, 0};
  std::vector<float> values;
  const float of_lines[] = {0.1f, -0.5f, 0.9f, -0.2f};
  for (size_t c = 0; c < 4; ++c) {
    for (int64_t voxel = 0; voxel < width * width; ++voxel) {
      const bool even = (voxel / width + voxel % width) % 2 == 0;
      values.push_back(of_lines[even ? c : c ^ 1] + 1e-6f * static_cast<float>(random.below(1000)));
    }
  }
  input.affinities_float32 = values.data();
  std::vector<std::vector<uint64_t>> results;
  for (const uint64_t budget : {0, 4, 1000000}) {
    input.search_budget = budget;
    results.emplace_back(values.size() / 4);
    mutex_watershed(input, {}, results.back().data(), Cancellation());
    assert(results.back() == results.front());
  }
  if (width < 50) assert(results.front() == naive_labels(input, {}));
}

// Large enough that threads share all they can: slabs, pieces of lists, parts of a sort.
void test_threads(bool strided, bool seeded) {
  Random random(strided + 2 * seeded);
  MutexWatershedInput input;
  input.shape = Shape({8, 130, 150});
  for (const int64_t distance : {1, 3}) {
    for (int axis = 0; axis < 3; ++axis) {
      std::vector<int64_t> offset(3);
      offset[axis] = axis == 1 ? -distance : distance;
      input.offsets.push_back(offset);
      input.bias.push_back(distance == 1 ? -0.3 : -0.6);
      if (strided) input.strides.push_back({1, distance, distance});
    }
  }
  input.randomized_strides = strided && seeded;
  input.noise_eps = strided ? 0.05 : 0;
  const size_t voxels = input.shape.count();
  std::vector<uint8_t> bytes(voxels * input.offsets.size());
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(random.below(strided ? 256 : 64) * 4);
  input.affinities_uint8 = bytes.data();
  std::vector<uint64_t> ids(voxels);
  MutexWatershedSeeds seeds;
  if (seeded) {
    for (uint64_t& id : ids) id = random.below(3000) == 0 ? 1 + random.below(20) : 0;
    seeds.seeds = ids.data();
  }
  std::vector<uint64_t> alone(voxels), together(voxels);
  mutex_watershed(input, seeds, alone.data(), Cancellation());
  for (const size_t threads : {2, 8}) {
    input.threads = threads;
    mutex_watershed(input, seeds, together.data(), Cancellation());
    assert(together == alone);
  }
}

void test_errors() {
  MutexWatershedInput input;
  input.shape = Shape({4});
  input.offsets = {{1}};
  input.bias = {0};
  std::vector<float> values = {1, std::numeric_limits<float>::quiet_NaN(), 1, 1};
  input.affinities_float32 = values.data();
  std::vector<uint64_t> labels(4);
  const auto code = [&](const MutexWatershedSeeds& seeds, const Cancellation& cancellation) -> std::string {
    try {
      mutex_watershed(input, seeds, labels.data(), cancellation);
    } catch (const Error& error) {
      return error.code();
    }
    return "none";
  };
  assert(code({}, Cancellation()) == ERR_NOT_A_NUMBER);
  values[1] = 0;
  assert(code({}, Cancellation()) == "none");
  const uint8_t cancelled = 1;
  assert(code({}, Cancellation(&cancelled)) == ERR_CANCELLED);
  std::vector<uint64_t> ids = {std::numeric_limits<uint64_t>::max(), 0, 0, 0};
  assert(code({ids.data(), {}}, Cancellation()) == ERR_LIMIT);
  assert(code({ids.data(), {{true, 3, 3}}}, Cancellation()) == ERR_ARGUMENT);
  input.shape = Shape({int64_t{1} << 31});
  assert(code({}, Cancellation()) == ERR_LIMIT);
}

void test_cancelled_in_a_row() {
  MutexWatershedInput input;
  input.shape = Shape({1, 1 << 19});
  input.offsets = {{0, 1}, {0, 2}};
  input.bias = {0, 0};
  input.noise_eps = 0.1;
  const std::vector<float> values(input.shape.count() * 2);
  input.affinities_float32 = values.data();
  for (const bool strided : {false, true}) {
    if (strided) input.strides = {{1, 1}, {1, 2}};
    assert(stopped_half_way([&](const Cancellation& cancellation) { edge_keys<int32_t>(input, cancellation); }) == ERR_CANCELLED);
  }
}

void test_normal_deviates() {
  double sum = 0, squares = 0, largest = 0;
  constexpr uint32_t COUNT = 200000;
  for (uint32_t i = 0; i < COUNT; ++i) {
    const RandomWords words = philox({i, 0, 0, 0}, {5, 6});
    const double deviate = normal_deviate(words[0], words[1]) * NORMAL_SCALE;
    sum += deviate;
    squares += deviate * deviate;
    largest = std::max(largest, std::fabs(deviate));
  }
  assert(std::fabs(sum / COUNT) < 0.01);
  assert(std::fabs(squares / COUNT - 1) < 0.01);
  assert(largest > 3.8 && largest < 6.46);
}

}  // namespace

int main() {
  for (uint32_t seed = 0; seed < 600; ++seed) test_random_grid(seed);
  for (const int64_t width : {60, 160}) {
    for (const uint32_t levels : {1, 2, 7, 100000}) test_crowded_stages(width, levels);
  }
  for (const int64_t width : {20, 200}) test_crossing_lines(width);
  for (const int kind : {0, 1, 3}) test_threads(kind % 2 != 0, kind / 2 != 0);
  test_errors();
  test_cancelled_in_a_row();
  test_normal_deviates();
  std::puts("mutex_watershed_test: passed");
  return 0;
}
