#include "kernels/voxel_steps.h"

#include <algorithm>

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "core/large_pages.h"

namespace blockwright {

namespace {

VoxelType type_of(const std::string& name) {
  const std::pair<const char*, VoxelType> types[] = {
      {"bool", VoxelType::boolean},   {"uint8", VoxelType::uint8},   {"int8", VoxelType::int8},
      {"uint16", VoxelType::uint16},  {"int16", VoxelType::int16},   {"uint32", VoxelType::uint32},
      {"int32", VoxelType::int32},    {"uint64", VoxelType::uint64}, {"int64", VoxelType::int64},
      {"float32", VoxelType::float32}, {"float64", VoxelType::float64}};
  for (const auto& [known, type] : types) {
    if (name == known) return type;
  }
  throw Error(ERR_ARGUMENT, "type: expected a data type, found " + name);
}

StepKind kind_of(const std::string& name) {
  if (name == "convert") return StepKind::convert;
  if (name == "affine") return StepKind::affine;
  if (name == "normalise") return StepKind::normalise;
  if (name == "threshold") return StepKind::threshold;
  throw Error(ERR_ARGUMENT, "kind: expected convert, affine, normalise or threshold, found " + name);
}

std::vector<VoxelStep> steps_of(const Arguments& arguments) {
  const Napi::Value list = arguments.object().Get("steps");
  if (!list.IsArray()) throw Error(ERR_ARGUMENT, "steps: expected an array");
  const auto entries = list.As<Napi::Array>();
  std::vector<VoxelStep> steps(entries.Length());
  for (uint32_t i = 0; i < steps.size(); ++i) {
    const Napi::Value entry = entries.Get(i);
    if (!entry.IsObject()) throw Error(ERR_ARGUMENT, "steps: expected objects");
    const Arguments options(entry.As<Napi::Object>());
    steps[i] = {kind_of(options.text("kind")), type_of(options.text("to")), options.numbers("parameters")};
  }
  return steps;
}

Napi::Value voxel_steps_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Span<uint8_t> source = arguments.bytes("source");
  const Span<uint8_t> target = arguments.bytes("target");
  VoxelPass pass;
  pass.source = source.data;
  pass.source_type = type_of(arguments.text("sourceType"));
  pass.shape = Shape(arguments.integers("shape"));
  const std::vector<int64_t> flipped = arguments.integers("flipped");
  for (const int64_t axis : flipped) {
    if (axis < 0 || axis >= pass.shape.dimensions) throw Error(ERR_ARGUMENT, "flipped: expected axes of the shape");
    pass.flipped[axis] = true;
  }
  pass.steps = steps_of(arguments);
  pass.target = target.data;
  pass.target_shape = Shape(arguments.integers("targetShape"));
  pass.target_begin = Shape(arguments.integers("targetBegin"));
  pass.check(source.size, target.size);
  const auto threads = static_cast<size_t>(std::clamp<int64_t>(arguments.integer("threads"), 1, 256));
  const Cancellation cancellation = arguments.cancellation();
  return run_async(
      info.Env(), arguments.object(),
      [=] {
        prefer_large_pages(target.data, target.size);
        run_voxel_pass(pass, threads, cancellation);
      },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

}  // namespace

void export_voxel_steps(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "voxelSteps", voxel_steps_async); }

}  // namespace blockwright
