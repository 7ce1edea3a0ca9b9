#include "kernels/contingency_table.h"

#include <memory>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"

namespace blockwright {

namespace {

Napi::Value contingency_table_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Span<uint64_t> a = arguments.array<uint64_t>("a");
  const Span<uint64_t> b = arguments.array<uint64_t>("b", a.size);
  const Cancellation cancellation = arguments.cancellation();
  const auto result = std::make_shared<ContingencyTable>();
  return run_async(
      info.Env(), arguments.object(), [=] { *result = contingency_table(a.data, b.data, a.size, cancellation); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("a", to_typed_array(env, result->a));
        object.Set("b", to_typed_array(env, result->b));
        object.Set("counts", to_typed_array(env, result->counts));
        return object;
      });
}

}  // namespace

void export_contingency_table(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "contingencyTable", contingency_table_async);
}

}  // namespace blockwright
