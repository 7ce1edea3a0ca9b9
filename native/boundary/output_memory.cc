#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/instance_data.h"
#include "boundary/promise_worker.h"

namespace blockwright {

namespace {

// A piece of the pool that JavaScript holds.
struct Output {
  std::shared_ptr<MemoryPool> pool;
  MemoryPool::Piece piece;
};

// Node 20 makes no larger ArrayBuffer of native memory.
constexpr size_t LARGEST = size_t{1} << 32;

// Memory for a result: an ArrayBuffer with whatever is in it, or undefined where none can be made of native memory. When it is
// collected its memory goes back to the pool. With 0 bytes: nothing is to be kept until the next call.
Napi::Value output_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto bytes = static_cast<size_t>(Arguments(info).unsigned64("bytes"));
  const std::shared_ptr<MemoryPool>& pool = instance_data(env).outputs;
  if (bytes == 0) pool->rest();
  if (bytes == 0 || bytes > LARGEST) return env.Undefined();
  auto output = std::make_unique<Output>(Output{pool, pool->take(bytes)});
  napi_value buffer;
  const napi_status status = napi_create_external_arraybuffer(
      env, output->piece.memory.get(), bytes,
      [](napi_env, void*, void* hint) {
        const std::unique_ptr<Output> held(static_cast<Output*>(hint));
        held->pool->give(std::move(held->piece));
      },
      output.get(), &buffer);
  if (status == napi_no_external_buffers_allowed) return env.Undefined();
  output.release();  // after other failures too, when Node may have called the finalizer
  NAPI_THROW_IF_FAILED(env, status, Napi::Value());
  return Napi::Value(env, buffer);
}

}  // namespace

void export_output_memory(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "outputMemory", output_memory);
}

}  // namespace blockwright
