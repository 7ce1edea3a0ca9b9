#include "kernels/gaussian_smoothing.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/deterministic_exp.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/target_clones.h"

namespace blockwright {

namespace {

constexpr size_t LANES = 64;  // lines that are smoothed together

// Index of a place beyond the ends, mirrored as often as it takes.
size_t mirrored(int64_t place, int64_t length) {
  const int64_t period = 2 * length;
  const int64_t within = ((place % period) + period) % period;
  return static_cast<size_t>(within < length ? within : period - 1 - within);
}

// sums[lane] = weighted sum around `centre`; rows of LANES lanes.
BLOCKWRIGHT_TARGET_CLONES void convolve(const double* centre, const double* weights, size_t radius, double* sums) {
  for (size_t lane = 0; lane < LANES; ++lane) sums[lane] = weights[0] * centre[lane];
  for (size_t distance = 1; distance <= radius; ++distance) {
    const double weight = weights[distance];
    const double* before = centre - distance * LANES;
    const double* after = centre + distance * LANES;
    for (size_t lane = 0; lane < LANES; ++lane) sums[lane] += weight * (before[lane] + after[lane]);
  }
}

// Smooths lines of `length` elements `stride` apart; `step` = from one line to the next, `lines` (at most LANES) of them.
template <class Value>
void smooth_lines(const Value* values, Value* output, size_t length, size_t stride, size_t step, size_t lines,
                  const std::vector<double>& weights, std::vector<double>& buffer) {
  const size_t radius = weights.size() - 1;
  double* middle = buffer.data() + radius * LANES;
  for (size_t at = 0; at < length; ++at) {
    for (size_t lane = 0; lane < lines; ++lane) middle[at * LANES + lane] = values[at * stride + lane * step];
  }
  for (size_t distance = 1; distance <= radius; ++distance) {
    const int64_t extent = static_cast<int64_t>(length), beyond = static_cast<int64_t>(distance);
    std::memcpy(middle - distance * LANES, middle + mirrored(-beyond, extent) * LANES, LANES * sizeof(double));
    std::memcpy(middle + (length - 1 + distance) * LANES, middle + mirrored(extent - 1 + beyond, extent) * LANES,
                LANES * sizeof(double));
  }
  double sums[LANES];
  for (size_t at = 0; at < length; ++at) {
    convolve(middle + at * LANES, weights.data(), radius, sums);
    for (size_t lane = 0; lane < lines; ++lane) output[at * stride + lane * step] = static_cast<Value>(sums[lane]);
  }
}

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
void gaussian_smoothing(const Value* values, Value* output, const Shape& shape, const std::vector<double>& sigma,
                        const Cancellation& cancellation) {
  const size_t count = shape.count();
  if (sigma.size() != static_cast<size_t>(shape.dimensions)) throw Error(ERR_ARGUMENT, "sigma: expected one number an axis");
  for (const double width : sigma) {
    if (!(width >= 0.0 && width <= 1e4)) throw Error(ERR_ARGUMENT, "sigma: expected numbers in [0, 10000]");
  }
  if (count == 0) return;
  const Shape strides = shape.strides();
  const Value* source = values;
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    if (sigma[axis] == 0.0) continue;
    const std::vector<double> weights = gaussian_weights(sigma[axis]);
    const size_t length = static_cast<size_t>(shape[axis]), stride = static_cast<size_t>(strides[axis]);
    std::vector<double> buffer((length + 2 * (weights.size() - 1)) * LANES);
    // Lines lie side by side along the later axes, or, along the last axis, one after the other.
    const bool last = stride == 1;
    const size_t side = last ? count / length : stride, step = last ? length : 1;
    for (size_t block = 0; block < count; block += last ? count : length * stride) {
      for (size_t line = 0; line < side; line += LANES) {
        cancellation.check();
        const size_t begin = block + line * step;
        smooth_lines(source + begin, output + begin, length, stride, step, std::min(LANES, side - line), weights, buffer);
      }
    }
    source = output;
  }
  if (source == values && output != values) std::copy(values, values + count, output);
}

template void gaussian_smoothing(const float*, float*, const Shape&, const std::vector<double>&, const Cancellation&);
template void gaussian_smoothing(const double*, double*, const Shape&, const std::vector<double>&, const Cancellation&);

}  // namespace blockwright
