// The region engine: random layouts against an array in memory, damaged files, half precision.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "io/array_description.h"
#include "io/float16.h"
#include "io/read_region.h"
#include "io/write_region.h"
#include "test/check.h"

using namespace blockwright;

namespace {

std::string new_folder() {
  char path[] = "/tmp/blockwright-regions-XXXXXX";
  CHECK(mkdtemp(path) != nullptr);
  return path;
}

void remove_folder(const std::string& path) {
  DIR* const folder = opendir(path.c_str());
  CHECK(folder != nullptr);
  while (const dirent* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") CHECK(unlink((path + "/" + name).c_str()) == 0);
  }
  closedir(folder);
  CHECK(rmdir(path.c_str()) == 0);
}

std::vector<std::string> files_of(const std::string& path) {
  std::vector<std::string> names;
  DIR* const folder = opendir(path.c_str());
  CHECK(folder != nullptr);
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') names.push_back(path + "/" + entry->d_name);
    CHECK(std::string(entry->d_name).find(".tmp") == std::string::npos);
  }
  closedir(folder);
  return names;
}

std::vector<Codec> random_codecs(Random& random, bool checked) {
  std::vector<Codec> codecs;
  const size_t choice = random.below(7);
  if (choice < 6) {
    Codec codec;
    codec.kind = static_cast<CodecKind>(choice);
    codec.checksum = random.below(2) == 0;
    codec.blosc_compressor = random.below(2) == 0 ? "lz4" : "zstd";
    codec.blosc_shuffle = static_cast<int>(random.below(3));
    codec.blosc_type_size = 1 + random.below(8);
    codecs.push_back(codec);
  }
  if (checked) codecs.emplace_back().kind = CodecKind::Crc32c;
  return codecs;
}

Shape random_order(Random& random, int dimensions) {
  Shape order;
  order.dimensions = dimensions;
  for (int axis = 0; axis < dimensions; ++axis) order[axis] = axis;
  for (int axis = dimensions - 1; axis > 0; --axis) std::swap(order[axis], order[static_cast<int>(random.below(axis + 1))]);
  return order;
}

ChunkLayout random_layout(Random& random, int dimensions, size_t item_size, size_t levels, bool checked) {
  ChunkLayout layout;
  layout.order = random_order(random, dimensions);
  layout.shape = layout.order;
  if (levels == 0) {
    for (int axis = 0; axis < dimensions; ++axis) layout.shape[axis] = 1 + static_cast<int64_t>(random.below(5));
    layout.swap = item_size > 1 && random.below(2) == 0;
    layout.codecs = random_codecs(random, checked);
    return layout;
  }
  auto shard = std::make_shared<ShardLayout>();
  shard->inner = random_layout(random, dimensions, item_size, levels - 1, checked);
  shard->index_at_start = random.below(2) == 0;
  shard->index_swap = random.below(2) == 0;
  shard->index_checksum = checked || random.below(2) == 0;
  for (int axis = 0; axis < dimensions; ++axis) {
    layout.shape[axis] = shard->inner.shape[axis] * (1 + static_cast<int64_t>(random.below(3)));
  }
  layout.shard = shard;
  if (random.below(3) == 0) layout.codecs = random_codecs(random, checked);
  return layout;
}

ArrayDescription random_array(Random& random, const std::string& path, bool checked) {
  ArrayDescription array;
  array.path = path;
  array.item_size = size_t{1} << random.below(4);
  array.float16 = array.item_size == 2 && random.below(2) == 0;
  array.key_separator = '.';
  const int dimensions = static_cast<int>(random.below(5));
  array.layout = random_layout(random, dimensions, array.item_size, random.below(3), checked);
  array.shape = array.layout.shape;
  for (int axis = 0; axis < dimensions; ++axis) array.shape[axis] = static_cast<int64_t>(random.below(14));
  array.fill.assign(array.item_size, static_cast<uint8_t>(random.below(2)));
  array.check();
  return array;
}

Region random_region(Random& random, const ArrayDescription& array) {
  Region region;
  region.begin = region.end = array.shape;
  for (int axis = 0; axis < array.shape.dimensions; ++axis) {
    const auto a = static_cast<int64_t>(random.below(array.shape[axis] + 1));
    const auto b = static_cast<int64_t>(random.below(array.shape[axis] + 1));
    region.begin[axis] = std::min(a, b);
    region.end[axis] = std::max(a, b);
  }
  region.data_begin = region.begin;
  region.data_shape = region.end;
  for (int axis = 0; axis < array.shape.dimensions; ++axis) region.data_shape[axis] -= region.begin[axis];
  return region;
}

