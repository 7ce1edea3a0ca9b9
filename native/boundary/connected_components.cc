#include "kernels/connected_components.h"

#include <memory>

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "core/large_pages.h"

namespace blockwright {

namespace {

template <class T, class Id>
Napi::Value components_in(const Napi::CallbackInfo& info, const Arguments& arguments) {
  const Shape shape = arguments.shape("shape");
  const Box box{arguments.shape("cropOffset"), arguments.shape("cropShape")};
  check_box("crop", box, shape);
  const Span<T> labels = arguments.array<T>("labels", shape.count());
  const Span<Id> output = arguments.array<Id>("output", box.shape.count());
  const int reach = static_cast<int>(arguments.integer("reach"));
  const uint64_t id_offset = arguments.unsigned64("idOffset");
  const size_t threads = static_cast<size_t>(arguments.unsigned64("threads"));
  const Cancellation cancellation = arguments.cancellation();
  const auto count = std::make_shared<uint64_t>(0);
  return run_async(
      info.Env(), arguments.object(),
      [=] {
        prefer_large_pages(output.data, output.size * sizeof(Id));
        *count = connected_components(labels.data, shape, box, reach, id_offset, threads, output.data, cancellation);
      },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(*count)); });
}

template <class T>
Napi::Value components_of(const Napi::CallbackInfo& info, const Arguments& arguments) {
  return arguments.array_type("output") == napi_uint32_array ? components_in<T, uint32_t>(info, arguments)
                                                             : components_in<T, uint64_t>(info, arguments);
}

Napi::Value connected_components_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  switch (arguments.array_type("labels")) {
    case napi_uint8_array: return components_of<uint8_t>(info, arguments);
    case napi_uint16_array: return components_of<uint16_t>(info, arguments);
    case napi_uint32_array: return components_of<uint32_t>(info, arguments);
    default: return components_of<uint64_t>(info, arguments);
  }
}

}  // namespace

void export_connected_components(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "connectedComponents", connected_components_async);
}

}  // namespace blockwright
