#include "kernels/edge_scores.h"

#include <memory>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"

namespace blockwright {

namespace {

std::vector<EdgeChannel> channels_of(const Arguments& arguments, const Shape& shape, size_t affinities, size_t scores) {
  const std::vector<int64_t> indices = arguments.integers("channels");
  const std::vector<std::vector<int64_t>> offsets = arguments.integer_lists("offsets");
  const std::vector<std::vector<int64_t>> members = arguments.integer_lists("channelScores");
  if (offsets.size() != indices.size() || members.size() != indices.size()) {
    throw Error(ERR_ARGUMENT, "channels, offsets, channelScores: expected equal lengths");
  }
  const size_t count = shape.count();
  std::vector<EdgeChannel> channels(indices.size());
  for (size_t channel = 0; channel < indices.size(); ++channel) {
    EdgeChannel& entry = channels[channel];
    entry.index = indices[channel];
    if (entry.index < 0 || (count > 0 && static_cast<size_t>(entry.index) >= affinities / count)) {
      throw Error(ERR_ARGUMENT, "channels: expected channels of the affinities, found " + std::to_string(entry.index));
    }
    entry.offset = Shape(offsets[channel]);
    if (entry.offset.dimensions != shape.dimensions) throw Error(ERR_ARGUMENT, "offsets: expected one entry an axis");
    for (const int64_t score : members[channel]) {
      if (score < 0 || static_cast<size_t>(score) >= scores) throw Error(ERR_ARGUMENT, "channelScores: out of range");
      entry.scores.push_back(static_cast<uint32_t>(score));
    }
  }
  return channels;
}

template <class Value>
Napi::Value start(const Napi::CallbackInfo& info, const Arguments& arguments) {
  const Shape shape = arguments.shape("shape");
  const Box box{arguments.shape("boxOffset"), arguments.shape("boxShape")};
  check_box("box", box, shape);
  const Span<uint64_t> fragments = arguments.array<uint64_t>("fragments", shape.count());
  const Span<Value> affinities = arguments.array<Value>("affinities");
  const size_t scores = static_cast<size_t>(arguments.unsigned64("scores"));
  if (scores > 4096) throw Error(ERR_LIMIT, "scores: expected at most 4096, found " + std::to_string(scores));
  const std::vector<EdgeChannel> channels = channels_of(arguments, shape, affinities.size, scores);
  const Cancellation cancellation = arguments.cancellation();
  const auto result = std::make_shared<EdgeScores>();
  return run_async(
      info.Env(), arguments.object(),
      [=] { *result = edge_scores(fragments.data, affinities.data, shape, box, channels, scores, cancellation); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("u", to_typed_array(env, result->u));
        object.Set("v", to_typed_array(env, result->v));
        Napi::Array sums = Napi::Array::New(env, scores);
        Napi::Array counts = Napi::Array::New(env, scores);
        for (uint32_t score = 0; score < scores; ++score) {
          sums.Set(score, to_typed_array(env, result->sums[score]));
          counts.Set(score, to_typed_array(env, result->counts[score]));
        }
        object.Set("sums", sums);
        object.Set("counts", counts);
        return object;
      });
}

Napi::Value edge_scores_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  return arguments.array_type("affinities") == napi_float32_array ? start<float>(info, arguments)
                                                                  : start<uint8_t>(info, arguments);
}

}  // namespace

void export_edge_scores(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "edgeScores", edge_scores_async); }

}  // namespace blockwright
