#include "kernels/downsample.h"

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"

namespace blockwright {

namespace {

DownsampleMethod method_of(const std::string& text) {
  if (text == "mean") return DownsampleMethod::mean;
  if (text == "mode") return DownsampleMethod::mode;
  if (text == "stride") return DownsampleMethod::stride;
  throw Error(ERR_ARGUMENT, "method: expected mean, mode or stride");
}

template <class Value>
Napi::Value start(const Napi::CallbackInfo& info, const Arguments& arguments) {
  const Shape shape = arguments.shape("shape");
  const Shape factors = arguments.shape("factors");
  const Span<Value> values = arguments.array<Value>("values", shape.count());
  const Span<Value> output = arguments.array<Value>("output", downsampled_shape(shape, factors).count());
  const DownsampleMethod method = method_of(arguments.text("method"));
  const bool ignore_background = arguments.boolean("ignoreBackground");
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(),
      [=] { downsample(values.data, shape, factors, method, ignore_background, output.data, cancellation); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

Napi::Value downsample_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  switch (arguments.array_type("values")) {
    case napi_int8_array: return start<int8_t>(info, arguments);
    case napi_uint16_array: return start<uint16_t>(info, arguments);
    case napi_int16_array: return start<int16_t>(info, arguments);
    case napi_uint32_array: return start<uint32_t>(info, arguments);
    case napi_int32_array: return start<int32_t>(info, arguments);
    case napi_biguint64_array: return start<uint64_t>(info, arguments);
    case napi_bigint64_array: return start<int64_t>(info, arguments);
    case napi_float32_array: return start<float>(info, arguments);
    case napi_float64_array: return start<double>(info, arguments);
    default: return start<uint8_t>(info, arguments);
  }
}

}  // namespace

void export_downsample(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "downsample", downsample_async); }

}  // namespace blockwright
