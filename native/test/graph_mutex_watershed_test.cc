// The graph mutex watershed against a naive twin, on random graphs with many ties, with every way of finding exclusions.
// Plain asserts, so that it runs under the address and undefined-behaviour sanitizers.
#undef NDEBUG
#include "kernels/graph_mutex_watershed.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "core/exclusions.h"
#include "core/philox.h"
#include "test/stopped.h"

using namespace blockwright;

namespace {

class Random {
 public:
  explicit Random(uint32_t seed) : key_{seed, 2} {}
  uint32_t below(uint32_t limit) { return philox({counter_++, 0, 0, 0}, key_)[0] % limit; }

 private:
  RandomKey key_;
  uint32_t counter_ = 0;
};

struct Columns {
  std::vector<uint64_t> nodes, u, v, lut_fragments, lut_segments;
  std::vector<std::vector<double>> sums, counts;
};

std::vector<uint64_t> naive_segments(const FragmentGraph& graph) {
  std::map<uint64_t, uint64_t> owner;
  std::map<uint64_t, std::set<uint64_t>> exclusive;
  const auto know = [&](uint64_t id) { owner.emplace(id, id); };
  const auto visit = [&](bool attractive, uint64_t u, uint64_t v) {
    const uint64_t a = owner[u], b = owner[v];
    if (a == b || exclusive[a].count(b) != 0) return;
    if (!attractive) {
      exclusive[a].insert(b);
      exclusive[b].insert(a);
      return;
    }
    for (auto& entry : owner) {
      if (entry.second == b) entry.second = a;
    }
    for (const uint64_t other : exclusive[b]) {
      exclusive[other].erase(b);
      exclusive[other].insert(a);
      exclusive[a].insert(other);
    }
  };
  for (const uint64_t id : graph.nodes) know(id);
  for (size_t i = 0; i < graph.lut_fragments.size; ++i) {
    know(graph.lut_fragments[i]);
    know(graph.lut_segments[i]);
  }
  for (size_t i = 0; i < graph.lut_fragments.size; ++i) visit(true, graph.lut_fragments[i], graph.lut_segments[i]);
  std::vector<std::tuple<double, size_t, uint64_t, uint64_t, bool>> items;
  for (size_t i = 0; i < graph.u.size; ++i) {
    const uint64_t low = std::min(graph.u[i], graph.v[i]), high = std::max(graph.u[i], graph.v[i]);
    double sum = 0;
    for (size_t k = 0; k < graph.attributes.size(); ++k) {
      const EdgeAttribute& attribute = graph.attributes[k];
      const double count = attribute.counts[i];
      if (count == 0) continue;
      const double mean = attribute.sums[i] * attribute.scale / count;
      const double score = (attribute.weight * mean + attribute.bias) * (count / (count + graph.pseudo_count));
      sum += score;
      if (graph.edge_per_attribute) items.emplace_back(-std::fabs(score), k, low, high, score > 0);
    }
    if (!graph.edge_per_attribute) items.emplace_back(-std::fabs(sum), 0, low, high, sum > 0);
  }
  std::sort(items.begin(), items.end());
  for (const auto& [size, attribute, u, v, attractive] : items) visit(attractive, u, v);
  std::map<uint64_t, uint64_t> smallest;
  std::vector<uint64_t> segments;
  for (const uint64_t id : graph.nodes) segments.push_back(smallest.emplace(owner[id], id).first->second);
  return segments;
}

// A graph of one score, which holds none of its columns.
FragmentGraph graph_of(std::vector<uint64_t>& nodes, std::vector<uint64_t>& u, std::vector<uint64_t>& v, std::vector<double>& sums,
                       std::vector<double>& counts) {
  FragmentGraph graph;
  graph.nodes = {nodes.data(), nodes.size()};
  graph.u = {u.data(), u.size()};
  graph.v = {v.data(), v.size()};
  EdgeAttribute attribute;
  attribute.sums = {sums.data(), sums.size()};
  attribute.counts = {counts.data(), counts.size()};
  graph.attributes.push_back(attribute);
  return graph;
}

void test_random_graph(uint32_t seed) {
  Random random(seed);
  Columns columns;
  std::set<uint64_t> ids;
  const uint32_t nodes = 1 + random.below(60);
  const uint64_t spread[] = {1, 3, uint64_t{1} << 57};
  const uint64_t factor = spread[random.below(3)];
  for (uint32_t i = 0; i < nodes; ++i) ids.insert(factor * (1 + random.below(100)));
  columns.nodes.assign(ids.begin(), ids.end());
  const auto node = [&] { return columns.nodes[random.below(static_cast<uint32_t>(columns.nodes.size()))]; };
  std::set<std::pair<uint64_t, uint64_t>> pairs;
  for (uint32_t i = random.below(300); i > 0; --i) {
    const uint64_t a = node(), b = node();
    if (a == b || !pairs.insert({std::min(a, b), std::max(a, b)}).second) continue;
    columns.u.push_back(a);
    columns.v.push_back(b);
  }
  const size_t attributes = random.below(4);
  const uint32_t levels = 2 + random.below(2) * random.below(1000);
  FragmentGraph graph;
  columns.sums.resize(attributes);
  columns.counts.resize(attributes);
  for (size_t k = 0; k < attributes; ++k) {
    for (size_t i = 0; i < columns.u.size(); ++i) {
      columns.counts[k].push_back(random.below(4));
      columns.sums[k].push_back(columns.counts[k].back() * random.below(levels) / (levels - 1));
    }
    EdgeAttribute attribute;
    attribute.name = std::to_string(k);
    attribute.sums = {columns.sums[k].data(), columns.sums[k].size()};
    attribute.counts = {columns.counts[k].data(), columns.counts[k].size()};
    attribute.scale = 1 - 0.25 * random.below(2);
    attribute.weight = 1 - 0.125 * static_cast<double>(k);
    attribute.bias = -0.5 + 0.25 * random.below(2);
    graph.attributes.push_back(attribute);
  }
  for (uint32_t i = random.below(3) * random.below(5); i > 0; --i) {
    columns.lut_fragments.push_back(random.below(5) == 0 ? 12345 : node());
    columns.lut_segments.push_back(random.below(3) == 0 ? 99999 : node());
  }
  graph.nodes = {columns.nodes.data(), columns.nodes.size()};
  graph.u = {columns.u.data(), columns.u.size()};
  graph.v = {columns.v.data(), columns.v.size()};
  graph.lut_fragments = {columns.lut_fragments.data(), columns.lut_fragments.size()};
  graph.lut_segments = {columns.lut_segments.data(), columns.lut_segments.size()};
  graph.pseudo_count = random.below(3) * 50;
  graph.edge_per_attribute = random.below(2) == 0;
  const std::vector<uint64_t> expected = naive_segments(graph);
  for (const uint64_t budget : {0, 1, 1000}) {
    graph.search_budget = budget;
    std::vector<uint64_t> segments(columns.nodes.size(), 77);
    graph_mutex_watershed(graph, segments.data(), Cancellation());
    assert(segments == expected);
  }
}

// Many scores that differ in their last bits only, beside some that are far smaller: sorting by the first bits leaves most of them equal.
void test_close_scores(uint32_t seed) {
  Random random(seed);
  constexpr uint32_t NODES = 200, EDGES = 3000;
  std::vector<uint64_t> nodes, u, v;
  std::vector<double> sums;
  for (uint64_t node = 1; node <= NODES; ++node) nodes.push_back(node);
  std::set<std::pair<uint64_t, uint64_t>> pairs;
  while (u.size() < EDGES) {
    const uint64_t a = 1 + random.below(NODES), b = 1 + random.below(NODES);
    if (a >= b || !pairs.insert({a, b}).second) continue;
    u.push_back(a);
    v.push_back(b);
    const double size = random.below(10) == 0 ? 1e-30 * (1 + random.below(1000)) : 1 + std::ldexp(random.below(64), -23);
    sums.push_back(random.below(2) == 0 ? size : -size);
  }
  std::vector<double> counts(sums.size(), 1);
  FragmentGraph graph = graph_of(nodes, u, v, sums, counts);
  std::vector<uint64_t> segments(nodes.size());
  graph_mutex_watershed(graph, segments.data(), Cancellation());
  assert(segments == naive_segments(graph));
}

// Groups of nodes that attract each other strongly, every two of them joined by a weak attractive edge that one repulsive edge
// forbids: each of the weak ones asks for a search through a whole group.
void test_long_searches() {
  constexpr uint64_t GROUPS = 48, MEMBERS = 100;
  std::vector<uint64_t> nodes, u, v;
  std::vector<double> sums;
  const auto id = [](uint64_t group, uint64_t member) { return group * MEMBERS + member + 1; };
  const auto edge = [&](uint64_t a, uint64_t b, double score) {
    u.push_back(std::min(a, b));
    v.push_back(std::max(a, b));
    sums.push_back(score);
  };
  double less = 0;  // so that no two scores are equal
  for (uint64_t group = 0; group < GROUPS; ++group) {
    for (uint64_t member = 0; member < MEMBERS; ++member) nodes.push_back(id(group, member));
    // A chain whose scores fall and whose nodes repel another group a bit less: contraction goes no further than its head.
    for (uint64_t member = 1; member < MEMBERS; ++member) {
      edge(id(group, member - 1), id(group, member), 100 - static_cast<double>(member) / 4 - (less += 1e-6));
      edge(id(group, member), id((group + 1) % GROUPS, member), -(110 - static_cast<double>(member) / 4 - (less += 1e-6)));
    }
    for (uint64_t other = 0; other < group; ++other) {
      if (other + 1 != group && !(other == 0 && group + 1 == GROUPS)) edge(id(group, 0), id(other, MEMBERS - 1), -(50 - (less += 1e-6)));
      edge(id(group, other + 1), id(other, group + 1), 10 - (less += 1e-6));
    }
  }
  std::vector<double> counts(sums.size(), 1);
  FragmentGraph graph = graph_of(nodes, u, v, sums, counts);
  std::vector<uint64_t> expected;
  for (const uint64_t node : nodes) expected.push_back((node - 1) / MEMBERS * MEMBERS + 1);
  const auto run = [&](uint64_t budget) {
    graph.search_budget = budget;
    std::vector<uint64_t> segments(nodes.size());
    const SearchCost cost = graph_mutex_watershed(graph, segments.data(), Cancellation());
    assert(segments == expected);
    return cost;
  };
  const uint64_t size = nodes.size() + sums.size();
  const SearchCost unbounded = run(1000);
  assert(!unbounded.all_listed && unbounded.looked_at > 4 * size);
  // One search may be at work when the budget ends.
  const SearchCost bounded = run(2);
  assert(bounded.all_listed && bounded.looked_at <= 3 * size);
}

// Hubs that attract each other, each two kept apart by a stronger score, and each with many more that a search looks through
// before it finds that one. They are visited last, and in one go: only the searches can look at the cancellation there.
void test_cancelled_searches() {
  constexpr uint64_t HUBS = 80, LEAVES = 3000;
  std::vector<uint64_t> nodes, u, v;
  std::vector<double> attraction, repulsion;
  const auto edge = [&](uint64_t a, uint64_t b, double attractive, double repulsive) {
    u.push_back(a);
    v.push_back(b);
    attraction.push_back(attractive);
    repulsion.push_back(repulsive);
  };
  for (uint64_t node = 1; node <= HUBS + LEAVES; ++node) nodes.push_back(node);
  for (uint64_t hub = 1; hub <= HUBS; ++hub) {
    for (uint64_t other = hub + 1; other <= HUBS; ++other) edge(hub, other, 1, -3);
  }
  for (uint64_t leaf = HUBS + 1; leaf <= HUBS + LEAVES; ++leaf) {
    if (leaf % 2 == 0) edge(leaf - 1, leaf, 2, 0);
    for (uint64_t hub = 1; hub <= HUBS; ++hub) edge(hub, leaf, 0, -3);
  }
  std::vector<double> counts(u.size(), 1);
  FragmentGraph graph;
  graph.nodes = {nodes.data(), nodes.size()};
  graph.u = {u.data(), u.size()};
  graph.v = {v.data(), v.size()};
  graph.search_budget = 1000;
  for (std::vector<double>* sums : {&attraction, &repulsion}) {
    EdgeAttribute attribute;
    attribute.sums = {sums->data(), sums->size()};
    attribute.counts = {counts.data(), counts.size()};
    graph.attributes.push_back(attribute);
  }
  std::vector<uint64_t> segments(nodes.size());
  SearchCost cost;
  const std::string code = stopped_half_way(
      [&](const Cancellation& cancellation) { cost = graph_mutex_watershed(graph, segments.data(), cancellation); });
  assert(cost.looked_at > HUBS * HUBS / 4 * LEAVES);
  assert(code == ERR_CANCELLED);
}

// Exclusions against a set of pairs, while clusters are joined in any order.
void test_exclusions(uint32_t seed) {
  Random random(seed);
  constexpr uint32_t COUNT = 60;
  Exclusions exclusions;
  std::set<std::pair<uint32_t, uint32_t>> pairs;
  std::vector<uint32_t> roots;
  for (uint32_t i = 0; i < COUNT; ++i) roots.push_back(i);
  while (roots.size() > 2) {
    const uint32_t a = roots[random.below(static_cast<uint32_t>(roots.size()))];
    const uint32_t b = roots[random.below(static_cast<uint32_t>(roots.size()))];
    if (a == b) continue;
    const bool excluded = pairs.count({a, b}) != 0;
    assert(exclusions.contains(a, b) == excluded);
    if (random.below(4) != 0) {
      exclusions.add(a, b);
      pairs.insert({a, b});
      pairs.insert({b, a});
    } else if (!excluded || random.below(20) == 0) {
      if (excluded) {  // so that the test ends: start again without b
        roots.erase(std::find(roots.begin(), roots.end(), b));
        continue;
      }
      exclusions.join(a, b);
      std::set<std::pair<uint32_t, uint32_t>> renamed;
      for (auto [x, y] : pairs) renamed.insert({x == b ? a : x, y == b ? a : y});
      pairs = renamed;
      roots.erase(std::find(roots.begin(), roots.end(), b));
    }
  }
}

void test_errors() {
  uint64_t nodes[] = {1, 2, 4};
  uint64_t u[] = {1, 4}, v[] = {2, 1};
  double sums[] = {1, std::numeric_limits<double>::quiet_NaN()}, counts[] = {1, 1};
  FragmentGraph graph;
  graph.nodes = {nodes, 3};
  graph.u = {u, 2};
  graph.v = {v, 2};
  EdgeAttribute attribute;
  attribute.sums = {sums, 2};
  attribute.counts = {counts, 2};
  graph.attributes.push_back(attribute);
  uint64_t segments[3];
  const auto code = [&](const Cancellation& cancellation) -> std::string {
    try {
      graph_mutex_watershed(graph, segments, cancellation);
    } catch (const Error& error) {
      return error.code();
    }
    return "none";
  };
  assert(code(Cancellation()) == ERR_NOT_A_NUMBER);
  sums[1] = 1;
  assert(code(Cancellation()) == "none");
  const uint8_t cancelled = 1;
  assert(code(Cancellation(&cancelled)) == ERR_CANCELLED);
  u[0] = 3;
  assert(code(Cancellation()) == ERR_ARGUMENT);
  u[0] = 1;
  nodes[1] = 1;
  assert(code(Cancellation()) == ERR_ARGUMENT);
}

}  // namespace

int main() {
  for (uint32_t seed = 0; seed < 1500; ++seed) test_random_graph(seed);
  for (uint32_t seed = 0; seed < 300; ++seed) test_exclusions(seed);
  for (uint32_t seed = 0; seed < 10; ++seed) test_close_scores(seed);
  test_long_searches();
  test_cancelled_searches();
  test_errors();
  std::puts("graph_mutex_watershed_test: passed");
  return 0;
}
