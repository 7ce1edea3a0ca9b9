#include "kernels/find_seeds.h"

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>

#include "core/error.h"
#include "core/error_codes.h"
#include "kernels/connected_components.h"
#include "kernels/distance_transform.h"

namespace blockwright {

namespace {

constexpr size_t LANES = 32;  // lines that are filtered together
constexpr double LOWEST = -std::numeric_limits<double>::infinity();

// Maximum over [place - low, place + high] of lines of LANES lanes. padded: LOWEST, `low` rows of it, the line, LOWEST up
// to a whole number of windows. Prefix maxima from the left and the right within each window meet in every window's place.
void filter_lines(const double* padded, size_t rows, size_t window, size_t length, double* left, double* right,
                  double* output) {
  for (size_t row = 0; row < rows; ++row) {
    const bool first = row % window == 0;
    for (size_t lane = 0; lane < LANES; ++lane) {
      const double value = padded[row * LANES + lane];
      left[row * LANES + lane] = first ? value : std::max(left[(row - 1) * LANES + lane], value);
    }
  }
  for (size_t row = rows; row-- > 0;) {
    const bool last = row % window == window - 1;
    for (size_t lane = 0; lane < LANES; ++lane) {
      const double value = padded[row * LANES + lane];
      right[row * LANES + lane] = last ? value : std::max(right[(row + 1) * LANES + lane], value);
    }
  }
  for (size_t at = 0; at < length * LANES; ++at) output[at] = std::max(right[at], left[at + (window - 1) * LANES]);
}

}  // namespace

template <class Value>
void threshold_mean(const Value* affinities, size_t count, const std::vector<int64_t>& channels, double threshold,
                    uint8_t* mask, const Cancellation& cancellation) {
  using Sum = std::conditional_t<std::is_integral_v<Value>, uint32_t, double>;
  const double limit = threshold * (std::is_integral_v<Value> ? 255.0 : 1.0) * static_cast<double>(channels.size());
  constexpr size_t PART = 4096;
  std::vector<Sum> sums(PART);
  for (size_t begin = 0; begin < count; begin += PART) {
    cancellation.check();
    const size_t length = std::min(PART, count - begin);
    std::fill(sums.begin(), sums.end(), Sum{0});
    for (const int64_t channel : channels) {
      const Value* values = affinities + static_cast<size_t>(channel) * count + begin;
      for (size_t i = 0; i < length; ++i) sums[i] += static_cast<Sum>(values[i]);
    }
    for (size_t i = 0; i < length; ++i) {
      if (sums[i] != sums[i]) {
        throw Error(ERR_NOT_A_NUMBER, "affinities: NaN at voxel " + std::to_string(begin + i) + " (raster index)");
      }
      mask[begin + i] = static_cast<double>(sums[i]) > limit ? 1 : 0;
    }
  }
}

template void threshold_mean(const uint8_t*, size_t, const std::vector<int64_t>&, double, uint8_t*, const Cancellation&);
template void threshold_mean(const float*, size_t, const std::vector<int64_t>&, double, uint8_t*, const Cancellation&);

void maximum_filter(double* values, const Shape& shape, int64_t window, const Cancellation& cancellation) {
  const size_t count = shape.count();
  if (window < 1) throw Error(ERR_ARGUMENT, "window: expected at least 1");
  if (count == 0) return;
  const Shape strides = shape.strides();
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    const size_t length = static_cast<size_t>(shape[axis]), stride = static_cast<size_t>(strides[axis]);
    // A window that reaches beyond both ends from everywhere is cut to that, so memory stays bounded by the array.
    const size_t low = std::min<size_t>(static_cast<size_t>(window / 2), length - 1);
    const size_t high = std::min<size_t>(static_cast<size_t>(window - window / 2 - 1), length - 1);
    const size_t width = low + high + 1;
    if (width == 1) continue;
    const size_t rows = (low + length + high + width - 1) / width * width;
    std::vector<double> padded(rows * LANES, LOWEST), left(rows * LANES), right(rows * LANES), result(length * LANES);
    const bool last = stride == 1;
    const size_t side = last ? count / length : stride, step = last ? length : 1;
    for (size_t block = 0; block < count; block += last ? count : length * stride) {
      for (size_t line = 0; line < side; line += LANES) {
        cancellation.check();
        const size_t lanes = std::min(LANES, side - line);
        double* begin = values + block + line * step;
        double* middle = padded.data() + low * LANES;
        for (size_t at = 0; at < length; ++at) {
          for (size_t lane = 0; lane < lanes; ++lane) middle[at * LANES + lane] = begin[at * stride + lane * step];
        }
        filter_lines(padded.data(), rows, width, length, left.data(), right.data(), result.data());
        for (size_t at = 0; at < length; ++at) {
          for (size_t lane = 0; lane < lanes; ++lane) begin[at * stride + lane * step] = result[at * LANES + lane];
        }
      }
    }
  }
}

uint64_t find_seeds(const uint8_t* mask, const Shape& shape, int64_t window, uint64_t* output,
                    const Cancellation& cancellation) {
  const size_t count = shape.count();
  std::vector<double> distances(count);
  const std::vector<double> voxels(static_cast<size_t>(shape.dimensions), 1.0);
  distance_transform(mask, shape, voxels, true, distances.data(), 1, cancellation);  // squares: exact, so equal means equal
  std::vector<double> largest = distances;
  maximum_filter(largest.data(), shape, window, cancellation);
  std::vector<uint8_t> maxima(count);
  for (size_t voxel = 0; voxel < count; ++voxel) {
    maxima[voxel] = mask[voxel] != 0 && distances[voxel] == largest[voxel] ? 1 : 0;
  }
  Box box{shape, shape};
  for (int axis = 0; axis < shape.dimensions; ++axis) box.begin[axis] = 0;
  return connected_components(maxima.data(), shape, box, 1, 0, 1, output, cancellation);
}

}  // namespace blockwright
