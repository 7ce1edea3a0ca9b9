#include "kernels/merge_nodes.h"

#include <memory>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/row_runs.h"

namespace blockwright {

namespace {

Napi::Value merge_nodes_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int64_t dimensions = arguments.integer("dimensions");
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) throw Error(ERR_ARGUMENT, "dimensions: expected 1 to 6");
  const Napi::Array list = list_of(arguments.object().Get("runs"), "runs");
  const auto runs = std::make_shared<std::vector<NodeRun>>(list.Length());
  size_t total = 0;
  for (uint32_t i = 0; i < runs->size(); ++i) {
    const Napi::Object entry = object_of(list.Get(i), "runs");
    NodeRun& run = (*runs)[i];
    run.ids = typed_elements<uint64_t>(entry.Get("ids"), "ids");
    run.sizes = typed_elements<uint64_t>(entry.Get("sizes"), "sizes", run.ids.size);
    run.positions = typed_elements<double>(entry.Get("positions"), "positions", run.ids.size * dimensions);
    total += run.ids.size;
  }
  WorldBox box;
  if (arguments.has("begin")) {
    box = {arguments.numbers("begin"), arguments.numbers("end")};
    if (static_cast<int64_t>(box.begin.size()) != dimensions || box.end.size() != box.begin.size()) {
      throw Error(ERR_ARGUMENT, "begin, end: expected one entry an axis");
    }
  }
  const Napi::Object outputs = object_of(arguments.object().Get("merged"), "merged");
  const MergedNodes merged{typed_elements<uint64_t>(outputs.Get("ids"), "merged.ids", total).data,
                           typed_elements<uint64_t>(outputs.Get("sizes"), "merged.sizes", total).data,
                           typed_elements<double>(outputs.Get("positions"), "merged.positions", total * dimensions).data};
  const Cancellation cancellation = arguments.cancellation();
  const auto result = std::make_shared<MergedNodeCount>();
  return run_async(
      info.Env(), arguments.object(),
      [=] { *result = merge_nodes(*runs, static_cast<size_t>(dimensions), box, merged, cancellation); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("count", Napi::Number::New(env, static_cast<double>(result->count)));
        if (result->duplicate) {
          Napi::Object duplicate = Napi::Object::New(env);
          duplicate.Set("id", Napi::BigInt::New(env, result->id));
          duplicate.Set("firstRun", Napi::Number::New(env, result->first_run));
          duplicate.Set("secondRun", Napi::Number::New(env, result->second_run));
          object.Set("duplicate", duplicate);
        }
        return object;
      });
}

}  // namespace

void export_merge_nodes(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "mergeNodes", merge_nodes_async); }

}  // namespace blockwright
