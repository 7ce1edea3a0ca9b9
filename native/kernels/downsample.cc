#include "kernels/downsample.h"

#include <algorithm>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/interruptible_sort.h"

namespace blockwright {

namespace {

// Calls visit(row, rows) for every row of the output (its position on all axes but the last): `rows` are the first voxels
// of the input rows that it covers, in raster order.
template <class T, class Visit>
void for_each_output_row(const T* values, const Shape& shape, const Shape& factors, const Shape& coarse, bool first_only,
                         const Visit& visit) {
  const int outer = shape.dimensions - 1;
  const Shape strides = shape.strides();
  size_t count = 1;
  for (int axis = 0; axis < outer; ++axis) count *= static_cast<size_t>(coarse[axis]);
  std::vector<const T*> rows, wider;
  for (size_t row = 0; row < count; ++row) {
    size_t rest = row;
    Shape position;
    for (int axis = outer - 1; axis >= 0; --axis) {
      position[axis] = static_cast<int64_t>(rest % static_cast<size_t>(coarse[axis]));
      rest /= static_cast<size_t>(coarse[axis]);
    }
    rows.assign(1, values);
    for (int axis = 0; axis < outer; ++axis) {
      const int64_t begin = position[axis] * factors[axis];
      const int64_t end = first_only ? begin + 1 : std::min(shape[axis], begin + factors[axis]);
      wider.clear();
      for (const T* at : rows) {
        for (int64_t i = begin; i < end; ++i) wider.push_back(at + i * strides[axis]);
      }
      rows.swap(wider);
    }
    visit(row, rows);
  }
}

// What a sum of up to 2^31 values needs.
template <class T>
using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::conditional_t<sizeof(T) == 8, __int128, int64_t>>;

// sum / count, integers rounded to nearest, ties to even.
template <class T>
T quotient(Sum<T> sum, int64_t count) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(sum / static_cast<double>(count));
  } else {
    Sum<T> result = sum / count, remainder = sum % count;
    if (remainder < 0) {
      remainder += count;
      --result;
    }
    const Sum<T> twice = 2 * remainder;
    if (twice > count || (twice == count && result % 2 != 0)) ++result;
    return static_cast<T>(result);
  }
}

template <class T>
void add_row(const T* row, int64_t width, int64_t factor, Sum<T>* sums) {
  const int64_t whole = width / factor;
  if (factor == 1) {
    for (int64_t x = 0; x < width; ++x) sums[x] += static_cast<Sum<T>>(row[x]);
  } else if (factor == 2) {
    for (int64_t x = 0; x < whole; ++x) {
      sums[x] += static_cast<Sum<T>>(row[2 * x]);
      sums[x] += static_cast<Sum<T>>(row[2 * x + 1]);
    }
  } else {
    for (int64_t x = 0; x < whole; ++x) {
      Sum<T> sum = sums[x];
      for (int64_t i = x * factor; i < (x + 1) * factor; ++i) sum += static_cast<Sum<T>>(row[i]);
      sums[x] = sum;
    }
  }
  for (int64_t i = whole * factor; i < width; ++i) sums[whole] += static_cast<Sum<T>>(row[i]);
}

template <class T>
bool all_equal(const T* begin, const T* end, T value) {
  T differences = 0;
  for (; begin < end; ++begin) differences |= *begin ^ value;
  return differences == 0;
}

// Finds the most frequent value of a cell from the runs of equal values along its rows.
template <class T>
class Ballot {
 public:
  explicit Ballot(bool ignore_background) : ignore_background_(ignore_background) {}

  void add(const T* begin, const T* end) {
    while (begin < end) {
      const T value = *begin;
      const T* next = begin + 1;
      while (next < end && *next == value) ++next;
      if (!runs_.empty() && runs_.back().first == value) {
        runs_.back().second += next - begin;
      } else {
        runs_.emplace_back(value, next - begin);
      }
      begin = next;
    }
  }

  // The winner; the ballot is empty again.
  T close(const Cancellation& cancellation) {
    if (runs_.size() > 1) interruptible_sort(runs_.begin(), runs_.end(), std::less<>(), cancellation);
    T best = runs_[0].first;
    int64_t most = 0;
    for (size_t at = 0; at < runs_.size();) {
      const T value = runs_[at].first;
      int64_t count = 0;
      for (; at < runs_.size() && runs_[at].first == value; ++at) count += runs_[at].second;
      if (ignore_background_ && value == 0) count = 0;
      if (count > most) {
        best = value;
        most = count;
      }
    }
    runs_.clear();
    return best;
  }

