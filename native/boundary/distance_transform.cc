#include "kernels/distance_transform.h"

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"

namespace blockwright {

namespace {

Napi::Value distance_transform_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Shape shape = arguments.shape("shape");
  const Span<uint8_t> mask = arguments.array<uint8_t>("mask", shape.count());
  const Span<double> output = arguments.array<double>("output", shape.count());
  const std::vector<double> voxel_size = arguments.numbers("voxelSize");
  const bool squared = arguments.boolean("squared");
  const size_t threads = static_cast<size_t>(arguments.unsigned64("threads"));
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(),
      [=] { distance_transform(mask.data, shape, voxel_size, squared, output.data, threads, cancellation); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

}  // namespace

void export_distance_transform(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "distanceTransform", distance_transform_async);
}

}  // namespace blockwright
