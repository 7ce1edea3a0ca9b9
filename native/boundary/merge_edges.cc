#include "kernels/merge_edges.h"

#include <memory>
#include <string>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/row_runs.h"

namespace blockwright {

namespace {

// One column an attribute; undefined where the run does not have it.
std::vector<Span<double>> attribute_columns(const Napi::Value& value, const char* name, size_t attributes, size_t rows) {
  const Napi::Array list = list_of_length(value, name, attributes);
  std::vector<Span<double>> result(attributes);
  for (uint32_t i = 0; i < attributes; ++i) {
    const Napi::Value column = list.Get(i);
    if (!column.IsUndefined()) result[i] = typed_elements<double>(column, name, rows);
  }
  return result;
}

std::vector<double*> output_columns(const Napi::Value& value, const char* name, size_t attributes, size_t rows) {
  const Napi::Array list = list_of_length(value, name, attributes);
  std::vector<double*> result(attributes);
  for (uint32_t i = 0; i < attributes; ++i) result[i] = typed_elements<double>(list.Get(i), name, rows).data;
  return result;
}

Napi::Value merge_edges_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const size_t attributes = static_cast<size_t>(arguments.unsigned64("attributes"));
  const Napi::Array list = list_of(arguments.object().Get("runs"), "runs");
  auto runs = std::make_shared<std::vector<EdgeRun>>(list.Length());
  size_t total = 0;
  for (uint32_t i = 0; i < runs->size(); ++i) {
    const Napi::Object entry = object_of(list.Get(i), "runs");
    EdgeRun& run = (*runs)[i];
    run.u = typed_elements<uint64_t>(entry.Get("u"), "u");
    run.v = typed_elements<uint64_t>(entry.Get("v"), "v", run.u.size);
    run.sums = attribute_columns(entry.Get("sums"), "sums", attributes, run.u.size);
    run.counts = attribute_columns(entry.Get("counts"), "counts", attributes, run.u.size);
    for (size_t attribute = 0; attribute < attributes; ++attribute) {
      if (run.sums[attribute].size != run.counts[attribute].size) {
        throw Error(ERR_ARGUMENT, "runs: an attribute has sums or counts, not both");
      }
    }
    total += run.u.size;
  }
  const bool filtered = arguments.has("nodes");
  const Span<uint64_t> nodes = filtered ? arguments.array<uint64_t>("nodes") : Span<uint64_t>{};
  const Napi::Object outputs = object_of(arguments.object().Get("merged"), "merged");
  const MergedEdges merged{typed_elements<uint64_t>(outputs.Get("u"), "merged.u", total).data,
                           typed_elements<uint64_t>(outputs.Get("v"), "merged.v", total).data,
                           output_columns(outputs.Get("sums"), "merged.sums", attributes, total),
                           output_columns(outputs.Get("counts"), "merged.counts", attributes, total)};
  const Cancellation cancellation = arguments.cancellation();
  const auto count = std::make_shared<size_t>(0);
  return run_async(
      info.Env(), arguments.object(),
      [=] { *count = merge_edges(*runs, filtered ? &nodes : nullptr, merged, cancellation); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(*count)); });
}

Napi::Value add_up_edges_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Span<uint64_t> u = arguments.array<uint64_t>("u");
  const Span<uint64_t> v = arguments.array<uint64_t>("v", u.size);
  const size_t attributes = static_cast<size_t>(arguments.unsigned64("attributes"));
  const MergedEdges rows{u.data, v.data, output_columns(arguments.object().Get("sums"), "sums", attributes, u.size),
                         output_columns(arguments.object().Get("counts"), "counts", attributes, u.size)};
  const Cancellation cancellation = arguments.cancellation();
  const auto count = std::make_shared<size_t>(0);
  return run_async(
      info.Env(), arguments.object(), [=] { *count = add_up_edges(rows, u.size, cancellation); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(*count)); });
}

}  // namespace

void export_merge_edges(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "mergeEdges", merge_edges_async);
  BLOCKWRIGHT_EXPORT(exports, "addUpEdges", add_up_edges_async);
}

}  // namespace blockwright
