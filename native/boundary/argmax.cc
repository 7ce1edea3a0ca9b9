#include "kernels/argmax.h"

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"

namespace blockwright {

namespace {

std::vector<std::vector<size_t>> groups_of(const Arguments& arguments) {
  std::vector<std::vector<size_t>> groups;
  for (const std::vector<int64_t>& channels : arguments.integer_lists("groups")) {
    groups.emplace_back(channels.begin(), channels.end());  // a negative one is beyond all channels
  }
  return groups;
}

template <class Value, class Class>
Napi::Value start(const Napi::CallbackInfo& info, const Arguments& arguments) {
  const Shape shape = arguments.shape("shape");  // [channels, ...]
  const Span<Value> values = arguments.array<Value>("values", shape.count());
  size_t voxels = 1;
  for (int axis = 1; axis < shape.dimensions; ++axis) {
    // of an array without channels this product was not checked yet
    if (__builtin_mul_overflow(voxels, static_cast<size_t>(shape[axis]), &voxels)) {
      throw Error(ERR_LIMIT, "shape: number of elements exceeds 2^62");
    }
  }
  const Span<Class> classes = arguments.array<Class>("output", voxels);
  const std::vector<std::vector<size_t>> groups = groups_of(arguments);
  const size_t channels = static_cast<size_t>(shape[0]), threads = static_cast<size_t>(arguments.unsigned64("threads"));
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(),
      [=] { argmax(values.data, channels, voxels, groups, classes.data, threads, cancellation); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

template <class Value>
Napi::Value start(const Napi::CallbackInfo& info, const Arguments& arguments) {
  switch (arguments.array_type("output")) {
    case napi_uint16_array: return start<Value, uint16_t>(info, arguments);
    case napi_uint32_array: return start<Value, uint32_t>(info, arguments);
    case napi_biguint64_array: return start<Value, uint64_t>(info, arguments);
    default: return start<Value, uint8_t>(info, arguments);
  }
}

Napi::Value argmax_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  switch (arguments.array_type("values")) {
    case napi_int8_array: return start<int8_t>(info, arguments);
    case napi_uint16_array: return start<uint16_t>(info, arguments);
    case napi_int16_array: return start<int16_t>(info, arguments);
    case napi_uint32_array: return start<uint32_t>(info, arguments);
    case napi_int32_array: return start<int32_t>(info, arguments);
    case napi_float32_array: return start<float>(info, arguments);
    case napi_float64_array: return start<double>(info, arguments);
    default: return start<uint8_t>(info, arguments);
  }
}

}  // namespace

void export_argmax(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "argmax", argmax_async); }

}  // namespace blockwright
