// What belongs to one instance of the addon (a process, or a worker thread of it) and outlives its calls.
#pragma once

#include <napi.h>

#include <memory>

#include "core/large_pages.h"
#include "core/memory_pool.h"
#include "io/chunk_states.h"

namespace blockwright {

struct InstanceData {
  // A call that is under way keeps them alive.
  std::shared_ptr<ChunkStates> states = std::make_shared<ChunkStates>();
  // Results that are still held by JavaScript keep it alive. A gigabyte is the labels of 512^3 voxels.
  std::shared_ptr<MemoryPool> outputs = std::make_shared<MemoryPool>(memory_is_limited() ? 0 : size_t{1} << 30);
};

inline InstanceData& instance_data(Napi::Env env) {
  if (env.GetInstanceData<InstanceData>() == nullptr) env.SetInstanceData(new InstanceData());
  return *env.GetInstanceData<InstanceData>();
}

}  // namespace blockwright
