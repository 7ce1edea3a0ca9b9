#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "boundary/arguments.h"
#include "boundary/exports.h"
#include "boundary/instance_data.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"
#include "io/array_description.h"
#include "io/chunk_states.h"
#include "io/memory_chunk.h"
#include "io/read_region.h"
#include "io/write_region.h"

namespace blockwright {

namespace {

CodecKind codec_kind(const std::string& name) {
  if (name == "zstd") return CodecKind::Zstd;
  if (name == "blosc") return CodecKind::Blosc;
  if (name == "gzip") return CodecKind::Gzip;
  if (name == "zlib") return CodecKind::Zlib;
  if (name == "lz4") return CodecKind::Lz4;
  if (name == "crc32c") return CodecKind::Crc32c;
  throw Error(ERR_UNSUPPORTED, "codec " + name);
}

std::vector<Codec> codecs_of(const Arguments& arguments) {
  const Napi::Value list = arguments.object().Get("codecs");
  if (!list.IsArray()) throw Error(ERR_ARGUMENT, "codecs: expected an array");
  const auto entries = list.As<Napi::Array>();
  std::vector<Codec> codecs(entries.Length());
  for (uint32_t i = 0; i < codecs.size(); ++i) {
    const Napi::Value entry = entries.Get(i);
    if (!entry.IsObject()) throw Error(ERR_ARGUMENT, "codecs: expected objects");
    const Arguments options(entry.As<Napi::Object>());
    Codec& codec = codecs[i];
    codec.kind = codec_kind(options.text("name"));
    codec.level = static_cast<int>(std::clamp<int64_t>(options.integer("level", 1), -131072, 22));
    codec.checksum = options.boolean("checksum");
    if (codec.kind == CodecKind::Lz4) {
      codec.level = static_cast<int>(std::clamp<int64_t>(options.integer("acceleration"), 1, 65537));
    }
    if (codec.kind != CodecKind::Blosc) continue;
    codec.blosc_compressor = options.text("compressor");
    codec.blosc_shuffle = static_cast<int>(std::clamp<int64_t>(options.integer("shuffle"), 0, 2));
    codec.blosc_type_size = static_cast<size_t>(std::clamp<int64_t>(options.integer("typeSize"), 1, 255));
    codec.blosc_block_size = static_cast<size_t>(std::clamp<int64_t>(options.integer("blockSize"), 0, 0x7fffffff));
  }
  return codecs;
}

Arguments object_of(const Arguments& arguments, const char* name) {
  const Napi::Value value = arguments.object().Get(name);
  if (!value.IsObject()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected an object");
  return Arguments(value.As<Napi::Object>());
}

ChunkLayout layout_of(const Arguments& arguments, int depth = 0) {
  if (depth > 8) throw Error(ERR_LIMIT, "shard: too many shards inside each other");
  ChunkLayout layout;
  layout.shape = Shape(arguments.integers("chunkShape"));
  layout.order = Shape(arguments.integers("order"));
  layout.swap = arguments.boolean("swap");
  layout.codecs = codecs_of(arguments);
  if (!arguments.has("shard")) return layout;
  const Arguments options = object_of(arguments, "shard");
  const auto shard = std::make_shared<ShardLayout>();
  shard->inner = layout_of(object_of(options, "inner"), depth + 1);
  shard->index_at_start = options.boolean("indexAtStart");
  shard->index_swap = options.boolean("indexSwap");
  shard->index_checksum = options.boolean("indexChecksum");
  layout.shard = shard;
  return layout;
}

ArrayDescription array_of(const Arguments& arguments) {
  ArrayDescription array;
  array.path = arguments.text("path");
  array.shape = Shape(arguments.integers("shape"));  // its product may exceed 64 bits: only regions are in memory
  array.item_size = static_cast<size_t>(std::clamp<int64_t>(arguments.integer("itemSize"), 0, 255));
  array.float16 = arguments.boolean("float16");
  array.key_prefix = arguments.text("keyPrefix");
  const std::string separator = arguments.text("keySeparator");
  if (separator.size() != 1) throw Error(ERR_ARGUMENT, "keySeparator: expected one character");
  array.key_separator = separator[0];
  const Span<uint8_t> fill = arguments.array<uint8_t>("fill");
  array.fill.assign(fill.begin(), fill.end());
  array.stores_fill = arguments.boolean("storesFill");
  array.layout = layout_of(object_of(arguments, "layout"));
  array.check();
  return array;
}

Region region_of(const Arguments& arguments, const ArrayDescription& array) {
  const Span<uint8_t> data = arguments.bytes("data");
  Region region;
  region.begin = Shape(arguments.integers("begin"));
  region.end = Shape(arguments.integers("end"));
  region.data = data.data;
  region.data_begin = Shape(arguments.integers("dataBegin"));
  region.data_shape = Shape(arguments.integers("dataShape"));
  region.check(array, data.size);
  return region;
}

size_t threads_of(const Arguments& arguments) {
  return static_cast<size_t>(std::clamp<int64_t>(arguments.integer("threads"), 1, 256));
}

Napi::Value read_region_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const ArrayDescription array = array_of(arguments);
  const Region region = region_of(arguments, array);
  const size_t threads = threads_of(arguments);
  const Cancellation cancellation = arguments.cancellation();
  const std::shared_ptr<ChunkStates> states = instance_data(info.Env()).states;
  const auto missing = std::make_shared<size_t>(0);
  return run_async(
      info.Env(), arguments.object(), [=] { *missing = read_region(array, region, threads, cancellation, *states); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(*missing)); });
}

Napi::Value write_region_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const ArrayDescription array = array_of(arguments);
  const Region region = region_of(arguments, array);
  const size_t threads = threads_of(arguments);
  const bool durable = arguments.boolean("durable");
  const Cancellation cancellation = arguments.cancellation();
  const std::shared_ptr<ChunkStates> states = instance_data(info.Env()).states;
  return run_async(
      info.Env(), arguments.object(), [=] { write_region(array, region, durable, threads, cancellation, *states); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

// A chunk in memory with all that it refers to; the memory itself belongs to the options object.
struct ChunkCall {
  explicit ChunkCall(const Arguments& arguments) : array(array_of(arguments)), region(region_of(arguments, array)) {
    std::vector<Shape> inner;
    for (const std::vector<int64_t>& position : arguments.integer_lists("inner")) inner.emplace_back(position);
    chunk.emplace(array, Shape(arguments.integers("index")), std::move(inner));
  }
  ChunkCall(const ChunkCall&) = delete;
  ChunkCall& operator=(const ChunkCall&) = delete;

  const ArrayDescription array;
  const Region region;
  std::optional<MemoryChunk> chunk;
};

Napi::Value decode_chunk_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const auto call = std::make_shared<const ChunkCall>(arguments);
  const bool missing = !arguments.has("encoded");
  const Span<uint8_t> encoded = missing ? Span<uint8_t>{} : arguments.array<uint8_t>("encoded");
  return run_async(
      info.Env(), arguments.object(),
      [=] {
        if (missing) call->chunk->fill(call->region);
        else call->chunk->decode({encoded.data, encoded.size}, call->region);
      },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

Napi::Value find_inner_chunks_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const auto call = std::make_shared<const ChunkCall>(arguments);
  const Span<uint8_t> index = arguments.array<uint8_t>("shardIndex");
  const auto shard_size = static_cast<size_t>(std::max<int64_t>(0, arguments.integer("shardSize")));
  const auto places = std::make_shared<std::vector<double>>();
  return run_async(
      info.Env(), arguments.object(),
      [=] { *places = call->chunk->find_inner({index.data, index.size}, shard_size, call->region); },
      [=](Napi::Env env) -> Napi::Value { return to_typed_array(env, *places); });
}

}  // namespace

void export_regions(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "readRegion", read_region_async);
  BLOCKWRIGHT_EXPORT(exports, "writeRegion", write_region_async);
  BLOCKWRIGHT_EXPORT(exports, "decodeChunk", decode_chunk_async);
  BLOCKWRIGHT_EXPORT(exports, "findInnerChunks", find_inner_chunks_async);
}

}  // namespace blockwright
