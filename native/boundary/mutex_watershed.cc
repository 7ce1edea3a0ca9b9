#include "kernels/mutex_watershed.h"

#include <string>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"

namespace blockwright {

namespace {

void check_lists(const char* name, const std::vector<std::vector<int64_t>>& lists, size_t count, int axes) {
  if (lists.size() != count) throw Error(ERR_ARGUMENT, std::string(name) + ": expected one list a channel");
  for (const auto& list : lists) {
    if (list.size() != static_cast<size_t>(axes)) throw Error(ERR_ARGUMENT, std::string(name) + ": expected one number an axis");
  }
}

Napi::Value mutex_watershed_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  MutexWatershedInput input;
  input.shape = arguments.shape("shape");
  const size_t voxels = input.shape.count();
  const int axes = input.shape.dimensions;
  input.offsets = arguments.integer_lists("offsets");
  const size_t channels = input.offsets.size();
  check_lists("offsets", input.offsets, channels, axes);
  size_t edges;
  if (__builtin_mul_overflow(voxels, channels, &edges)) throw Error(ERR_LIMIT, "offsets: too many edges");
  if (arguments.array_type("affinities") == napi_uint8_array) {
    input.affinities_uint8 = arguments.array<uint8_t>("affinities", edges).data;
  } else {
    input.affinities_float32 = arguments.array<float>("affinities", edges).data;
  }
  if (arguments.has("strides")) {
    input.strides = arguments.integer_lists("strides");
    check_lists("strides", input.strides, channels, axes);
    for (const auto& list : input.strides) {
      for (const int64_t stride : list) {
        if (stride < 1) throw Error(ERR_ARGUMENT, "strides: expected positive numbers");
      }
    }
    input.randomized_strides = arguments.boolean("randomizedStrides");
  }
  if (arguments.has("smoothed")) input.smoothed = arguments.array<float>("smoothed", edges).data;
  if (arguments.has("mask")) input.mask = arguments.array<uint8_t>("mask", voxels).data;
  input.bias = arguments.numbers("bias");
  if (input.bias.size() != channels) throw Error(ERR_ARGUMENT, "bias: expected one number a channel");
  input.noise_eps = arguments.number("noiseEps", 0);
  if (arguments.has("seed")) input.seed = arguments.unsigned64("seed");
  if (arguments.has("stream")) input.stream = arguments.unsigned64("stream");
  if (arguments.has("origin")) {
    input.origin = arguments.integers("origin");
    if (input.origin.size() != static_cast<size_t>(axes)) throw Error(ERR_ARGUMENT, "origin: expected one number an axis");
  }
  input.threads = static_cast<size_t>(arguments.unsigned64("threads"));
  MutexWatershedSeeds seeds;
  if (arguments.has("seeds")) seeds.seeds = arguments.array<uint64_t>("seeds", voxels).data;
  if (arguments.has("edgeKinds")) {
    const Span<uint8_t> kinds = arguments.array<uint8_t>("edgeKinds");
    const Span<uint64_t> ids = arguments.array<uint64_t>("edgeIds", 2 * kinds.size);
    for (size_t i = 0; i < kinds.size; ++i) seeds.edges.push_back({kinds[i] != 0, ids[2 * i], ids[2 * i + 1]});
  }
  const Span<uint64_t> labels = arguments.array<uint64_t>("labels", voxels);
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(),
      [=] { mutex_watershed(input, seeds, labels.data, cancellation); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

}  // namespace

void export_mutex_watershed(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "mutexWatershed", mutex_watershed_async); }

}  // namespace blockwright