Region whole_region(const ArrayDescription& array) {
  Region region;
  region.begin = region.data_begin = array.shape;
  for (int axis = 0; axis < array.shape.dimensions; ++axis) region.begin[axis] = region.data_begin[axis] = 0;
  region.end = region.data_shape = array.shape;
  return region;
}

// Calls visit(index in the array, index in the region) for each voxel of the region.
template <class Visit>
void for_each_voxel(const ArrayDescription& array, const Region& region, const Visit& visit) {
  const size_t count = region.data_shape.count();
  for (size_t number = 0; number < count; ++number) {
    size_t rest = number;
    size_t index = 0;
    size_t stride = 1;
    for (int axis = array.shape.dimensions - 1; axis >= 0; --axis) {
      const auto extent = static_cast<size_t>(region.data_shape[axis]);
      index += stride * (static_cast<size_t>(region.begin[axis]) + rest % extent);
      rest /= extent;
      stride *= static_cast<size_t>(array.shape[axis]);
    }
    visit(index, number);
  }
}

// Memory of exactly the region's size.
struct Voxels {
  Voxels(const ArrayDescription& array, const Region& region)
      : size(array.memory_item_size()), bytes(region.data_shape.count() * size) {}
  uint8_t* item(size_t number) const { return bytes.data() + number * size; }
  size_t size;
  Exact<uint8_t> bytes;
};

// A value of few, so that chunks become all fill value now and then; one that half precision can hold.
void set_random(Random& random, const ArrayDescription& array, uint8_t* item) {
  const auto value = static_cast<uint8_t>(random.below(3));
  if (array.float16) {
    const float number = value == 2 ? -1.5f : float_from_half(static_cast<uint16_t>(value * 0x0101));
    std::memcpy(item, &number, sizeof(number));
  } else {
    std::memset(item, value, array.item_size);
  }
}

void fill_item(const ArrayDescription& array, uint8_t* item) {
  Shape nothing;
  array.fill_memory(nothing, item, nothing);
}

ChunkStates states;  // of all calls: what a codec left behind must not matter

void write_random(Random& random, const ArrayDescription& array, Voxels* twin) {
  Region region = random_region(random, array);
  const Voxels data(array, region);
  const bool all_fill = random.below(3) == 0;
  for_each_voxel(array, region, [&](size_t index, size_t number) {
    if (all_fill) {
      fill_item(array, data.item(number));
    } else {
      set_random(random, array, data.item(number));
    }
    if (twin != nullptr) std::memcpy(twin->item(index), data.item(number), data.size);
  });
  region.data = data.bytes.data();
  region.check(array, data.bytes.size());
  write_region(array, region, false, 1 + random.below(4), Cancellation(), states);
}

void random_layouts() {
  Random random(11);
  for (int round = 0; round < 250; ++round) {
    const std::string path = new_folder();
    const ArrayDescription array = random_array(random, path, random.below(2) == 0);
    Voxels twin(array, whole_region(array));
    for (size_t number = 0; number < array.shape.count(); ++number) fill_item(array, twin.item(number));
    for (size_t write = random.below(5); write > 0; --write) write_random(random, array, &twin);
    for (int read = 0; read < 3; ++read) {
      Region region = read == 0 ? whole_region(array) : random_region(random, array);
      const Voxels data(array, region);
      region.data = data.bytes.data();
      read_region(array, region, 1 + random.below(3), Cancellation(), states);
      for_each_voxel(array, region, [&](size_t index, size_t number) {
        CHECK(std::memcmp(twin.item(index), data.item(number), data.size) == 0);
      });
    }
    files_of(path);  // no temporary file is left
    remove_folder(path);
  }
}

// Damages a file at a random place, mostly where lengths and indexes are.
void damage(Random& random, const std::string& path) {
  struct stat status {};
  CHECK(stat(path.c_str(), &status) == 0);
  const auto size = static_cast<size_t>(status.st_size);
  if (random.below(4) == 0) {
    CHECK(truncate(path.c_str(), static_cast<off_t>(random.below(size))) == 0);
    return;
  }
  const size_t near = std::min<size_t>(size, 40);
  const size_t where = random.below(3) == 0 ? random.below(size) : random.below(2) == 0 ? random.below(near) : size - 1 - random.below(near);
  std::FILE* const file = std::fopen(path.c_str(), "r+b");
  CHECK(file != nullptr);
  std::fseek(file, static_cast<long>(where), SEEK_SET);
  const auto byte = static_cast<unsigned char>(random.next());
  CHECK(std::fwrite(&byte, 1, 1, file) == 1);
  std::fclose(file);
}

