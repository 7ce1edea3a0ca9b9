#include "kernels/remove_debris.h"

#include <memory>

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"

namespace blockwright {

namespace {

Napi::Value remove_debris_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Span<uint64_t> labels = arguments.array<uint64_t>("labels");
  const uint64_t minimum_size = arguments.unsigned64("minimumSize");
  const Cancellation cancellation = arguments.cancellation();
  const auto dropped = std::make_shared<size_t>(0);
  return run_async(
      info.Env(), arguments.object(),
      [=] { *dropped = remove_debris(labels.data, labels.size, minimum_size, cancellation); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(*dropped)); });
}

}  // namespace

void export_remove_debris(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "removeDebris", remove_debris_async); }

}  // namespace blockwright
