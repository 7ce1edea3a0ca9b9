#include "kernels/distance_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/parabolas.h"

// Comparisons of floats may be computed for several voxels at once: what they do to the floating-point exception flags, which nobody
// reads, may differ; results may not.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

namespace blockwright {

namespace {

constexpr double INFINITE = std::numeric_limits<double>::infinity();
constexpr size_t COLUMNS = 256;  // lines along the first axis that are scanned together; of usual length they fit into the second cache
constexpr size_t LANES = 32;     // voxels that look for lower places together
constexpr size_t NEAR = 96;      // as far as they look: still sooner done than a lower envelope
constexpr size_t UNLOOKED = 1024;  // steps of many voxels between two looks at the cancellation
constexpr int32_t FAR = int32_t{1} << 30;

// Of the same width, for vectors of as many lanes.
template <class Square>
using IntegerOf = std::conditional_t<sizeof(Square) == 4, int32_t, int64_t>;

template <class Square>
constexpr Square infinite() {
  if constexpr (std::is_same_v<Square, double>) return INFINITE;
  return static_cast<Square>(FAR);
}

// One step of a scan along the first axis: how many voxels away the nearest one outside is, on the side that was scanned.
BLOCKWRIGHT_TARGET_CLONES
void scan_forth(const uint8_t* mask, const double* before, size_t columns, double* steps) {
  for (size_t i = 0; i < columns; ++i) steps[i] = mask[i] == 0 ? 0.0 : before[i] + 1.0;
}

// The same from the other side; squares of the smaller number replace those of scan_forth.
BLOCKWRIGHT_TARGET_CLONES
void scan_back(double* steps, double* after, size_t columns, double scale) {
  for (size_t i = 0; i < columns; ++i) {
    const double away = after[i] + 1.0;
    const double nearest = away < steps[i] ? away : steps[i];
    after[i] = nearest;
    steps[i] = nearest * nearest * scale;
  }
}

// Squared distances along the first axis alone, where lines are `stride` apart.
void scan_columns(const uint8_t* mask, double* output, size_t length, size_t stride, size_t columns, double scale,
                  const Cancellation& cancellation) {
  double edge[COLUMNS];
  std::fill(edge, edge + columns, INFINITE);
  for (size_t at = 0; at < length; ++at) {
    if (at % UNLOOKED == 0) cancellation.check();
    double* const steps = output + at * stride;
    scan_forth(mask + at * stride, at == 0 ? edge : steps - stride, columns, steps);
  }
  for (size_t at = length; at-- > 0;) {
    if (at % UNLOOKED == 0) cancellation.check();
    scan_back(output + at * stride, edge, columns, scale);
  }
}

#define BLOCKWRIGHT_DISTANCE_LOOPS(Square)                                                                               \
  BLOCKWRIGHT_TARGET_CLONES                                                                                              \
  void from_double(const double* squares, size_t count, Square* result) {                                                \
    for (size_t i = 0; i < count; ++i) {                                                                                 \
      result[i] = squares[i] < INFINITE ? static_cast<Square>(squares[i]) : infinite<Square>();                          \
    }                                                                                                                    \
  }                                                                                                                      \
  BLOCKWRIGHT_TARGET_CLONES                                                                                              \
  void to_double(const Square* squares, size_t count, double* result) {                                                  \
    for (size_t i = 0; i < count; ++i) {                                                                                 \
      result[i] = squares[i] < infinite<Square>() ? static_cast<double>(squares[i]) : INFINITE;                          \
    }                                                                                                                    \
  }                                                                                                                      \
  /* result[i] = the least centre[i +- distance * step] + distance^2 * scale of those at most `before` steps back and */ \
  /* `after` steps on. False when one beyond NEAR steps may be less. */                                                  \
  BLOCKWRIGHT_TARGET_CLONES                                                                                              \
  bool lowest_near(const Square* centre, size_t step, size_t before, size_t after, Square scale, Square* result) {       \
    Square low[LANES];                                                                                                   \
    for (size_t i = 0; i < LANES; ++i) low[i] = centre[i];                                                               \
    const size_t most = std::max(before, after);                                                                         \
    for (size_t distance = 1; distance <= most; ++distance) {                                                            \
      const Square more = static_cast<Square>(distance * distance) * scale;                                              \
      if (distance % 2 == 1) {                                                                                           \
        IntegerOf<Square> higher = 0;                                                                                    \
        for (size_t i = 0; i < LANES; ++i) higher |= low[i] > more;                                                      \
        if (higher == 0) break;                                                                                          \
      }                                                                                                                  \
      if (distance > NEAR) return false;                                                                                 \
      if (distance <= before) {                                                                                          \
        const Square* const other = centre - distance * step;                                                            \
        for (size_t i = 0; i < LANES; ++i) {                                                                             \
          const Square square = other[i] + more;                                                                         \
          low[i] = square < low[i] ? square : low[i];                                                                    \
        }                                                                                                                \
      }                                                                                                                  \
      if (distance <= after) {                                                                                           \
        const Square* const other = centre + distance * step;                                                            \
        for (size_t i = 0; i < LANES; ++i) {                                                                             \
          const Square square = other[i] + more;                                                                         \
          low[i] = square < low[i] ? square : low[i];                                                                    \
        }                                                                                                                \
      }                                                                                                                  \
    }                                                                                                                    \
    for (size_t i = 0; i < LANES; ++i) result[i] = low[i];                                                               \
    return true;                                                                                                         \
  }
BLOCKWRIGHT_DISTANCE_LOOPS(int32_t)
BLOCKWRIGHT_DISTANCE_LOOPS(double)
#undef BLOCKWRIGHT_DISTANCE_LOOPS

BLOCKWRIGHT_TARGET_CLONES
void square_roots(double* values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = std::sqrt(values[i]);
}

// All axes but the first, within one place of that: squared distances along it become those within the slab.
template <class Square>
class Slab {
 public:
  // shape: of the slab, one axis at least.
  Slab(const Shape& shape, const std::vector<double>& scales)
      : shape_(shape), scales_(scales), count_(shape.count()), source_(new Square[count_ + LANES]()) {
    if (shape.dimensions > 1) target_.reset(new Square[count_ + LANES]());
    const int last = shape.dimensions - 1;
    int64_t longest = 0;
    for (int axis = 0; axis < last; ++axis) longest = std::max(longest, shape[axis]);
    lines_.resize(LANES * static_cast<size_t>(longest));
    longest = std::max(longest, shape[last]);
    line_.resize(static_cast<size_t>(longest));
    row_.resize(static_cast<size_t>(shape[last]) + 2 * NEAR + LANES, infinite<Square>());
    parabolas_ = Parabolas(static_cast<size_t>(longest));
  }

