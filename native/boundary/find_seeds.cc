#include "kernels/find_seeds.h"

#include <memory>

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"

namespace blockwright {

namespace {

template <class Value>
Napi::Value start_threshold(const Napi::CallbackInfo& info, const Arguments& arguments) {
  const Span<uint8_t> mask = arguments.array<uint8_t>("mask");
  const Span<Value> affinities = arguments.array<Value>("affinities");
  const std::vector<int64_t> channels = arguments.integers("channels");
  for (const int64_t channel : channels) {
    if (channel < 0 || (mask.size > 0 && static_cast<size_t>(channel) >= affinities.size / mask.size)) {
      throw Error(ERR_ARGUMENT, "channels: expected channels of the affinities, found " + std::to_string(channel));
    }
  }
  const double threshold = arguments.number("threshold");
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(),
      [=] { threshold_mean(affinities.data, mask.size, channels, threshold, mask.data, cancellation); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

Napi::Value threshold_mean_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  return arguments.array_type("affinities") == napi_float32_array ? start_threshold<float>(info, arguments)
                                                                  : start_threshold<uint8_t>(info, arguments);
}

Napi::Value find_seeds_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Shape shape = arguments.shape("shape");
  const Span<uint8_t> mask = arguments.array<uint8_t>("mask", shape.count());
  const Span<uint64_t> output = arguments.array<uint64_t>("output", shape.count());
  const int64_t window = arguments.integer("window");
  const Cancellation cancellation = arguments.cancellation();
  const auto count = std::make_shared<uint64_t>(0);
  return run_async(
      info.Env(), arguments.object(),
      [=] { *count = find_seeds(mask.data, shape, window, output.data, cancellation); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(*count)); });
}

}  // namespace

void export_find_seeds(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "findSeeds", find_seeds_async);
  BLOCKWRIGHT_EXPORT(exports, "thresholdMean", threshold_mean_async);
}

}  // namespace blockwright