// What is damaged is ERR_CHUNK_CORRUPT, or, without checksums, any voxels; never a step beyond memory.
void damaged_files() {
  Random random(12);
  for (int round = 0; round < 250; ++round) {
    const std::string path = new_folder();
    const ArrayDescription array = random_array(random, path, false);
    for (int write = 0; write < 3; ++write) write_random(random, array, nullptr);
    for (int hit = 0; hit < 6; ++hit) {
      for (const std::string& file : files_of(path)) {
        struct stat status {};
        CHECK(stat(file.c_str(), &status) == 0);
        if (status.st_size > 0 && random.below(2) == 0) damage(random, file);
      }
      const auto expect_corrupt = [](const auto& action) {
        try {
          action();
        } catch (const Error& error) {
          CHECK(std::string(error.code()) == ERR_CHUNK_CORRUPT);
        }
      };
      expect_corrupt([&] {
        Region region = whole_region(array);
        const Voxels data(array, region);
        region.data = data.bytes.data();
        read_region(array, region, 1 + random.below(3), Cancellation(), states);
      });
      expect_corrupt([&] { write_random(random, array, nullptr); });
    }
    files_of(path);
    remove_folder(path);
  }
}

void hostile_layouts() {
  ArrayDescription array;
  array.path = "/nowhere";
  array.shape = Shape({100});
  array.fill = {0};
  array.layout.shape = Shape({100});
  array.layout.order = Shape({0});
  array.check();
  const auto shard_of = [&](int64_t extent, int64_t inner) {
    auto shard = std::make_shared<ShardLayout>();
    shard->inner = array.layout;
    shard->inner.shape = Shape({inner});
    ArrayDescription result = array;
    result.layout.shape = Shape({extent});
    result.layout.shard = shard;
    return result;
  };
  shard_of(100, 10).check();
  CHECK_ERROR(ERR_ARGUMENT, shard_of(100, 30).check());
  CHECK_ERROR(ERR_ARGUMENT, shard_of(100, 0).check());
  CHECK_ERROR(ERR_LIMIT, shard_of(int64_t{1} << 40, 1).check());
  CHECK_ERROR(ERR_LIMIT, shard_of(int64_t{1} << 40, int64_t{1} << 32).check());
  ArrayDescription wrapped = shard_of(int64_t{1} << 31, 1 << 20);
  wrapped.check();
  wrapped.layout.codecs.emplace_back();
  CHECK_ERROR(ERR_LIMIT, wrapped.check());
  ArrayDescription half = array;
  half.float16 = true;
  CHECK_ERROR(ERR_ARGUMENT, half.check());
}

// By the definition of the format.
double value_of_half(uint32_t half) {
  const int exponent = static_cast<int>(half >> 10 & 31);
  const double fraction = half & 1023;
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

void half_precision() {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const double value = value_of_half(half);
    const float widened = float_from_half(static_cast<uint16_t>(half));
    CHECK(std::isnan(value) ? std::isnan(widened) : widened == value && std::signbit(widened) == std::signbit(value));
    CHECK(half_from_float(widened) == half);  // the bits of NaNs too
    if (half >= 0x7c00) continue;
    // Between neighbours: the nearer one, and the even one half way.
    const double next = half == 0x7bff ? 65536.0 : value_of_half(half + 1);
    const auto middle = static_cast<float>((value + next) / 2);
    CHECK(middle == (value + next) / 2);
    CHECK(half_from_float(middle) == (half % 2 == 0 ? half : half + 1));
    CHECK(half_from_float(std::nextafter(middle, 0.0f)) == half);
    CHECK(half_from_float(-std::nextafter(middle, 1e30f)) == (half + 1 | 0x8000));
  }
  CHECK(half_from_float(1e30f) == 0x7c00);
  CHECK(half_from_float(-std::numeric_limits<float>::infinity()) == 0xfc00);
  uint32_t bits = 0x7f800001;  // a NaN all of whose kept bits are 0
  float nan;
  std::memcpy(&nan, &bits, sizeof(nan));
  CHECK(half_from_float(nan) == 0x7e00);
}

}  // namespace

int main() {
  random_layouts();
  damaged_files();
  hostile_layouts();
  half_precision();
  return 0;
}
