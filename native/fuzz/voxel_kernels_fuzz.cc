// The kernels that compute voxels from voxels, on any shape and values, beside plain versions. Promises: the same result, also in
// place and for any number of threads, or the error that the header names; nothing outside the arrays is touched.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "core/error_codes.h"
#include "fuzz/kernel_case.h"
#include "kernels/argmax.h"
#include "kernels/distance_transform.h"
#include "kernels/downsample.h"
#include "kernels/find_seeds.h"
#include "kernels/gaussian_smoothing.h"
#include "kernels/voxel_steps.h"

namespace blockwright {

namespace {

const Cancellation NEVER;
constexpr double INFINITE = std::numeric_limits<double>::infinity();

bool near(double found, double expected, double tolerance) {
  return found == expected || (found != found && expected != expected) || std::fabs(found - expected) <= tolerance;
}

// Squared distance to the nearest voxel outside the mask.
std::vector<double> plain_distances(const uint8_t* mask, const Shape& shape, const std::vector<double>& voxel_size) {
  std::vector<Shape> outside;
  for (size_t voxel = 0; voxel < shape.count(); ++voxel) {
    if (mask[voxel] == 0) outside.push_back(position_of(voxel, shape));
  }
  std::vector<double> result(shape.count(), INFINITE);
  for (size_t voxel = 0; voxel < result.size(); ++voxel) {
    const Shape position = position_of(voxel, shape);
    for (const Shape& other : outside) {
      double sum = 0;
      for (int axis = 0; axis < shape.dimensions; ++axis) {
        const double away = static_cast<double>(position[axis] - other[axis]) * voxel_size[axis];
        sum += away * away;
      }
      result[voxel] = std::min(result[voxel], sum);
    }
  }
  return result;
}

void fill_mask(KernelCase& chosen, uint8_t* mask, size_t count) {
  const uint64_t rarity = 1 + chosen.below(chosen.yes_one_of(2) ? 4 : 2000);
  for (size_t i = 0; i < count; ++i) mask[i] = chosen.content().below(rarity) == 0 ? 0 : static_cast<uint8_t>(1 + chosen.content().below(255));
  if (count > 0 && chosen.yes_one_of(6)) std::memset(mask, 7, count);  // no outside at all
}

void distances(KernelCase& chosen) {
  const Shape shape = chosen.shape(700);
  const size_t count = shape.count();
  Exact<uint8_t> mask(count);
  fill_mask(chosen, mask.data(), count);
  const double sizes[] = {1, 1, 4, 0.5, 1e-100, 1e100, 40};
  const bool unit = chosen.yes_one_of(2);
  std::vector<double> voxel_size(static_cast<size_t>(shape.dimensions), 1.0);
  if (!unit) {
    for (double& size : voxel_size) size = sizes[chosen.below(7)];
  }
  const bool squared = chosen.yes_one_of(2);
  Exact<double> output(count), other(count);
  distance_transform(mask.data(), shape, voxel_size, squared, output.data(), 1, NEVER);
  distance_transform(mask.data(), shape, voxel_size, squared, other.data(), 3, NEVER);
  promise(count == 0 || std::memcmp(output.data(), other.data(), count * sizeof(double)) == 0, "threads changed the result");
  const std::vector<double> expected = plain_distances(mask.data(), shape, voxel_size);
  for (size_t voxel = 0; voxel < count; ++voxel) {
    const double distance = squared ? expected[voxel] : std::sqrt(expected[voxel]);
    const double tolerance = unit ? 0 : 1e-9 * distance;
    promise(near(output[voxel], distance, tolerance), "another distance, shape " + text_of(shape) + ": " + std::to_string(output[voxel]) +
                                                          ", not " + std::to_string(distance));
  }
}

// Largest value in the window about every voxel, cut at the ends of the array.
std::vector<double> plain_maximum(std::vector<double> values, const Shape& shape, int64_t window) {
  const Shape strides = shape.strides();
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    const std::vector<double> before = values;
    for (size_t voxel = 0; voxel < values.size(); ++voxel) {
      const int64_t at = position_of(voxel, shape)[axis];
      const int64_t first = std::max<int64_t>(0, at - window / 2);
      const int64_t last = std::min(shape[axis] - 1, at + (window - window / 2 - 1));
      for (int64_t other = first; other <= last; ++other) {
        const double value = before[voxel + static_cast<size_t>((other - at) * strides[axis])];
        values[voxel] = std::max(values[voxel], value);
      }
    }
  }
  return values;
}

void seeds(KernelCase& chosen) {
  const Shape shape = chosen.shape(700);
  const size_t count = shape.count();
  Exact<uint8_t> mask(count);
  fill_mask(chosen, mask.data(), count);
  const int64_t window = chosen.yes_one_of(5) ? (int64_t{1} << 53) - 1 : static_cast<int64_t>(1 + chosen.below(9));
  Exact<uint64_t> output(count);
  const uint64_t found = find_seeds(mask.data(), shape, window, output.data(), NEVER);
  const std::vector<double> distance = plain_distances(mask.data(), shape, std::vector<double>(MAX_DIMENSIONS, 1.0));
  const std::vector<double> largest = plain_maximum(distance, shape, window);
  std::vector<uint64_t> maxima(count), expected;
  for (size_t voxel = 0; voxel < count; ++voxel) maxima[voxel] = mask[voxel] != 0 && distance[voxel] == largest[voxel];
  promise(flood_fill(maxima, shape, 1, expected) == found, "another number of seeds, shape " + text_of(shape));
  promise(std::equal(expected.begin(), expected.end(), output.data()), "other seeds, shape " + text_of(shape));
}

template <class Value>
void mask_of_means(KernelCase& chosen) {
  const size_t count = chosen.shape(10000).count();
  const uint64_t available = 1 + chosen.below(4);
  Exact<Value> affinities(available * count);
  if constexpr (std::is_integral_v<Value>) {
    chosen.fill_bytes(affinities.data(), affinities.size());
  } else {
    chosen.fill_values(affinities.data(), affinities.size(), chosen.yes_one_of(3));
  }
  std::vector<int64_t> channels(1 + chosen.below(4));
  for (int64_t& channel : channels) channel = static_cast<int64_t>(chosen.below(available));
  const double threshold = static_cast<double>(chosen.below(10)) / 8;
  const double limit = threshold * (std::is_integral_v<Value> ? 255.0 : 1.0) * static_cast<double>(channels.size());
  bool refused = false;
  std::vector<uint8_t> expected(count);
  for (size_t voxel = 0; voxel < count; ++voxel) {
    double sum = 0;
    for (const int64_t channel : channels) sum += static_cast<double>(affinities[static_cast<size_t>(channel) * count + voxel]);
    refused = refused || sum != sum;
    expected[voxel] = sum > limit ? 1 : 0;
  }
  Exact<uint8_t> mask(count);
  const std::string code = code_of([&] { threshold_mean(affinities.data(), count, channels, threshold, mask.data(), NEVER); });
  promise(code == (refused ? ERR_NOT_A_NUMBER : ""), "ended with " + code);
  promise(refused || std::equal(expected.begin(), expected.end(), mask.data()), "another mask");
}

template <class Value>
void smoothed(KernelCase& chosen) {
  const Shape shape = chosen.shape(500);
  const size_t count = shape.count();
  const bool special = chosen.yes_one_of(4);
  Exact<Value> values(count), output(count);
  chosen.fill_values(values.data(), count, special);
  const double widths[] = {0, 0, 0.1, 0.124, 0.7, 1.5, 20, 500};
  std::vector<double> sigma(static_cast<size_t>(shape.dimensions));
  for (double& width : sigma) width = widths[chosen.below(8)];
  std::vector<double> expected(values.data(), values.data() + count);
  const Shape strides = shape.strides();
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    if (sigma[axis] == 0) continue;
    const std::vector<double> weights = gaussian_weights(sigma[axis]);
    const std::vector<double> before = expected;
    const int64_t length = shape[axis], period = 2 * length;
    for (size_t voxel = 0; voxel < count; ++voxel) {
      const int64_t at = position_of(voxel, shape)[axis];
      const auto value = [&](int64_t place) {
        const int64_t within = ((place % period) + period) % period;
        const int64_t inside = within < length ? within : period - 1 - within;
        return before[voxel + static_cast<size_t>((inside - at) * strides[axis])];
      };
      double sum = weights[0] * value(at);
      for (size_t distance = 1; distance < weights.size(); ++distance) {
        const auto away = static_cast<int64_t>(distance);
        sum += weights[distance] * (value(at - away) + value(at + away));
      }
      expected[voxel] = static_cast<double>(static_cast<Value>(sum));
    }
  }
  gaussian_smoothing(values.data(), output.data(), shape, sigma, 1, NEVER);
  // Without special values all is in [0, 1].
  const double tolerance = sizeof(Value) == 4 ? 1e-5 : 1e-12;
  for (size_t voxel = 0; voxel < count && !special; ++voxel) {
    promise(near(output[voxel], expected[voxel], tolerance), "another mean, shape " + text_of(shape));
  }
  gaussian_smoothing(values.data(), values.data(), shape, sigma, 3, NEVER);
  promise(count == 0 || std::memcmp(values.data(), output.data(), count * sizeof(Value)) == 0, "another result in place and on threads");
}

