#include "kernels/relabel.h"

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "core/large_pages.h"

namespace blockwright {

namespace {

Missing missing_of(const std::string& text) {
  if (text == "keep") return Missing::keep;
  if (text == "background") return Missing::background;
  if (text == "error") return Missing::error;
  throw Error(ERR_ARGUMENT, "missing: expected keep, background or error");
}

Napi::Value relabel_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Span<uint64_t> labels = arguments.array<uint64_t>("labels");
  const Span<uint64_t> output = arguments.array<uint64_t>("output", labels.size);
  const Span<uint64_t> fragments = arguments.array<uint64_t>("fragments");
  LookupTable table;
  table.fragments = fragments.data;
  table.segments = arguments.array<uint64_t>("segments", fragments.size).data;
  if (arguments.has("sizes")) table.sizes = arguments.array<uint64_t>("sizes", fragments.size).data;
  table.size = fragments.size;
  const Missing missing = missing_of(arguments.text("missing"));
  const uint64_t minimum_size = arguments.unsigned64("minimumSize");
  const size_t threads = static_cast<size_t>(arguments.unsigned64("threads"));
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(),
      [=] {
        prefer_large_pages(output.data, output.size * sizeof(uint64_t));
        relabel(labels.data, output.data, labels.size, table, missing, minimum_size, threads, cancellation);
      },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

}  // namespace

void export_relabel(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "relabel", relabel_async); }

}  // namespace blockwright