  void transform(double* squares, bool roots, const Cancellation& cancellation) {
    from_double(squares, count_, source_.get());
    const int last = shape_.dimensions - 1;
    const Shape strides = shape_.strides();
    for (int axis = 0; axis < last; ++axis) {
      const size_t length = static_cast<size_t>(shape_[axis]), stride = static_cast<size_t>(strides[axis]);
      for (size_t block = 0; block < count_; block += length * stride) {
        for (size_t line = 0; line < stride; line += LANES) {
          // the last ones are taken together with some that are done, where there are enough
          const size_t begin = line + LANES > stride && stride >= LANES ? stride - LANES : line;
          lines(block + begin, length, stride, std::min(LANES, stride - begin), scales_[axis], cancellation);
        }
      }
      source_.swap(target_);
    }
    const size_t length = static_cast<size_t>(shape_[last]);
    for (size_t row = 0; row < count_; row += length) {
      along(source_.get() + row, length, scales_[last], squares + row, cancellation);
      if (roots) square_roots(squares + row, length);
    }
  }

 private:
  // Lines side by side from source to target.
  void lines(size_t begin, size_t length, size_t stride, size_t count, double scale, const Cancellation& cancellation) {
    Square low[LANES];
    const Square* const source = source_.get() + begin;
    Square* const target = target_.get() + begin;
    for (size_t at = 0; at < length; ++at) {
      if (at % UNLOOKED == 0) cancellation.check();
      const Square* const centre = source + at * stride;
      if (!lowest_near(centre, stride, at, length - 1 - at, static_cast<Square>(scale), low)) {
        return far_lines(source, target, length, stride, count, scale, cancellation);
      }
      std::copy(low, low + count, target + at * stride);
    }
  }

  void far_lines(const Square* source, Square* target, size_t length, size_t stride, size_t count, double scale,
                 const Cancellation& cancellation) {
    double row[LANES];
    for (size_t at = 0; at < length; ++at) {
      to_double(source + at * stride, count, row);
      for (size_t lane = 0; lane < count; ++lane) lines_[lane * length + at] = row[lane];
    }
    for (size_t lane = 0; lane < count; ++lane) {
      double* const line = lines_.data() + lane * length;
      parabolas_.lowest(line, line_.data(), length, scale, cancellation);
      std::copy(line_.data(), line_.data() + length, line);
    }
    for (size_t at = 0; at < length; ++at) {
      for (size_t lane = 0; lane < count; ++lane) row[lane] = lines_[lane * length + at];
      from_double(row, count, target + at * stride);
    }
  }

