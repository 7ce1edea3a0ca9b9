#include "kernels/compare_voxels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace blockwright {

namespace {

// Holds uint64 and int64.
using Wide = __int128;

template <class T>
struct Tag {
  using Type = T;
};

template <class Use>
auto with_type(ElementType type, const Use& use) {
  switch (type) {
    case ElementType::int8: return use(Tag<int8_t>());
    case ElementType::uint16: return use(Tag<uint16_t>());
    case ElementType::int16: return use(Tag<int16_t>());
    case ElementType::uint32: return use(Tag<uint32_t>());
    case ElementType::int32: return use(Tag<int32_t>());
    case ElementType::uint64: return use(Tag<uint64_t>());
    case ElementType::int64: return use(Tag<int64_t>());
    case ElementType::float32: return use(Tag<float>());
    case ElementType::float64: return use(Tag<double>());
    default: return use(Tag<uint8_t>());
  }
}

size_t bytes_of(ElementType type) {
  return with_type(type, [](auto tag) { return sizeof(typename decltype(tag)::Type); });
}

bool is_float(ElementType type) { return type == ElementType::float32 || type == ElementType::float64; }

template <class T>
bool is_nan(T value) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(value);
  return false;
}

// |a - b| of two different numbers.
template <class T>
double distance(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return std::fabs(static_cast<double>(a) - static_cast<double>(b));
  else if constexpr (sizeof(T) > 8) return static_cast<double>(a > b ? a - b : b - a);
  // unsigned arithmetic wraps to the exact difference
  else return static_cast<double>(a > b ? static_cast<uint64_t>(a) - static_cast<uint64_t>(b)
                                        : static_cast<uint64_t>(b) - static_cast<uint64_t>(a));
}

class Comparison {
 public:
  Comparison(const Shape& shape, double tolerance, size_t limit, int planes_along)
      : shape_(shape), tolerance_(tolerance), limit_(limit), planes_along_(planes_along) {
    result.begin = shape;
    result.end.dimensions = shape.dimensions;
    result.planes.resize(static_cast<size_t>(shape[planes_along]));
  }

  VoxelDifferences result;

  // Elements of one row, the first of which has the index `index` in the array and `column` in the row.
  template <class T>
  void elements(const T* a, const T* b, size_t count, size_t index, int64_t column) {
    if (std::memcmp(a, b, count * sizeof(T)) == 0) return;
    for (size_t at = 0; at < count; ++at) {
      if (a[at] == b[at]) continue;
      const bool a_nan = is_nan(a[at]);
      const bool b_nan = is_nan(b[at]);
      if (a_nan && b_nan) continue;
      ++result.unequal;
      if (a_nan || b_nan) {
        ++result.not_numbers;
        different(index + at, column + static_cast<int64_t>(at));
        continue;
      }
      const double difference = distance(a[at], b[at]);
      if (difference > result.largest) {
        result.largest = difference;
        result.largest_at = static_cast<int64_t>(index + at);
      }
      if (difference > tolerance_) different(index + at, column + static_cast<int64_t>(at));
    }
  }

 private:
  void different(size_t index, int64_t column) {
    const int last = shape_.dimensions - 1;
    if (row_ != index - static_cast<size_t>(column)) enter_row(index - static_cast<size_t>(column));
    ++result.different;
    if (result.first.size() < limit_) result.first.push_back(static_cast<double>(index));
    result.begin[last] = std::min(result.begin[last], column);
    result.end[last] = std::max(result.end[last], column + 1);
    result.planes[static_cast<size_t>(planes_along_ == last ? column : plane_)] += 1;
  }

