// Smoothing, distances, windows and seeds against plain versions; exp against libm.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/deterministic_exp.h"
#include "kernels/distance_transform.h"
#include "kernels/find_seeds.h"
#include "kernels/gaussian_smoothing.h"
#include "test/check.h"

using namespace blockwright;

namespace {

const Cancellation NEVER;
constexpr double INFINITE = std::numeric_limits<double>::infinity();

int64_t place_of(size_t voxel, const Shape& shape, int axis) {
  return static_cast<int64_t>(voxel) / shape.strides()[axis] % shape[axis];
}

void exponentials() {
  Random random(3);
  for (int i = 0; i < 100000; ++i) {
    const double x = (random.unit() - 0.5) * (i % 2 == 0 ? 1400 : 2);
    CHECK(std::fabs(deterministic_exp(x) / std::exp(x) - 1) < 1e-15);
  }
  CHECK(deterministic_exp(0) == 1 && deterministic_exp(-800) == 0 && deterministic_exp(1e300) == INFINITE);
  CHECK(deterministic_exp(-INFINITE) == 0 && std::isnan(deterministic_exp(NAN)));
}

void distances(const Shape& shape, Random& random) {
  const size_t count = shape.count();
  Exact<uint8_t> mask(count);
  const uint64_t holes = random.below(2) == 0 ? random.below(12) + 1 : 500;  // far apart, too
  for (size_t i = 0; i < count; ++i) mask[i] = random.below(holes) == 0 ? 0 : 1 + static_cast<uint8_t>(random.below(255));
  Exact<double> found(count);
  distance_transform(mask.data(), shape, std::vector<double>(static_cast<size_t>(shape.dimensions), 1.0), true, found.data(), 2, NEVER);
  for (size_t i = 0; i < count; ++i) {
    double nearest = INFINITE;
    for (size_t j = 0; j < count; ++j) {
      if (mask[j] != 0) continue;
      double square = 0;
      for (int axis = 0; axis < shape.dimensions; ++axis) {
        const double away = static_cast<double>(place_of(i, shape, axis) - place_of(j, shape, axis));
        square += away * away;
      }
      nearest = std::min(nearest, square);
    }
    CHECK(found[i] == nearest);
  }
  for (const int64_t window : {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{6}, INT64_MAX}) {
    Exact<double> largest(count);
    std::copy_n(found.data(), count, largest.data());
    maximum_filter(largest.data(), shape, window, NEVER);
    for (size_t i = 0; i < count; ++i) {
      double expected = -1;
      for (size_t j = 0; j < count; ++j) {
        bool near = true;
        for (int axis = 0; axis < shape.dimensions; ++axis) {
          const int64_t step = place_of(j, shape, axis) - place_of(i, shape, axis);
          near = near && step >= -(window / 2) && step <= window - window / 2 - 1;
        }
        if (near) expected = std::max(expected, found[j]);
      }
      CHECK(largest[i] == expected);
    }
  }
  Exact<uint64_t> seeds(count);
  find_seeds(mask.data(), shape, 3, seeds.data(), NEVER);
}

void smoothing(const Shape& shape, Random& random) {
  const size_t count = shape.count();
  std::vector<double> sigma(static_cast<size_t>(shape.dimensions));
  for (double& width : sigma) width = random.below(3) == 0 ? 0 : 4 * random.unit();
  Exact<double> values(count), output(count);
  for (size_t i = 0; i < count; ++i) values[i] = random.unit();
  std::vector<double> expected(values.data(), values.data() + count);
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    if (sigma[axis] == 0) continue;
    const int64_t radius = static_cast<int64_t>(4 * sigma[axis] + 0.5), length = shape[axis], stride = shape.strides()[axis];
    const std::vector<double> source = expected;
    double total = 0;
    for (int64_t k = -radius; k <= radius; ++k) total += std::exp(-0.5 * (k / sigma[axis]) * (k / sigma[axis]));
    for (size_t i = 0; i < count; ++i) {
      double sum = 0;
      for (int64_t k = -radius; k <= radius; ++k) {
        int64_t at = place_of(i, shape, axis) + k;
        while (at < 0 || at >= length) at = at < 0 ? -1 - at : 2 * length - 1 - at;
        const size_t other = static_cast<size_t>(static_cast<int64_t>(i) + (at - place_of(i, shape, axis)) * stride);
        sum += std::exp(-0.5 * (k / sigma[axis]) * (k / sigma[axis])) / total * source[other];
      }
      expected[i] = sum;
    }
  }
  gaussian_smoothing(values.data(), output.data(), shape, sigma, 2, NEVER);
  for (size_t i = 0; i < count; ++i) CHECK(std::fabs(output[i] - expected[i]) < 1e-13);
  gaussian_smoothing(values.data(), values.data(), shape, sigma, 2, NEVER);
  for (size_t i = 0; i < count; ++i) CHECK(values[i] == output[i]);
}

}  // namespace

int main() {
  exponentials();
  Random random(4);
  for (const Shape& shape : hostile_shapes()) {
    for (int round = 0; round < 3; ++round) {
      distances(shape, random);
      smoothing(shape, random);
    }
  }

  for (int round = 0; round < 4; ++round) {
    for (const std::vector<int64_t>& shape : {std::vector<int64_t>{2, 40, 9}, {2, 110, 3}, {2, 130}, {3, 4, 40}}) {
      distances(Shape(shape), random);
    }
  }

  // The same bits as in test/native/gaussian-smoothing.test.ts, with other compiler settings.
  double values[12];
  for (int i = 0; i < 12; ++i) values[i] = 1.0 / (i + 3);
  gaussian_smoothing(values, values, Shape({3, 4}), {1.3, 0.9}, 1, NEVER);
  uint64_t first = 0, last = 0;
  std::memcpy(&first, &values[0], 8);
  std::memcpy(&last, &values[11], 8);
  CHECK(first == 0x3fcc24e1afa0d982u && last == 0x3fb924651b43e048u);

  const uint8_t mask[] = {1, 1}, raised = 1;
  double output[2];
  uint64_t seeds[2];
  const Shape two({2});
  const Cancellation cancelled(&raised);
  for (const double size : {0.0, -1.0, 1e300, static_cast<double>(NAN), INFINITE}) {
    CHECK_ERROR(ERR_ARGUMENT, distance_transform(mask, two, {size}, true, output, 1, NEVER));
  }
  CHECK_ERROR(ERR_ARGUMENT, distance_transform(mask, two, {1, 1}, true, output, 1, NEVER));
  CHECK_ERROR(ERR_ARGUMENT, maximum_filter(output, two, 0, NEVER));
  for (const double sigma : {-1.0, 1e5, static_cast<double>(NAN)}) {
    CHECK_ERROR(ERR_ARGUMENT, gaussian_smoothing(output, output, two, {sigma}, 1, NEVER));
  }
  const float nan[] = {0, NAN};
  uint8_t found[2];
  CHECK_ERROR(ERR_NOT_A_NUMBER, threshold_mean(nan, 2, {0}, 0.5, found, NEVER));
  CHECK_ERROR(ERR_CANCELLED, distance_transform(mask, two, {1}, true, output, 1, cancelled));
  CHECK_ERROR(ERR_CANCELLED, gaussian_smoothing(output, output, two, {1}, 1, cancelled));
  CHECK_ERROR(ERR_CANCELLED, find_seeds(mask, two, 2, seeds, cancelled));
  return 0;
}
