// The kernels that make, merge and cut graphs, on any ids, rows and values, beside plain versions. Promises: the same edges, sums,
// nodes and segments, or the error that the header names.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "core/error_codes.h"
#include "fuzz/kernel_case.h"
#include "fuzz/naive_clusters.h"
#include "kernels/edge_scores.h"
#include "kernels/graph_mutex_watershed.h"
#include "kernels/merge_edges.h"
#include "kernels/merge_nodes.h"

namespace blockwright {

namespace {

const Cancellation NEVER;

template <class T>
Span<T> span_of(std::vector<T>& values) {
  return {values.data(), values.size()};
}

bool same_double(double a, double b) { return a == b || (a != a && b != b); }

template <class Value>
void edges_of_labels(KernelCase& chosen) {
  const Shape shape = chosen.shape(3000);
  const Box box = chosen.box(shape);
  const size_t count = shape.count();
  Exact<uint64_t> fragments(count);
  chosen.fill_labels(fragments.data(), shape);
  const size_t available = 1 + chosen.below(5), scores = 1 + chosen.below(3);
  Exact<Value> affinities(available * count);
  if constexpr (std::is_integral_v<Value>) {
    chosen.fill_bytes(affinities.data(), affinities.size());
  } else {
    chosen.fill_values(affinities.data(), affinities.size(), chosen.yes_one_of(3));
  }
  constexpr int64_t FAR = int64_t{1} << 53;
  const int64_t lengths[] = {0, 1, -1, 2, -3, 64, FAR, -FAR};
  std::vector<EdgeChannel> channels(1 + chosen.below(available));
  for (EdgeChannel& channel : channels) {
    channel.index = static_cast<int64_t>(chosen.below(available));
    channel.offset.dimensions = shape.dimensions;
    const uint64_t kinds = chosen.yes_one_of(4) ? 8 : 4;
    for (int axis = 0; axis < shape.dimensions; ++axis) channel.offset[axis] = lengths[chosen.below(kinds)];
    for (size_t score = 0; score < scores; ++score) {
      if (chosen.yes_one_of(2)) channel.scores.push_back(static_cast<uint32_t>(score));
    }
    if (channel.scores.empty()) channel.scores.push_back(0);
  }
  struct Sum {
    double sum = 0, count = 0;
  };
  std::map<std::pair<uint64_t, uint64_t>, std::vector<Sum>> edges;
  const Shape strides = shape.strides();
  bool special = false;
  for (size_t voxel = 0; voxel < count; ++voxel) {
    const Shape position = position_of(voxel, shape);
    bool in_box = true;
    for (int axis = 0; axis < shape.dimensions; ++axis) {
      in_box = in_box && position[axis] >= box.begin[axis] && position[axis] < box.begin[axis] + box.shape[axis];
    }
    if (!in_box) continue;
    for (const EdgeChannel& channel : channels) {
      int64_t other = 0;
      bool inside = true;
      for (int axis = 0; axis < shape.dimensions; ++axis) {
        const int64_t end = position[axis] + channel.offset[axis];
        inside = inside && end >= 0 && end < shape[axis];
        if (inside) other += end * strides[axis];
      }
      if (!inside) continue;
      const uint64_t a = fragments[voxel], b = fragments[static_cast<size_t>(other)];
      if (a == 0 || b == 0 || a == b) continue;
      std::vector<Sum>& entry = edges[std::minmax({a, b})];
      entry.resize(scores);
      const auto value = static_cast<double>(affinities[static_cast<size_t>(channel.index) * count + voxel]);
      special = special || !(std::fabs(value) <= 1e3 && value * 8 == std::floor(value * 8));
      for (const uint32_t score : channel.scores) {
        entry[score].sum += value;
        entry[score].count += 1;
      }
    }
  }
  bool refused = false;
  for (const auto& [pair, sums] : edges) {
    for (const Sum& entry : sums) refused = refused || entry.sum != entry.sum;
  }
  EdgeScores found;
  const std::string code = code_of(
      [&] { found = edge_scores(fragments.data(), affinities.data(), shape, box, channels, scores, NEVER); });
  // Values that float64 does not add exactly may make infinities, and so NaN, in one order and not in another.
  if (special && (refused || !code.empty())) {
    promise(code.empty() || code == ERR_NOT_A_NUMBER, "ended with " + code);
    return;
  }
  promise(code.empty() && !refused, "ended with " + code);
  promise(found.u.size() == edges.size() && found.v.size() == edges.size(), "another number of edges, shape " + text_of(shape));
  promise(found.sums.size() == scores && found.counts.size() == scores, "another number of scores");
  size_t at = 0;
  for (const auto& [pair, sums] : edges) {
    promise(found.u[at] == pair.first && found.v[at] == pair.second, "another edge, shape " + text_of(shape));
    for (size_t score = 0; score < scores; ++score) {
      promise(found.counts[score][at] == sums[score].count, "another count");
      promise(special || found.sums[score][at] == sums[score].sum, "another sum");
    }
    ++at;
  }
}

void merged_edges(KernelCase& chosen) {
  const size_t attributes = chosen.below(4);
  struct Columns {
    std::vector<uint64_t> u, v;
    std::vector<std::vector<double>> sums, counts;
  };
  std::vector<Columns> columns(chosen.below(5));
  std::vector<uint64_t> ids(1 + chosen.below(9));
  for (uint64_t& id : ids) id = chosen.id();
  const bool distinct = chosen.yes_one_of(4);
  for (Columns& run : columns) {
    const size_t rows = chosen.below(4) * chosen.below(60);
    for (size_t row = 0; row < rows; ++row) {
      run.u.push_back(distinct ? chosen.content().next() : ids[chosen.content().below(ids.size())]);
      run.v.push_back(ids[chosen.content().below(ids.size())]);
    }
    run.sums.resize(attributes);
    run.counts.resize(attributes);
    for (size_t attribute = 0; attribute < attributes; ++attribute) {
      if (chosen.yes_one_of(4)) continue;
      run.sums[attribute].resize(rows);
      run.counts[attribute].resize(rows);
      chosen.fill_values(run.sums[attribute].data(), rows, chosen.yes_one_of(3));
      chosen.fill_values(run.counts[attribute].data(), rows, chosen.yes_one_of(3));
    }
  }
  std::vector<uint64_t> nodes;
  const bool filtered = chosen.yes_one_of(2);
  for (uint64_t i = chosen.below(6); i > 0; --i) nodes.push_back(ids[chosen.below(ids.size())]);
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  const auto wanted = [&](uint64_t id) { return std::binary_search(nodes.begin(), nodes.end(), id); };

  std::vector<EdgeRun> runs;
  std::map<std::pair<uint64_t, uint64_t>, std::vector<std::array<double, 2>>> expected;
  size_t total = 0;
  for (Columns& run : columns) {
    EdgeRun& entry = runs.emplace_back();
    entry.u = span_of(run.u);
    entry.v = span_of(run.v);
    for (std::vector<double>& sums : run.sums) entry.sums.push_back(span_of(sums));
    for (std::vector<double>& counts : run.counts) entry.counts.push_back(span_of(counts));
    total += run.u.size();
    for (size_t row = 0; row < run.u.size(); ++row) {
      if (filtered && !wanted(run.u[row]) && !wanted(run.v[row])) continue;
      auto& sums = expected[{run.u[row], run.v[row]}];
      sums.resize(attributes);
      for (size_t attribute = 0; attribute < attributes; ++attribute) {
        if (run.sums[attribute].empty()) continue;
        sums[attribute][0] += run.sums[attribute][row];
        sums[attribute][1] += run.counts[attribute][row];
      }
    }
  }
  Exact<uint64_t> u(total), v(total);
  std::vector<std::vector<double>> sums(attributes, std::vector<double>(total)), counts = sums;
  MergedEdges merged{u.data(), v.data(), {}, {}};
  for (size_t attribute = 0; attribute < attributes; ++attribute) {
    merged.sums.push_back(sums[attribute].data());
    merged.counts.push_back(counts[attribute].data());
  }
  const Span<uint64_t> filter = span_of(nodes);
  const size_t found = merge_edges(runs, filtered ? &filter : nullptr, merged, NEVER);
  const auto check = [&](size_t edges) {
    promise(edges == expected.size(), "another number of edges");
    size_t at = 0;
    for (const auto& [edge, values] : expected) {
      promise(u[at] == edge.first && v[at] == edge.second, "another edge");
      for (size_t attribute = 0; attribute < attributes; ++attribute) {
        promise(same_double(sums[attribute][at], values[attribute][0]) && same_double(counts[attribute][at], values[attribute][1]),
                "another sum");
      }
      ++at;
    }
  };
  check(found);
  if (filtered) return;
  // The same in place, with all rows behind each other.
  size_t to = 0;
  for (const Columns& run : columns) {
    for (size_t row = 0; row < run.u.size(); ++row, ++to) {
      u[to] = run.u[row];
      v[to] = run.v[row];
      for (size_t attribute = 0; attribute < attributes; ++attribute) {
        sums[attribute][to] = run.sums[attribute].empty() ? 0 : run.sums[attribute][row];
        counts[attribute][to] = run.counts[attribute].empty() ? 0 : run.counts[attribute][row];
      }
    }
  }
  check(add_up_edges(merged, total, NEVER));
  check(add_up_edges(merged, expected.size(), NEVER));  // they ascend now
}

void merged_nodes(KernelCase& chosen) {
  const size_t dimensions = 1 + chosen.below(MAX_DIMENSIONS);
  struct Columns {
    std::vector<uint64_t> ids, sizes;
    std::vector<double> positions;
  };
  std::vector<Columns> columns(chosen.below(5));
  const bool distinct = !chosen.yes_one_of(3);
  const uint64_t base = chosen.id();
  uint64_t given = 0;
  for (Columns& run : columns) {
    const size_t rows = chosen.below(4) * chosen.below(60);
    run.ids.resize(rows);
    run.sizes.resize(rows);
    run.positions.resize(rows * dimensions);
    for (uint64_t& id : run.ids) id = distinct ? base + 0x9e3779b97f4a7c15u * ++given : chosen.content().below(5000);
    for (uint64_t& size : run.sizes) size = chosen.content().next();
    chosen.fill_values(run.positions.data(), run.positions.size(), chosen.yes_one_of(3));
  }
  WorldBox box;
  if (chosen.yes_one_of(2)) {
    box.begin.resize(dimensions);
    box.end.resize(dimensions);
    chosen.fill_values(box.begin.data(), dimensions, chosen.yes_one_of(4));
    chosen.fill_values(box.end.data(), dimensions, chosen.yes_one_of(4));
  }
  std::vector<NodeRun> runs;
  std::map<uint64_t, std::vector<std::pair<uint32_t, size_t>>> expected;  // runs and rows by id
  size_t total = 0;
  for (Columns& run : columns) {
    runs.push_back({span_of(run.ids), span_of(run.sizes), span_of(run.positions)});
    total += run.ids.size();
    for (size_t row = 0; row < run.ids.size(); ++row) {
      bool inside = true;
      for (size_t axis = 0; axis < box.begin.size(); ++axis) {
        const double at = run.positions[row * dimensions + axis];
        inside = inside && at >= box.begin[axis] && at < box.end[axis];
      }
      if (inside) expected[run.ids[row]].emplace_back(static_cast<uint32_t>(runs.size() - 1), row);
    }
  }
  Exact<uint64_t> ids(total), sizes(total);
  Exact<double> positions(total * dimensions);
  const MergedNodeCount found = merge_nodes(runs, dimensions, box, {ids.data(), sizes.data(), positions.data()}, NEVER);
  size_t at = 0;
  for (const auto& [id, rows] : expected) {
    const auto& [run, row] = rows[0];
    promise(at < found.count && ids[at] == id && sizes[at] == columns[run].sizes[row], "another node");
    for (size_t axis = 0; axis < dimensions; ++axis) {
      promise(same_double(positions[at * dimensions + axis], columns[run].positions[row * dimensions + axis]), "another position");
    }
    ++at;
    if (rows.size() == 1) continue;
    promise(found.duplicate && found.count == at && found.id == id && found.first_run == run && found.second_run == rows[1].first,
            "an id came twice and was not named");
    return;
  }
  promise(!found.duplicate && found.count == at, "another number of nodes");
}

void segments_of_graph(KernelCase& chosen) {
  std::set<uint64_t> ids;
  const uint64_t base = chosen.id(), factor = uint64_t{1} << chosen.below(57);
  for (uint64_t i = chosen.below(60); i > 0; --i) ids.insert(chosen.yes_one_of(4) ? chosen.id() : base + factor * chosen.below(100));
  std::vector<uint64_t> nodes(ids.begin(), ids.end()), u, v;
  Random& random = chosen.content();
  if (!nodes.empty()) {
    for (uint64_t i = chosen.below(250); i > 0; --i) {
      u.push_back(nodes[random.below(nodes.size())]);
      v.push_back(nodes[random.below(nodes.size())]);
    }
  }
  FragmentGraph graph;
  const size_t attributes = chosen.below(4);
  const bool special = chosen.yes_one_of(4);
  std::vector<std::vector<double>> sums(attributes), counts(attributes);
  for (size_t attribute = 0; attribute < attributes; ++attribute) {
    sums[attribute].resize(u.size());
    counts[attribute].resize(u.size());
    chosen.fill_values(sums[attribute].data(), u.size(), special);
    for (double& count : counts[attribute]) count = static_cast<double>(random.below(3));
    EdgeAttribute entry;
    entry.name = "attribute";
    entry.sums = span_of(sums[attribute]);
    entry.counts = span_of(counts[attribute]);
    entry.scale = 1.0 / static_cast<double>(1 + chosen.below(3));
    entry.weight = static_cast<double>(chosen.below(5)) - 1;
    entry.bias = -static_cast<double>(chosen.below(5)) / 4;
    graph.attributes.push_back(entry);
  }
  graph.pseudo_count = static_cast<double>(chosen.below(3));
  graph.edge_per_attribute = chosen.yes_one_of(2);
  graph.search_budget = std::array<uint64_t, 3>{0, 1, 16}[chosen.below(3)];
  std::vector<uint64_t> lut_fragments, lut_segments;
  for (uint64_t i = chosen.yes_one_of(2) ? 0 : chosen.below(8); i > 0; --i) {
    for (std::vector<uint64_t>* ends : {&lut_fragments, &lut_segments}) {
      ends->push_back(nodes.empty() || chosen.yes_one_of(4) ? chosen.id() : nodes[chosen.below(nodes.size())]);
    }
  }
  // Edges of ids that are no nodes, nodes that do not ascend: refused.
  const bool stranger = !u.empty() && nodes.back() != UINT64_MAX && chosen.yes_one_of(10);
  if (stranger) (chosen.yes_one_of(2) ? u : v)[random.below(u.size())] = nodes.back() + 1;
  const bool unordered = nodes.size() > 1 && chosen.yes_one_of(10);
  if (unordered) nodes[chosen.below(nodes.size() - 1)] = nodes.back();
  graph.nodes = span_of(nodes);
  graph.u = span_of(u);
  graph.v = span_of(v);
  graph.lut_fragments = span_of(lut_fragments);
  graph.lut_segments = span_of(lut_segments);

  Exact<uint64_t> segments(nodes.size());
  const std::string code = code_of([&] { graph_mutex_watershed(graph, segments.data(), NEVER); });
  if (stranger || unordered) return promise(code == ERR_ARGUMENT, "wrong nodes or edges were taken: " + code);

  std::map<uint64_t, size_t> numbers;
  const auto number = [&](uint64_t id) { return numbers.emplace(id, numbers.size()).first->second; };
  for (const uint64_t id : nodes) number(id);
  for (const uint64_t id : lut_fragments) number(id);
  for (const uint64_t id : lut_segments) number(id);
  NaiveClusters clusters(numbers.size());
  for (size_t i = 0; i < lut_fragments.size(); ++i) clusters.visit(true, number(lut_fragments[i]), number(lut_segments[i]));
  std::vector<std::tuple<double, size_t, uint64_t, uint64_t, size_t, bool>> items;
  bool refused = false;
  for (size_t edge = 0; edge < u.size(); ++edge) {
    const auto [low, high] = std::minmax(u[edge], v[edge]);
    const auto enter = [&](size_t attribute, double score) {
      refused = refused || score != score;
      items.emplace_back(-std::fabs(score), attribute, low, high, edge, score > 0);
    };
    double sum = 0;
    for (size_t attribute = 0; attribute < attributes; ++attribute) {
      const EdgeAttribute& entry = graph.attributes[attribute];
      const double count = entry.counts[edge];
      if (count == 0) continue;
      const double mean = entry.sums[edge] * entry.scale / count;
      const double score = (entry.weight * mean + entry.bias) * (count / (count + graph.pseudo_count));
      if (graph.edge_per_attribute) enter(attribute, score);
      sum += score;
    }
    if (!graph.edge_per_attribute) enter(0, sum);
  }
  promise(code == (refused ? ERR_NOT_A_NUMBER : ""), "ended with " + code);
  if (refused) return;
  std::sort(items.begin(), items.end());
  for (const auto& [size, attribute, low, high, edge, attractive] : items) clusters.visit(attractive, number(low), number(high));
  std::map<size_t, uint64_t> smallest;
  for (size_t i = 0; i < nodes.size(); ++i) {
    promise(segments[i] == smallest.emplace(clusters.owner(number(nodes[i])), nodes[i]).first->second, "other segments");
  }
}

}  // namespace

}  // namespace blockwright

int main(int argc, char** argv) {
  using namespace blockwright;
  KernelTarget target({{"edge_scores", edges_of_labels<uint8_t>},
                       {"edge_scores", edges_of_labels<float>},
                       {"merge_edges", merged_edges},
                       {"merge_nodes", merged_nodes},
                       {"graph_mutex_watershed", segments_of_graph}});
  return fuzz_main(argc, argv, target);
}