  // Puts the row's position on the other axes into the box: once a row, for it takes divisions.
  void enter_row(size_t begin) {
    row_ = begin;
    size_t rest = begin / static_cast<size_t>(shape_[shape_.dimensions - 1]);
    for (int axis = shape_.dimensions - 2; axis >= 0; --axis) {
      const int64_t at = static_cast<int64_t>(rest % static_cast<size_t>(shape_[axis]));
      rest /= static_cast<size_t>(shape_[axis]);
      result.begin[axis] = std::min(result.begin[axis], at);
      result.end[axis] = std::max(result.end[axis], at + 1);
      if (axis == planes_along_) plane_ = at;
    }
  }

  const Shape shape_;
  const double tolerance_;
  const size_t limit_;
  const int planes_along_;
  size_t row_ = SIZE_MAX;
  int64_t plane_ = 0;
};

template <class To>
void convert(const uint8_t* from, ElementType type, size_t count, To* to) {
  with_type(type, [&](auto tag) {
    using From = typename decltype(tag)::Type;
    const From* values = reinterpret_cast<const From*>(from);
    for (size_t at = 0; at < count; ++at) to[at] = static_cast<To>(values[at]);
  });
}

// Calls row(index of the first element) for every row, or piece of 2^20 elements of one, with a look at the cancellation.
template <class Row>
void for_rows(const Shape& shape, const Cancellation& cancellation, const Row& row) {
  const size_t count = shape.count();
  const size_t length = count == 0 ? 1 : static_cast<size_t>(shape[shape.dimensions - 1]);
  constexpr size_t PART = size_t{1} << 20;
  size_t unseen = 0;
  cancellation.check();
  for (size_t begin = 0; begin < count; begin += length) {
    for (size_t column = 0; column < length; column += PART) {
      const size_t part = std::min(PART, length - column);
      row(begin + column, part, static_cast<int64_t>(column));
      unseen += part;
      if (unseen >= PART) {
        cancellation.check();
        unseen = 0;
      }
    }
  }
}

}  // namespace

VoxelDifferences compare_voxels(const void* a, ElementType a_type, const void* b, ElementType b_type, const Shape& shape,
                                double tolerance, size_t limit, int planes_along, const Cancellation& cancellation) {
  if (shape.dimensions < 1 || planes_along < 0 || planes_along >= shape.dimensions) {
    throw Error(ERR_ARGUMENT, "planesAlong: expected an axis of the shape");
  }
  if (!(tolerance >= 0)) throw Error(ERR_ARGUMENT, "tolerance: expected a number, 0 or more");
  if (shape.count() == 0) {
    VoxelDifferences nothing;
    nothing.begin = shape;
    nothing.end.dimensions = shape.dimensions;
    return nothing;
  }
  Comparison comparison(shape, tolerance, limit, planes_along);
  if (a_type == b_type) {
    with_type(a_type, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      const T* left = static_cast<const T*>(a);
      const T* right = static_cast<const T*>(b);
      for_rows(shape, cancellation, [&](size_t index, size_t count, int64_t column) {
        comparison.elements(left + index, right + index, count, index, column);
      });
    });
    return comparison.result;
  }
  const uint8_t* left = static_cast<const uint8_t*>(a);
  const uint8_t* right = static_cast<const uint8_t*>(b);
  const auto compare_as = [&](auto common) {
    std::vector<decltype(common)> buffer((size_t{1} << 17) / sizeof(common));
    for_rows(shape, cancellation, [&](size_t index, size_t count, int64_t column) {
      const size_t piece = buffer.size() / 2;
      for (size_t at = 0; at < count; at += piece) {
        const size_t length = std::min(piece, count - at);
        convert(left + (index + at) * bytes_of(a_type), a_type, length, buffer.data());
        convert(right + (index + at) * bytes_of(b_type), b_type, length, buffer.data() + piece);
        comparison.elements(buffer.data(), buffer.data() + piece, length, index + at, column + static_cast<int64_t>(at));
      }
    });
  };
  if (is_float(a_type) || is_float(b_type)) compare_as(double{});
  else compare_as(Wide{});
  return comparison.result;
}

}  // namespace blockwright