template <class T>
T plain_cell(const std::vector<T>& cell, DownsampleMethod method, bool ignore_background) {
  if (method == DownsampleMethod::stride) return cell[0];
  if (method == DownsampleMethod::mode) {
    std::map<T, size_t> counts;
    for (const T value : cell) ++counts[value];
    if (ignore_background && counts.size() > 1) counts.erase(0);
    return std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
  }
  if constexpr (std::is_floating_point_v<T>) {
    double sum = 0;
    for (const T value : cell) sum += static_cast<double>(value);
    return static_cast<T>(sum / static_cast<double>(cell.size()));
  } else {
    __int128 sum = 0;
    for (const T value : cell) sum += value;
    const auto size = static_cast<__int128>(cell.size());
    __int128 result = sum / size, rest = sum % size;
    if (rest < 0) {
      rest += size;
      --result;
    }
    if (2 * rest > size || (2 * rest == size && result % 2 != 0)) ++result;
    return static_cast<T>(result);
  }
}

template <class T>
void coarser(KernelCase& chosen) {
  const Shape shape = chosen.shape(3000);
  const size_t count = shape.count();
  Exact<T> values(count);
  Random& random = chosen.content();
  const uint64_t kinds = 1 + chosen.below(4);
  const T extremes[] = {0, 1, std::numeric_limits<T>::max(), std::numeric_limits<T>::lowest()};
  for (size_t i = 0; i < count; ++i) values[i] = extremes[random.below(kinds)];
  Shape factors = shape;
  const int64_t lengths[] = {1, 2, 3, 5, 64, int64_t{1} << 31};
  int64_t cell_limit = int64_t{1} << 31;
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    const int64_t factor = lengths[chosen.below(6)];
    factors[axis] = factor <= cell_limit ? factor : 1;
    cell_limit /= factors[axis];
  }
  const auto method = std::array{DownsampleMethod::mean, DownsampleMethod::mode, DownsampleMethod::stride}[chosen.below(3)];
  const bool ignore_background = chosen.yes_one_of(2);
  const Shape coarse = downsampled_shape(shape, factors);
  Exact<T> output(coarse.count());
  const std::string code =
      code_of([&] { downsample(values.data(), shape, factors, method, ignore_background, output.data(), NEVER); });
  const bool refused = std::is_floating_point_v<T> && method == DownsampleMethod::mode && count > 0;
  promise(code == (refused ? ERR_ARGUMENT : ""), "ended with " + code);
  if (refused) return;
  std::vector<std::vector<T>> cells(output.size());
  const Shape strides = coarse.strides();
  for (size_t voxel = 0; voxel < count; ++voxel) {
    const Shape position = position_of(voxel, shape);
    int64_t at = 0;
    for (int axis = 0; axis < shape.dimensions; ++axis) at += position[axis] / factors[axis] * strides[axis];
    cells[static_cast<size_t>(at)].push_back(values[voxel]);
  }
  for (size_t at = 0; at < cells.size(); ++at) {
    const T expected = plain_cell(cells[at], method, ignore_background);
    promise(output[at] == expected || (expected != expected && output[at] != output[at]), "another value, shape " + text_of(shape));
  }
}

