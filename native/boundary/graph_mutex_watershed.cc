#include "kernels/graph_mutex_watershed.h"

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"

namespace blockwright {

namespace {

Napi::Value graph_mutex_watershed_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  FragmentGraph graph;
  graph.nodes = arguments.array<uint64_t>("nodes");
  graph.u = arguments.array<uint64_t>("u");
  graph.v = arguments.array<uint64_t>("v", graph.u.size);
  // Attribute i has its sums and counts in sums<i> and counts<i>.
  const std::vector<double> scales = arguments.numbers("scales");
  const std::vector<double> weights = arguments.numbers("weights");
  const std::vector<double> biases = arguments.numbers("biases");
  if (weights.size() != scales.size() || biases.size() != scales.size()) {
    throw Error(ERR_ARGUMENT, "weights: expected as many as scales and biases");
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::string number = std::to_string(i);
    EdgeAttribute attribute;
    attribute.name = arguments.text(("name" + number).c_str());
    attribute.sums = arguments.array<double>(("sums" + number).c_str(), graph.u.size);
    attribute.counts = arguments.array<double>(("counts" + number).c_str(), graph.u.size);
    attribute.scale = scales[i];
    attribute.weight = weights[i];
    attribute.bias = biases[i];
    graph.attributes.push_back(attribute);
  }
  graph.pseudo_count = arguments.number("pseudoCount");
  graph.edge_per_attribute = arguments.boolean("edgePerAttr");
  if (arguments.has("lutFragments")) {
    graph.lut_fragments = arguments.array<uint64_t>("lutFragments");
    graph.lut_segments = arguments.array<uint64_t>("lutSegments", graph.lut_fragments.size);
  }
  const Span<uint64_t> segments = arguments.array<uint64_t>("segments", graph.nodes.size);
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(), [=] { graph_mutex_watershed(graph, segments.data, cancellation); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

}  // namespace

void export_graph_mutex_watershed(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "graphMutexWatershed", graph_mutex_watershed_async);
}

}  // namespace blockwright
