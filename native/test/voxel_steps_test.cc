// Voxel steps: boxes, flips and threads against a plain version; values where conversions go wrong, by hand.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/voxel_steps.h"
#include "test/check.h"

using namespace blockwright;

namespace {

const Cancellation NEVER;
constexpr VoxelType TYPES[] = {VoxelType::boolean, VoxelType::uint8, VoxelType::int8,  VoxelType::uint16, VoxelType::int16, VoxelType::uint32,
                               VoxelType::int32,   VoxelType::uint64, VoxelType::int64, VoxelType::float32, VoxelType::float64};

VoxelStep convert(VoxelType to) { return {StepKind::convert, to, {}}; }

template <class T>
VoxelType type_of() {
  if (std::is_same_v<T, uint8_t>) return VoxelType::uint8;
  if (std::is_same_v<T, int8_t>) return VoxelType::int8;
  if (std::is_same_v<T, uint16_t>) return VoxelType::uint16;
  if (std::is_same_v<T, int16_t>) return VoxelType::int16;
  if (std::is_same_v<T, uint32_t>) return VoxelType::uint32;
  if (std::is_same_v<T, int32_t>) return VoxelType::int32;
  if (std::is_same_v<T, uint64_t>) return VoxelType::uint64;
  if (std::is_same_v<T, int64_t>) return VoxelType::int64;
  return std::is_same_v<T, float> ? VoxelType::float32 : VoxelType::float64;
}

// What steps make of one value.
template <class To, class From>
To computed(From value, const std::vector<VoxelStep>& steps, VoxelType from = type_of<From>()) {
  Exact<From> source(1);
  Exact<To> target(1);
  source[0] = value;
  VoxelPass pass;
  pass.source = reinterpret_cast<uint8_t*>(source.data());
  pass.source_type = from;
  pass.shape = pass.target_shape = Shape({1});
  pass.target_begin = Shape({0});
  pass.steps = steps;
  pass.target = reinterpret_cast<uint8_t*>(target.data());
  pass.check(sizeof(From), sizeof(To));
  run_voxel_pass(pass, 1, NEVER);
  return target[0];
}

// Every type to every other and back: small values survive.
void small_values() {
  for (const VoxelType first : TYPES) {
    for (const VoxelType second : TYPES) {
      for (uint8_t value = 0; value < (first == VoxelType::boolean || second == VoxelType::boolean ? 2 : 100); ++value) {
        CHECK(computed<uint8_t>(value, {convert(first), convert(second), convert(VoxelType::uint8)}) == value);
      }
    }
  }
}

template <class To>
void limits_of() {
  using Limits = std::numeric_limits<To>;
  const std::vector<VoxelStep> to = {convert(type_of<To>())};
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(computed<To>(std::nan(""), to) == 0 && computed<To>(std::nanf(""), to) == 0);
  CHECK(computed<To>(infinity, to) == Limits::max() && computed<To>(-infinity, to) == Limits::min());
  CHECK(computed<To>(1e30f, to) == Limits::max() && computed<To>(-1e30f, to) == Limits::min());
  CHECK(computed<To>(0.5, to) == 0 && computed<To>(1.5, to) == 2 && computed<To>(2.5f, to) == 2);
  CHECK(computed<To>(-0.5, to) == 0 && computed<To>(-1.5, to) == (std::is_signed_v<To> ? static_cast<To>(-2) : 0));
  CHECK(computed<To>(std::numeric_limits<uint64_t>::max(), to) == Limits::max());
  CHECK(computed<To>(std::numeric_limits<int64_t>::min(), to) == Limits::min());
  CHECK(computed<To>(static_cast<double>(Limits::max()), to) == Limits::max());
  CHECK(computed<To>(static_cast<double>(Limits::min()), to) == Limits::min());
  CHECK(computed<To>(std::nextafter(static_cast<double>(Limits::max()), infinity), to) == Limits::max());
  CHECK(computed<To>(std::nextafter(static_cast<double>(Limits::min()), -infinity), to) == Limits::min());
  const auto above = [](To value, double limit) {
    return computed<uint8_t>(value, {{StepKind::threshold, VoxelType::uint8, {limit, 0}}});
  };
  for (const double limit : {-1e300, -0.5, 0.0, 0.5, 99.0, static_cast<double>(Limits::max()), 1e300}) {
    for (const To value : {Limits::min(), To{0}, To{1}, To{100}, static_cast<To>(Limits::max() - 1), Limits::max()}) {
      CHECK(above(value, limit) == (static_cast<long double>(value) > static_cast<long double>(limit)));
    }
  }
}

void wide_integers() {
  CHECK(computed<uint64_t>(int64_t{-1}, {convert(VoxelType::uint64)}) == 0);
  CHECK(computed<int64_t>(uint64_t{1} << 63, {convert(VoxelType::int64)}) == std::numeric_limits<int64_t>::max());
  const uint64_t odd = (uint64_t{1} << 63) + 1;
  CHECK(computed<uint64_t>(odd, {convert(VoxelType::uint64)}) == odd);
  CHECK(computed<uint64_t>(odd, {}) == odd);
  CHECK(computed<uint8_t>(odd, {{StepKind::threshold, VoxelType::uint8, {0x1p63, 0}}}) == 1);
  CHECK(computed<uint8_t>(odd - 1, {{StepKind::threshold, VoxelType::uint8, {0x1p63, 0}}}) == 0);
  CHECK(computed<uint8_t>(uint8_t{7}, {convert(VoxelType::uint8)}, VoxelType::boolean) == 1);  // any byte but 0 is true
  CHECK(computed<float>(uint8_t{255}, {{StepKind::normalise, VoxelType::float32, {0, 510}}}) == 0.5f);
  CHECK(std::isnan(computed<float>(std::nan(""), {{StepKind::normalise, VoxelType::float32, {0, 1}}})));
}

// A box of a larger target, some axes backwards, affine by channel and a conversion, against plain indexing.
void boxes(const Shape& shape, Random& random, VoxelType from) {
  VoxelPass pass;
  pass.source_type = from;
  pass.shape = pass.target_shape = pass.target_begin = shape;
  const bool small = std::all_of(shape.extent.begin(), shape.extent.end(), [](int64_t extent) { return extent < 1000; });
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    pass.target_begin[axis] = static_cast<int64_t>(random.below(3));
    const bool tight = random.below(2) == 0 || !small;
    if (tight) pass.target_begin[axis] = 0;
    pass.target_shape[axis] = shape[axis] + pass.target_begin[axis] + (tight ? 0 : static_cast<int64_t>(random.below(3)));
    pass.flipped[axis] = random.below(2) == 0;
  }
  const size_t channels = static_cast<size_t>(shape[0]);
  const bool per_channel = random.below(2) == 0 && channels > 0 && channels < 1000;
  VoxelStep affine{StepKind::affine, VoxelType::float64, {}};
  for (size_t channel = 0; channel < (per_channel ? channels : 1); ++channel) {
    affine.parameters.insert(affine.parameters.end(), {1, static_cast<double>(channel * 10)});
  }
  if (from != VoxelType::boolean) pass.steps.push_back(affine);
  if (random.below(2) == 0) pass.steps.push_back(convert(TYPES[1 + random.below(10)]));
  Exact<uint8_t> source(shape.count() * item_size(from));
  Exact<uint8_t> target(pass.target_shape.count() * item_size(pass.target_type()));
  for (size_t i = 0; i < source.size(); ++i) source[i] = 0;
  Exact<uint8_t> values(shape.count());
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint8_t>(random.below(from == VoxelType::boolean ? 2 : 90));
  if (values.size() > 0) {
    VoxelPass make;
    make.source = values.data();
    make.shape = make.target_shape = Shape({static_cast<int64_t>(values.size())});
    make.target_begin = Shape({0});
    make.steps = {convert(from)};
    make.target = source.data();
    make.check(values.size(), source.size());
    run_voxel_pass(make, 1, NEVER);
  }
  pass.source = source.data();
  pass.target = target.data();
  pass.check(source.size(), target.size());
  for (const size_t threads : {size_t{1}, size_t{3}}) {
    std::fill(target.data(), target.data() + target.size(), uint8_t{0});
    run_voxel_pass(pass, threads, NEVER);
    Exact<double> seen(pass.target_shape.count());
    if (seen.size() > 0) {
      VoxelPass read;
      read.source = target.data();
      read.source_type = pass.target_type();
      read.shape = read.target_shape = Shape({static_cast<int64_t>(seen.size())});
      read.target_begin = Shape({0});
      read.steps = {convert(VoxelType::float64)};
      read.target = reinterpret_cast<uint8_t*>(seen.data());
      run_voxel_pass(read, 1, NEVER);
    }
    const Shape strides = shape.strides();
    const Shape target_strides = pass.target_shape.strides();
    double sum = 0, expected_sum = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      int64_t at = 0, to = 0;
      for (int axis = 0; axis < shape.dimensions; ++axis) {
        const int64_t place = static_cast<int64_t>(i) / strides[axis] % shape[axis];
        at += (pass.flipped[axis] ? shape[axis] - 1 - place : place) * strides[axis];
        to += (place + pass.target_begin[axis]) * target_strides[axis];
      }
      const size_t channel = i / static_cast<size_t>(strides[0]);
      double expected = static_cast<double>(values[static_cast<size_t>(at)]);
      if (from != VoxelType::boolean && per_channel) expected += static_cast<double>(channel * 10);
      const VoxelType end = pass.target_type();
      if (end == VoxelType::int8) expected = std::min(expected, 127.0);
      if (end == VoxelType::uint8) expected = std::min(expected, 255.0);
      CHECK(seen[static_cast<size_t>(to)] == expected);
      expected_sum += expected;
    }
    for (size_t i = 0; i < seen.size(); ++i) sum += seen[i];
    CHECK(sum == expected_sum);  // nothing outside the box was written
  }
}