 private:
  bool ignore_background_;
  std::vector<std::pair<T, int64_t>> runs_;
};

}  // namespace

Shape downsampled_shape(const Shape& shape, const Shape& factors) {
  if (factors.dimensions != shape.dimensions) {
    throw Error(ERR_ARGUMENT, "factors: expected " + std::to_string(shape.dimensions) + " numbers, one an axis, found " +
                                  std::to_string(factors.dimensions));
  }
  constexpr int64_t LARGEST_CELL = int64_t{1} << 31;
  Shape result = shape;
  int64_t cell = 1;
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    const int64_t factor = factors[axis];
    if (factor < 1 || factor > LARGEST_CELL || (cell *= factor) > LARGEST_CELL) {
      throw Error(ERR_ARGUMENT, "factors: expected numbers from 1 on, with a product of at most 2^31");
    }
    result[axis] = shape[axis] / factor + (shape[axis] % factor != 0);
  }
  return result;
}

template <class T>
void downsample(const T* values, const Shape& shape, const Shape& factors, DownsampleMethod method, bool ignore_background,
                T* output, const Cancellation& cancellation) {
  const Shape coarse = downsampled_shape(shape, factors);
  if (shape.count() == 0) return;
  const int last = shape.dimensions - 1;
  const int64_t width = shape[last], factor = factors[last], coarse_width = coarse[last];
  const auto row_of = [&](size_t row) { return output + row * static_cast<size_t>(coarse_width); };
  if (method == DownsampleMethod::stride) {
    for_each_output_row(values, shape, factors, coarse, true, [&](size_t row, const std::vector<const T*>& rows) {
      cancellation.check();
      T* const out = row_of(row);
      for (int64_t x = 0; x < coarse_width; ++x) out[x] = rows[0][x * factor];
    });
  } else if (method == DownsampleMethod::mean) {
    std::vector<Sum<T>> sums(static_cast<size_t>(coarse_width));
    for_each_output_row(values, shape, factors, coarse, false, [&](size_t row, const std::vector<const T*>& rows) {
      cancellation.check();
      std::fill(sums.begin(), sums.end(), Sum<T>{0});
      for (const T* input : rows) {
        cancellation.check();
        add_row(input, width, factor, sums.data());
      }
      T* const out = row_of(row);
      for (int64_t x = 0; x < coarse_width; ++x) {
        const int64_t voxels = std::min(factor, width - x * factor) * static_cast<int64_t>(rows.size());
        out[x] = quotient<T>(sums[static_cast<size_t>(x)], voxels);
      }
    });
  } else if constexpr (std::is_floating_point_v<T>) {
    throw Error(ERR_ARGUMENT, "method: expected mean or stride for floats, found mode");
  } else {
    Ballot<T> ballot(ignore_background);
    for_each_output_row(values, shape, factors, coarse, false, [&](size_t row, const std::vector<const T*>& rows) {
      cancellation.check();
      T* const out = row_of(row);
      for (int64_t x = 0; x < coarse_width; ++x) {
        const int64_t begin = x * factor, end = std::min(width, begin + factor);
        const T first = rows[0][begin];
        bool same = true;  // as in most cells of labels
        for (size_t i = 0; same && i < rows.size(); ++i) same = all_equal(rows[i] + begin, rows[i] + end, first);
        if (!same) {
          for (const T* input : rows) {
            cancellation.check();
            ballot.add(input + begin, input + end);
          }
        }
        out[x] = same ? first : ballot.close(cancellation);
      }
    });
  }
}

#define BLOCKWRIGHT_DOWNSAMPLE(T)                                                                                     \
  template void downsample<T>(const T*, const Shape&, const Shape&, DownsampleMethod, bool, T*, const Cancellation&);
BLOCKWRIGHT_DOWNSAMPLE(uint8_t)
BLOCKWRIGHT_DOWNSAMPLE(int8_t)
BLOCKWRIGHT_DOWNSAMPLE(uint16_t)
BLOCKWRIGHT_DOWNSAMPLE(int16_t)
BLOCKWRIGHT_DOWNSAMPLE(uint32_t)
BLOCKWRIGHT_DOWNSAMPLE(int32_t)
BLOCKWRIGHT_DOWNSAMPLE(uint64_t)
BLOCKWRIGHT_DOWNSAMPLE(int64_t)
BLOCKWRIGHT_DOWNSAMPLE(float)
BLOCKWRIGHT_DOWNSAMPLE(double)
#undef BLOCKWRIGHT_DOWNSAMPLE

}  // namespace blockwright
