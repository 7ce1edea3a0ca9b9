#include "kernels/gaussian_smoothing.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/deterministic_exp.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/parallel.h"
#include "core/target_clones.h"

namespace blockwright {

namespace {

constexpr size_t LANES = 64;      // lines that are smoothed together
constexpr size_t TOGETHER = 32;   // places whose sums are made together, in registers

// Index of a place beyond the ends, mirrored as often as it takes.
size_t mirrored(int64_t place, int64_t length) {
  const int64_t period = 2 * length;
  const int64_t within = ((place % period) + period) % period;
  return static_cast<size_t>(within < length ? within : period - 1 - within);
}

#define BLOCKWRIGHT_GAUSSIAN_LOOPS(Value)                                                                               \
  BLOCKWRIGHT_TARGET_CLONES                                                                                             \
  void widen(const Value* values, size_t count, double* result) {                                                       \
    for (size_t i = 0; i < count; ++i) result[i] = values[i];                                                           \
  }                                                                                                                     \
  /* output[i] = the weighted sum around centre[i], whose neighbours are `step` apart. Reads beyond `count` up to a */  \
  /* multiple of TOGETHER. */                                                                                           \
  BLOCKWRIGHT_TARGET_CLONES                                                                                             \
  void convolve(const double* centre, size_t step, const double* weights, size_t radius, Value* output, size_t count) { \
    for (size_t at = 0; at < count; at += TOGETHER) {                                                                   \
      double sums[TOGETHER]; /* in registers */                                                                         \
      for (size_t i = 0; i < TOGETHER; ++i) sums[i] = weights[0] * centre[at + i];                                      \
      for (size_t distance = 1; distance <= radius; ++distance) {                                                       \
        const double weight = weights[distance];                                                                        \
        const double* const before = centre + at - distance * step;                                                     \
        const double* const after = centre + at + distance * step;                                                      \
        for (size_t i = 0; i < TOGETHER; ++i) sums[i] += weight * (before[i] + after[i]);                               \
      }                                                                                                                 \
      if (count - at >= TOGETHER) {                                                                                     \
        for (size_t i = 0; i < TOGETHER; ++i) output[at + i] = static_cast<Value>(sums[i]);                             \
      } else {                                                                                                          \
        for (size_t i = 0; at + i < count; ++i) output[at + i] = static_cast<Value>(sums[i]);                           \
      }                                                                                                                 \
    }                                                                                                                   \
  }
BLOCKWRIGHT_GAUSSIAN_LOOPS(float)
BLOCKWRIGHT_GAUSSIAN_LOOPS(double)
#undef BLOCKWRIGHT_GAUSSIAN_LOOPS

template <class Value>
class Smoothing {
 public:
  Smoothing(Value* output, const Shape& shape, const std::vector<double>& sigma, const Cancellation& cancellation)
      : output_(output), shape_(shape), strides_(shape.strides()), cancellation_(cancellation) {
    for (int axis = 0; axis < shape.dimensions; ++axis) {
      weights_[axis] = sigma[axis] == 0.0 ? std::vector<double>() : gaussian_weights(sigma[axis]);
      if (sigma[axis] != 0.0) last_ = axis;
    }
  }

  // Smooths the part of the array that begins at `begin` along `axis`, then along the later axes: what lies together there is
  // smoothed along all of them while it is in the cache.
  void run(int axis, size_t begin, const Value* source, size_t threads) const {
    const size_t length = static_cast<size_t>(shape_[axis]), stride = static_cast<size_t>(strides_[axis]);
    if (!weights_[axis].empty()) {
      parallel_for(threads, (stride + LANES - 1) / LANES, [&](size_t strip) {
        const size_t line = strip * LANES;
        columns(begin + line, source, length, stride, std::min(LANES, stride - line), weights_[axis]);
      });
      source = output_;
    }
    if (axis == last_) return;
    if (axis + 1 == shape_.dimensions - 1) {
      constexpr size_t ROWS = 64;
      parallel_for(threads, (length + ROWS - 1) / ROWS, [&](size_t part) {
        rows(begin + part * ROWS * stride, source, std::min(ROWS, length - part * ROWS), stride, weights_[axis + 1]);
      });
      return;
    }
    const bool alone = length == 1;  // the threads are for the next axis
    parallel_for(alone ? 1 : threads, length,
                 [&](size_t at) { run(axis + 1, begin + at * stride, source, alone ? threads : 1); });
  }

