#include "kernels/join_components.h"

#include <memory>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/row_runs.h"

namespace blockwright {

namespace {

Napi::Value join_components_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Span<uint64_t> names = arguments.array<uint64_t>("names");
  const Span<uint64_t> sizes = arguments.array<uint64_t>("sizes", names.size);
  const Napi::Array list = list_of(arguments.object().Get("runs"), "runs");
  const auto runs = std::make_shared<std::vector<PairRun>>(list.Length());
  for (uint32_t i = 0; i < runs->size(); ++i) {
    const Napi::Object entry = object_of(list.Get(i), "runs");
    PairRun& run = (*runs)[i];
    run.u = typed_elements<uint64_t>(entry.Get("u"), "u");
    run.v = typed_elements<uint64_t>(entry.Get("v"), "v", run.u.size);
  }
  const uint64_t minimum_size = arguments.unsigned64("minimumSize");
  const JoinedComponents joined{arguments.array<uint64_t>("fragments", names.size).data,
                                arguments.array<uint64_t>("segments", names.size).data,
                                arguments.array<uint64_t>("segmentSizes", names.size).data};
  const Cancellation cancellation = arguments.cancellation();
  const auto count = std::make_shared<JoinedCount>();
  return run_async(
      info.Env(), arguments.object(),
      [=] { *count = join_components(names, sizes, *runs, minimum_size, joined, cancellation); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("rows", Napi::Number::New(env, static_cast<double>(count->rows)));
        object.Set("components", Napi::Number::New(env, static_cast<double>(count->components)));
        return object;
      });
}

}  // namespace

void export_join_components(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "joinComponents", join_components_async);
}

}  // namespace blockwright
