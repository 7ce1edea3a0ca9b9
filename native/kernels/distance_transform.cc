#include "kernels/distance_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/error_codes.h"

namespace blockwright {

namespace {

constexpr size_t LANES = 32;  // lines that are copied together, so that memory is read in pieces of some length
constexpr double INFINITE = std::numeric_limits<double>::infinity();

// Lower envelope of the parabolas (x - place)^2 * scale + heights[place], sampled at every place.
struct Envelope {
  std::vector<size_t> places;    // whose parabolas are part of the envelope, left to right
  std::vector<double> heights;
  std::vector<double> borders;   // where each takes over from the one before

  explicit Envelope(size_t length) : places(length), heights(length), borders(length) {}

  void transform(const double* values, double* output, size_t length, double scale) {
    size_t count = 0;
    for (size_t place = 0; place < length; ++place) {
      const double height = values[place];
      if (height == INFINITE) continue;
      const double x = static_cast<double>(place);
      double border = -INFINITE;
      while (count > 0) {
        const double other = static_cast<double>(places[count - 1]);
        // Where both are equal: (x - place)^2 and (x - other)^2 differ by a linear function.
        border = ((height - heights[count - 1]) / scale + (x * x - other * other)) / (2.0 * (x - other));
        if (border > borders[count - 1]) break;
        --count;
        border = -INFINITE;
      }
      places[count] = place;
      heights[count] = height;
      borders[count] = border;
      ++count;
    }
    if (count == 0) {
      std::fill(output, output + length, INFINITE);
      return;
    }
    size_t part = 0;
    for (size_t place = 0; place < length; ++place) {
      const double x = static_cast<double>(place);
      while (part + 1 < count && borders[part + 1] < x) ++part;
      const double away = x - static_cast<double>(places[part]);
      output[place] = away * away * scale + heights[part];
    }
  }
};

}  // namespace

void distance_transform(const uint8_t* mask, const Shape& shape, const std::vector<double>& voxel_size, bool squared,
                        double* output, const Cancellation& cancellation) {
  const size_t count = shape.count();
  if (voxel_size.size() != static_cast<size_t>(shape.dimensions)) {
    throw Error(ERR_ARGUMENT, "voxelSize: expected one number an axis");
  }
  for (const double size : voxel_size) {
    // Squares of these are far from the ends of the range of doubles.
    if (!(size >= 1e-100 && size <= 1e100)) throw Error(ERR_ARGUMENT, "voxelSize: expected numbers in [1e-100, 1e100]");
  }
  if (count == 0) return;
  for (size_t voxel = 0; voxel < count; ++voxel) output[voxel] = mask[voxel] == 0 ? 0.0 : INFINITE;
  const Shape strides = shape.strides();
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    const size_t length = static_cast<size_t>(shape[axis]), stride = static_cast<size_t>(strides[axis]);
    const double scale = voxel_size[axis] * voxel_size[axis];
    Envelope envelope(length);
    std::vector<double> lines(2 * LANES * length);
    for (size_t block = 0; block < count; block += length * stride) {
      for (size_t line = 0; line < stride; line += LANES) {
        cancellation.check();
        const size_t lanes = std::min(LANES, stride - line);
        double* values = output + block + line;
        for (size_t at = 0; at < length; ++at) {
          for (size_t lane = 0; lane < lanes; ++lane) lines[lane * length + at] = values[at * stride + lane];
        }
        double* results = lines.data() + LANES * length;
        for (size_t lane = 0; lane < lanes; ++lane) {
          envelope.transform(lines.data() + lane * length, results + lane * length, length, scale);
        }
        for (size_t at = 0; at < length; ++at) {
          for (size_t lane = 0; lane < lanes; ++lane) values[at * stride + lane] = results[lane * length + at];
        }
      }
    }
  }
  if (!squared) {
    for (size_t voxel = 0; voxel < count; ++voxel) output[voxel] = std::sqrt(output[voxel]);
  }
}

}  // namespace blockwright