void in_place() {
  Exact<float> voxels(5000);
  for (size_t i = 0; i < voxels.size(); ++i) voxels[i] = static_cast<float>(i) - 2500.5f;
  VoxelPass pass;
  pass.source = pass.target = reinterpret_cast<uint8_t*>(voxels.data());
  pass.source_type = VoxelType::float32;
  pass.shape = pass.target_shape = Shape({5, 1000});
  pass.target_begin = Shape({0, 0});
  pass.steps = {convert(VoxelType::int32)};
  pass.check(20000, 20000);
  run_voxel_pass(pass, 2, NEVER);
  for (size_t i = 0; i < voxels.size(); ++i) {
    int32_t found;
    std::memcpy(&found, &voxels[i], 4);
    CHECK(found == static_cast<int32_t>(std::nearbyint(static_cast<double>(i) - 2500.5)));
  }
  pass.flipped[1] = true;
  CHECK_ERROR(ERR_ARGUMENT, pass.check(20000, 20000));
  pass.flipped[1] = false;
  pass.target += 4;
  CHECK_ERROR(ERR_ARGUMENT, pass.check(20000, 20000));
}

}  // namespace

int main() {
  small_values();
  limits_of<uint8_t>();
  limits_of<int8_t>();
  limits_of<uint16_t>();
  limits_of<int16_t>();
  limits_of<uint32_t>();
  limits_of<int32_t>();
  limits_of<uint64_t>();
  limits_of<int64_t>();
  wide_integers();
  in_place();
  Random random(1);
  for (int round = 0; round < 6; ++round) {
    for (const Shape& shape : hostile_shapes()) {
      for (const VoxelType type : TYPES) boxes(shape, random, type);
    }
  }
  boxes(Shape({3, 50, 70, 20}), random, VoxelType::uint8);
  boxes(Shape({200001}), random, VoxelType::uint16);

  // Refusals.
  uint8_t memory[64] = {};
  VoxelPass pass;
  pass.source = memory;
  pass.target = memory + 32;
  pass.shape = pass.target_shape = Shape({4});
  pass.target_begin = Shape({0});
  pass.check(4, 4);
  CHECK_ERROR(ERR_ARGUMENT, pass.check(5, 4));
  CHECK_ERROR(ERR_ARGUMENT, pass.check(4, 3));
  pass.target_begin = Shape({1});
  CHECK_ERROR(ERR_ARGUMENT, pass.check(4, 4));
  pass.target_begin = Shape({INT64_MAX});
  CHECK_ERROR(ERR_ARGUMENT, pass.check(4, 4));
  pass.target_begin = Shape({0});
  pass.steps = {{StepKind::affine, VoxelType::float32, {1, 2}}};
  pass.check(4, 16);
  pass.steps = {{StepKind::affine, VoxelType::uint8, {1, 2}}};
  CHECK_ERROR(ERR_ARGUMENT, pass.check(4, 4));
  pass.steps = {{StepKind::affine, VoxelType::float32, {1, 2, 3}}};
  CHECK_ERROR(ERR_ARGUMENT, pass.check(4, 16));
  pass.steps = {{StepKind::threshold, VoxelType::uint8, {}}};
  CHECK_ERROR(ERR_ARGUMENT, pass.check(4, 4));
  pass.source_type = VoxelType::boolean;
  pass.steps = {{StepKind::threshold, VoxelType::uint8, {1, 0}}};
  CHECK_ERROR(ERR_ARGUMENT, pass.check(4, 4));
  pass.steps = {};
  const uint8_t raised = 1;
  CHECK_ERROR(ERR_CANCELLED, run_voxel_pass(pass, 1, Cancellation(&raised)));
  return 0;
}
