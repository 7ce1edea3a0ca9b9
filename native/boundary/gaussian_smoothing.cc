#include "kernels/gaussian_smoothing.h"

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"

namespace blockwright {

namespace {

template <class Value>
Napi::Value start(const Napi::CallbackInfo& info, const Arguments& arguments) {
  const Shape shape = arguments.shape("shape");
  const Span<Value> values = arguments.array<Value>("values", shape.count());
  const Span<Value> output = arguments.array<Value>("output", shape.count());
  const std::vector<double> sigma = arguments.numbers("sigma");
  const size_t threads = static_cast<size_t>(arguments.unsigned64("threads"));
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(),
      [=] { gaussian_smoothing(values.data, output.data, shape, sigma, threads, cancellation); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

Napi::Value gaussian_smoothing_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  return arguments.array_type("values") == napi_float64_array ? start<double>(info, arguments)
                                                              : start<float>(info, arguments);
}

}  // namespace

void export_gaussian_smoothing(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "gaussianSmoothing", gaussian_smoothing_async);
}

}  // namespace blockwright
