#include "kernels/segment_sizes.h"

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"

namespace blockwright {

namespace {

Napi::Value segment_sizes_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Span<uint64_t> ids = arguments.array<uint64_t>("ids");
  const Span<uint64_t> segments = arguments.array<uint64_t>("segments", ids.size);
  const Span<uint64_t> node_sizes = arguments.array<uint64_t>("nodeSizes", ids.size);
  const Span<uint64_t> sizes = arguments.array<uint64_t>("sizes", ids.size);
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(), [=] { segment_sizes(ids, segments, node_sizes, sizes.data, cancellation); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

}  // namespace

void export_segment_sizes(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "segmentSizes", segment_sizes_async); }

}  // namespace blockwright