  bool changes() const { return last_ >= 0; }

  // Rows of `length` voxels, one after the other.
  void rows(size_t begin, const Value* source, size_t count, size_t length, const std::vector<double>& weights) const {
    const size_t radius = weights.size() - 1;
    std::vector<double> buffer(length + 2 * radius + TOGETHER);
    double* const middle = buffer.data() + radius;
    for (size_t row = 0; row < count; ++row, begin += length) {
      widen(source + begin, length, middle);
      for_each_mirrored(length, radius, [&](int64_t place, size_t mirror) { middle[place] = middle[mirror]; });
      constexpr size_t PART = 4096;  // places of a long row between two looks at the cancellation
      for (size_t at = 0; at < length; at += PART) {
        cancellation_.check();
        convolve(middle + at, 1, weights.data(), radius, output_ + begin + at, std::min(PART, length - at));
      }
    }
  }

 private:
  // `lines` lines of `length` voxels `stride` apart that lie side by side.
  void columns(size_t begin, const Value* source, size_t length, size_t stride, size_t lines,
               const std::vector<double>& weights) const {
    const size_t radius = weights.size() - 1;
    const size_t width = (lines + TOGETHER - 1) / TOGETHER * TOGETHER;
    std::vector<double> buffer((length + 2 * radius) * width);
    double* const middle = buffer.data() + radius * width;
    for (size_t at = 0; at < length; ++at) widen(source + begin + at * stride, lines, middle + at * width);
    for_each_mirrored(length, radius, [&](int64_t place, size_t mirror) {
      std::memcpy(middle + place * static_cast<int64_t>(width), middle + mirror * width, width * sizeof(double));
    });
    for (size_t at = 0; at < length; ++at) {
      cancellation_.check();
      convolve(middle + at * width, width, weights.data(), radius, output_ + begin + at * stride, lines);
    }
  }

  // The places beyond the ends, with the ones that they mirror.
  template <class Visit>
  static void for_each_mirrored(size_t length, size_t radius, const Visit& visit) {
    const int64_t extent = static_cast<int64_t>(length);
    for (int64_t distance = 1; distance <= static_cast<int64_t>(radius); ++distance) {
      visit(-distance, mirrored(-distance, extent));
      visit(extent - 1 + distance, mirrored(extent - 1 + distance, extent));
    }
  }

  Value* const output_;
  const Shape shape_, strides_;
  std::vector<double> weights_[MAX_DIMENSIONS];  // none where sigma is 0
  int last_ = -1;                                // of the axes with weights
  const Cancellation& cancellation_;
};

}  // namespace

std::vector<double> gaussian_weights(double sigma) {
  const size_t radius = static_cast<size_t>(4.0 * sigma + 0.5);
  std::vector<double> weights(radius + 1);
  double sum = 0.0;
  for (size_t distance = 0; distance <= radius; ++distance) {
    const double x = static_cast<double>(distance);
    weights[distance] = deterministic_exp(-0.5 / (sigma * sigma) * x * x);
    sum += (distance == 0 ? 1.0 : 2.0) * weights[distance];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

template <class Value>
void gaussian_smoothing(const Value* values, Value* output, const Shape& shape, const std::vector<double>& sigma, size_t threads,
                        const Cancellation& cancellation) {
  const size_t count = shape.count();
  if (sigma.size() != static_cast<size_t>(shape.dimensions)) throw Error(ERR_ARGUMENT, "sigma: expected one number an axis");
  for (const double width : sigma) {
    if (!(width >= 0.0 && width <= 1e4)) throw Error(ERR_ARGUMENT, "sigma: expected numbers in [0, 10000]");
  }
  if (count == 0) return;
  cancellation.check();
  const Smoothing<Value> smoothing(output, shape, sigma, cancellation);
  if (!smoothing.changes()) {
    if (output != values) std::copy(values, values + count, output);
  } else if (shape.dimensions == 1) {
    smoothing.rows(0, values, 1, count, gaussian_weights(sigma[0]));
  } else {
    smoothing.run(0, 0, values, threads);
  }
}

template void gaussian_smoothing(const float*, float*, const Shape&, const std::vector<double>&, size_t, const Cancellation&);
template void gaussian_smoothing(const double*, double*, const Shape&, const std::vector<double>&, size_t, const Cancellation&);

}  // namespace blockwright