  // One row, the last axis. What lies beyond its ends is infinite.
  void along(const Square* source, size_t length, double scale, double* result, const Cancellation& cancellation) {
    Square low[LANES];
    bool near = length >= LANES;
    if (near) std::copy(source, source + length, row_.data() + NEAR);
    for (size_t at = 0; near && at < length; at += LANES) {
      if (at / LANES % UNLOOKED == 0) cancellation.check();
      at = std::min(at, length - LANES);  // the last ones again with some that are done
      near = lowest_near(row_.data() + NEAR + at, 1, length - 1, length - 1, static_cast<Square>(scale), low);
      if (near) to_double(low, LANES, result + at);
    }
    if (near) return;
    to_double(source, length, line_.data());
    parabolas_.lowest(line_.data(), result, length, scale, cancellation);
  }

  const Shape shape_;
  const std::vector<double> scales_;
  const size_t count_;
  std::unique_ptr<Square[]> source_, target_;  // LANES longer than the slab: lines beside the last one are read, not used
  std::vector<double> lines_, line_;
  std::vector<Square> row_;
  Parabolas parabolas_;
};

template <class Square>
void transform_slabs(double* output, size_t slabs, const Shape& shape, const std::vector<double>& scales, bool roots, size_t threads,
                     const Cancellation& cancellation) {
  const size_t count = shape.count();
  const size_t parts = std::min(slabs, 4 * std::clamp<size_t>(threads, 1, slabs));  // each with memory of its own
  parallel_for(threads, parts, [&](size_t part) {
    Slab<Square> slab(shape, scales);
    for (size_t at = part * slabs / parts; at < (part + 1) * slabs / parts; ++at) {
      slab.transform(output + at * count, roots, cancellation);
    }
  });
}

// Whether all squares are whole numbers below FAR.
bool are_whole(const Shape& shape, const std::vector<double>& scales) {
  double largest = 0;
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    if (scales[axis] != std::floor(scales[axis]) || scales[axis] >= static_cast<double>(FAR)) return false;
    const double reach = static_cast<double>(shape[axis] - 1);
    largest += reach * reach * scales[axis];
  }
  return largest < static_cast<double>(FAR);
}

}  // namespace

void distance_transform(const uint8_t* mask, const Shape& shape, const std::vector<double>& voxel_size, bool squared,
                        double* output, size_t threads, const Cancellation& cancellation) {
  const size_t count = shape.count();
  if (voxel_size.size() != static_cast<size_t>(shape.dimensions)) {
    throw Error(ERR_ARGUMENT, "voxelSize: expected one number an axis");
  }
  // Axes of one voxel change nothing; the last one stays.
  Shape extents;
  std::vector<double> scales;
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    const double size = voxel_size[axis];
    // Squares of these are far from the ends of the range of doubles.
    if (!(size >= 1e-100 && size <= 1e100)) throw Error(ERR_ARGUMENT, "voxelSize: expected numbers in [1e-100, 1e100]");
    if (shape[axis] == 1 && axis + 1 < shape.dimensions) continue;
    extents[extents.dimensions++] = shape[axis];
    scales.push_back(size * size);
  }
  if (count == 0) return;
  cancellation.check();
  const size_t length = static_cast<size_t>(extents[0]), stride = count / length;
  parallel_for(threads, (stride + COLUMNS - 1) / COLUMNS, [&](size_t strip) {
    cancellation.check();
    const size_t begin = strip * COLUMNS, columns = std::min(COLUMNS, stride - begin);
    scan_columns(mask + begin, output + begin, length, stride, columns, scales[0], cancellation);
  });
  if (extents.dimensions == 1) {
    if (!squared) square_roots(output, count);
    return;
  }
  const bool whole = are_whole(extents, scales);
  Shape slab;
  slab.dimensions = extents.dimensions - 1;
  std::copy(extents.extent.begin() + 1, extents.extent.begin() + extents.dimensions, slab.extent.begin());
  scales.erase(scales.begin());
  if (whole) {
    transform_slabs<int32_t>(output, length, slab, scales, !squared, threads, cancellation);
  } else {
    transform_slabs<double>(output, length, slab, scales, !squared, threads, cancellation);
  }
}

}  // namespace blockwright
