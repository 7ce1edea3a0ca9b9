#include "kernels/fragment_statistics.h"

#include <memory>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"

namespace blockwright {

namespace {

Napi::Value fragment_statistics_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Shape shape = arguments.shape("shape");
  const Span<uint64_t> labels = arguments.array<uint64_t>("labels", shape.count());
  const Cancellation cancellation = arguments.cancellation();
  const auto result = std::make_shared<FragmentStatistics>();
  return run_async(
      info.Env(), arguments.object(), [=] { *result = fragment_statistics(labels.data, shape, cancellation); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("ids", to_typed_array(env, result->ids));
        object.Set("sizes", to_typed_array(env, result->sizes));
        object.Set("centres", to_typed_array(env, result->centres));
        return object;
      });
}

}  // namespace

void export_fragment_statistics(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "fragmentStatistics", fragment_statistics_async);
}

}  // namespace blockwright
