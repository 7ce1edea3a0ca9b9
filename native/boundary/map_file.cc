#include <memory>

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "core/mapped_file.h"

namespace blockwright {

namespace {

Napi::Value map_file_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const std::string path = arguments.text("path");
  const auto file = std::make_shared<std::unique_ptr<MappedFile>>();
  return run_async(
      info.Env(), arguments.object(), [=] { *file = std::make_unique<MappedFile>(path); },
      [=](Napi::Env env) -> Napi::Value {
        if ((*file)->size() == 0) return Napi::ArrayBuffer::New(env, 0);
        // The buffer owns the mapping from here on: it ends when the buffer is collected.
        void* data = (*file)->data();
        const size_t size = (*file)->size();
        MappedFile* mapping = file->get();
        Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(
            env, data, size, [](Napi::Env, void*, MappedFile* mapped) { delete mapped; }, mapping);
        file->release();
        return buffer;
      });
}

}  // namespace

void export_map_file(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "mapFile", map_file_async); }

}  // namespace blockwright
