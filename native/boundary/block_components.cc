#include "kernels/block_components.h"

#include <memory>

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"

namespace blockwright {

namespace {

template <class Label>
Napi::Value run_block_components(const Napi::CallbackInfo& info, const Arguments& arguments) {
  const Shape shape = arguments.shape("shape");
  // Of a signed type the bits are the label: different values have different ones.
  const Span<uint8_t> bytes = arguments.bytes("labels");
  if (bytes.size / sizeof(Label) != shape.count()) {
    throw Error(ERR_ARGUMENT, "labels: expected " + std::to_string(shape.count()) + " elements, found " +
                                  std::to_string(bytes.size / sizeof(Label)));
  }
  const Label* labels = reinterpret_cast<const Label*>(bytes.data);
  const BlockPlace place{arguments.shape("low"), arguments.shape("begin"), arguments.shape("volume")};
  check_place(shape, place);
  Shape block = shape;
  for (int axis = 0; axis < shape.dimensions; ++axis) block[axis] -= place.low[axis];
  const Span<uint64_t> output = arguments.array<uint64_t>("output", block.count());
  const int reach = static_cast<int>(arguments.integer("reach"));
  const bool binary = arguments.boolean("binary");
  const size_t threads = static_cast<size_t>(arguments.unsigned64("threads"));
  const Cancellation cancellation = arguments.cancellation();
  const auto result = std::make_shared<BlockComponents>();
  return run_async(
      info.Env(), arguments.object(),
      [=] { *result = block_components(labels, shape, place, reach, binary, threads, output.data, cancellation); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("count", Napi::Number::New(env, static_cast<double>(result->count)));
        object.Set("pieces", to_typed_array(env, result->pieces));
        object.Set("u", to_typed_array(env, result->u));
        object.Set("v", to_typed_array(env, result->v));
        return object;
      });
}

Napi::Value block_components_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  switch (arguments.array_type("labels")) {
    case napi_uint8_array:
    case napi_int8_array:
      return run_block_components<uint8_t>(info, arguments);
    case napi_uint16_array:
    case napi_int16_array:
      return run_block_components<uint16_t>(info, arguments);
    case napi_uint32_array:
    case napi_int32_array:
      return run_block_components<uint32_t>(info, arguments);
    case napi_biguint64_array:
    case napi_bigint64_array:
      return run_block_components<uint64_t>(info, arguments);
    default:
      throw Error(ERR_ARGUMENT, "labels: expected a typed array of integers");
  }
}

}  // namespace

void export_block_components(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "blockComponents", block_components_async);
}

}  // namespace blockwright
