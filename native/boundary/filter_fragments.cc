#include "kernels/filter_fragments.h"

#include <memory>

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"

namespace blockwright {

namespace {

template <class Value>
Napi::Value start(const Napi::CallbackInfo& info, const Arguments& arguments) {
  const Span<uint64_t> labels = arguments.array<uint64_t>("labels");
  const Span<Value> affinities = arguments.array<Value>("affinities");
  const std::vector<int64_t> channels = arguments.integers("channels");
  for (const int64_t channel : channels) {
    if (channel < 0 || (labels.size > 0 && static_cast<size_t>(channel) >= affinities.size / labels.size)) {
      throw Error(ERR_ARGUMENT, "channels: expected channels of the affinities, found " + std::to_string(channel));
    }
  }
  const double threshold = arguments.number("threshold");
  const Cancellation cancellation = arguments.cancellation();
  const auto dropped = std::make_shared<size_t>(0);
  return run_async(
      info.Env(), arguments.object(),
      [=] { *dropped = filter_fragments(labels.data, labels.size, affinities.data, channels, threshold, cancellation); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(*dropped)); });
}

Napi::Value filter_fragments_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  return arguments.array_type("affinities") == napi_float32_array ? start<float>(info, arguments)
                                                                  : start<uint8_t>(info, arguments);
}

}  // namespace

void export_filter_fragments(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "filterFragments", filter_fragments_async);
}

}  // namespace blockwright
