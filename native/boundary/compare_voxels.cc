#include "kernels/compare_voxels.h"

#include <algorithm>
#include <memory>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"

namespace blockwright {

namespace {

ElementType type_of(const Arguments& arguments, const char* name) {
  switch (arguments.array_type(name)) {
    case napi_int8_array: return ElementType::int8;
    case napi_uint16_array: return ElementType::uint16;
    case napi_int16_array: return ElementType::int16;
    case napi_uint32_array: return ElementType::uint32;
    case napi_int32_array: return ElementType::int32;
    case napi_biguint64_array: return ElementType::uint64;
    case napi_bigint64_array: return ElementType::int64;
    case napi_float32_array: return ElementType::float32;
    case napi_float64_array: return ElementType::float64;
    default: return ElementType::uint8;
  }
}

size_t length_of(const Arguments& arguments, const char* name) {
  return arguments.object().Get(name).As<Napi::TypedArray>().ElementLength();
}

std::vector<double> extents(const Shape& shape) {
  return {shape.extent.begin(), shape.extent.begin() + shape.dimensions};
}

Napi::Value compare_voxels_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Shape shape = arguments.shape("shape");
  const Span<uint8_t> a = arguments.bytes("a");
  const Span<uint8_t> b = arguments.bytes("b");
  for (const char* name : {"a", "b"}) {
    if (length_of(arguments, name) == shape.count()) continue;
    throw Error(ERR_ARGUMENT, std::string(name) + ": expected " + std::to_string(shape.count()) + " elements, found " +
                                  std::to_string(length_of(arguments, name)));
  }
  const ElementType a_type = type_of(arguments, "a");
  const ElementType b_type = type_of(arguments, "b");
  const double tolerance = arguments.number("tolerance");
  const auto limit = static_cast<size_t>(arguments.unsigned64("limit"));
  const auto planes_along = static_cast<int>(std::min<int64_t>(arguments.integer("planesAlong"), MAX_DIMENSIONS));
  const Cancellation cancellation = arguments.cancellation();
  const auto result = std::make_shared<VoxelDifferences>();
  return run_async(
      info.Env(), arguments.object(),
      [=] { *result = compare_voxels(a.data, a_type, b.data, b_type, shape, tolerance, limit, planes_along, cancellation); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("unequal", static_cast<double>(result->unequal));
        object.Set("different", static_cast<double>(result->different));
        object.Set("notNumbers", static_cast<double>(result->not_numbers));
        object.Set("largest", result->largest);
        object.Set("largestAt", static_cast<double>(result->largest_at));
        object.Set("first", to_typed_array(env, result->first));
        object.Set("begin", to_typed_array(env, extents(result->begin)));
        object.Set("end", to_typed_array(env, extents(result->end)));
        object.Set("planes", to_typed_array(env, result->planes));
        return object;
      });
}

}  // namespace

void export_compare_voxels(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "compareVoxels", compare_voxels_async); }

}  // namespace blockwright