// The plain version of the steps themselves is in native/test/voxel_steps_test.cc; here boxes, flips and threads.
void steps(KernelCase& chosen) {
  VoxelPass pass;
  pass.target_shape = chosen.shape(20000);
  const Box box = chosen.box(pass.target_shape);
  pass.shape = box.shape;
  pass.target_begin = box.begin;
  for (int axis = 0; axis < pass.shape.dimensions; ++axis) pass.flipped[axis] = chosen.yes_one_of(3);
  constexpr uint64_t TYPES = 11;
  pass.source_type = static_cast<VoxelType>(chosen.below(TYPES));
  const size_t channels = static_cast<size_t>(pass.shape[0]);
  for (uint64_t i = chosen.below(4); i > 0; --i) {
    VoxelStep step;
    step.kind = static_cast<StepKind>(chosen.below(4));
    step.to = step.kind == StepKind::threshold   ? VoxelType::uint8
              : step.kind == StepKind::normalise ? VoxelType::float32
              : step.kind == StepKind::affine    ? (chosen.yes_one_of(2) ? VoxelType::float32 : VoxelType::float64)
                                                 : static_cast<VoxelType>(chosen.below(TYPES));
    const bool each = channels < 1000 && chosen.yes_one_of(3);
    if (step.kind != StepKind::convert) step.parameters.resize(each ? 2 * channels : 2);
    chosen.fill_values(step.parameters.data(), step.parameters.size(), chosen.yes_one_of(3));
    pass.steps.push_back(step);
  }
  const size_t source_bytes = pass.shape.count() * item_size(pass.source_type);
  const size_t target_bytes = pass.target_shape.count() * item_size(pass.target_type());
  Exact<uint8_t> source(source_bytes), first(target_bytes), second(target_bytes);
  for (size_t i = 0; i < source_bytes; ++i) source[i] = static_cast<uint8_t>(chosen.content().next());
  pass.source = source.data();
  pass.target = first.data();
  const std::string code = code_of([&] { pass.check(source_bytes, target_bytes); });
  if (!code.empty()) return promise(code == ERR_ARGUMENT, "refused with " + code);
  for (uint8_t mark : {uint8_t{0x00}, uint8_t{0xff}}) {
    if (target_bytes > 0) std::memset(first.data(), mark, target_bytes);
    if (target_bytes > 0) std::memset(second.data(), mark, target_bytes);
    pass.target = first.data();
    run_voxel_pass(pass, 1, NEVER);
    pass.target = second.data();
    run_voxel_pass(pass, 3, NEVER);
    promise(target_bytes == 0 || std::memcmp(first.data(), second.data(), target_bytes) == 0, "threads changed the result");
    const size_t size = item_size(pass.target_type());
    for (size_t voxel = 0; voxel < pass.target_shape.count(); ++voxel) {
      const Shape position = position_of(voxel, pass.target_shape);
      bool inside = true;
      for (int axis = 0; axis < pass.shape.dimensions; ++axis) {
        inside = inside && position[axis] >= box.begin[axis] && position[axis] < box.begin[axis] + box.shape[axis];
      }
      for (size_t byte = 0; byte < size && !inside; ++byte) promise(first[voxel * size + byte] == mark, "written outside the box");
    }
  }
}

// Classes of highest sums: floats with NaN, and bytes whose sums no byte holds.
template <class Value>
void classes(KernelCase& chosen) {
  const size_t channels = 1 + chosen.below(9), voxels = chosen.below(chosen.yes_one_of(8) ? 70000 : 3000);
  Exact<Value> values(channels * voxels);
  if constexpr (std::is_integral_v<Value>) {
    chosen.fill_bytes(values.data(), values.size());
  } else {
    chosen.fill_values(values.data(), values.size(), chosen.yes_one_of(2));
  }
  std::vector<std::vector<size_t>> groups(1 + chosen.below(6));
  const size_t most = chosen.yes_one_of(2) ? 1 : 4;
  for (std::vector<size_t>& group : groups) {
    group.resize(1 + chosen.below(most));
    for (size_t& channel : group) channel = chosen.below(channels);
  }
  using Sum = std::conditional_t<std::is_integral_v<Value>, int64_t, Value>;
  Exact<uint8_t> found(voxels);
  Exact<uint64_t> wide(voxels);
  argmax(values.data(), channels, voxels, groups, found.data(), 1, NEVER);
  argmax(values.data(), channels, voxels, groups, wide.data(), 3, NEVER);
  for (size_t voxel = 0; voxel < voxels; ++voxel) {
    size_t best = 0;
    Sum highest = 0;
    for (size_t group = 0; group < groups.size(); ++group) {
      Sum sum = values[groups[group][0] * voxels + voxel];
      for (size_t member = 1; member < groups[group].size(); ++member) {
        sum = static_cast<Sum>(sum + values[groups[group][member] * voxels + voxel]);
      }
      if (group > 0 && (highest != highest || sum <= highest)) continue;
      best = group;
      highest = sum;
    }
    promise(found[voxel] == best && wide[voxel] == best, "another class");
  }
}

}  // namespace

}  // namespace blockwright

int main(int argc, char** argv) {
  using namespace blockwright;
  KernelTarget target({{"argmax", classes<uint8_t>},
                       {"argmax", classes<float>},
                       {"argmax", classes<double>},
                       {"distance_transform", distances},
                       {"find_seeds", seeds},
                       {"threshold_mean", mask_of_means<uint8_t>},
                       {"threshold_mean", mask_of_means<float>},
                       {"gaussian_smoothing", smoothed<float>},
                       {"gaussian_smoothing", smoothed<double>},
                       {"downsample", coarser<uint8_t>},
                       {"downsample", coarser<int16_t>},
                       {"downsample", coarser<uint32_t>},
                       {"downsample", coarser<uint64_t>},
                       {"downsample", coarser<int64_t>},
                       {"downsample", coarser<float>},
                       {"downsample", coarser<double>},
                       {"voxel_steps", steps}});
  return fuzz_main(argc, argv, target);
}
