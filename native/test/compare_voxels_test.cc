// Voxels compared: against a plain loop over long doubles, for pairs of types, hostile shapes, NaN and extreme integers.
#include <cmath>
#include <limits>

#include "kernels/compare_voxels.h"
#include "test/check.h"

using namespace blockwright;

namespace {

const Cancellation NEVER;

template <class T>
constexpr ElementType type_of() {
  if constexpr (std::is_same_v<T, uint8_t>) return ElementType::uint8;
  else if constexpr (std::is_same_v<T, int16_t>) return ElementType::int16;
  else if constexpr (std::is_same_v<T, uint32_t>) return ElementType::uint32;
  else if constexpr (std::is_same_v<T, uint64_t>) return ElementType::uint64;
  else if constexpr (std::is_same_v<T, int64_t>) return ElementType::int64;
  else if constexpr (std::is_same_v<T, float>) return ElementType::float32;
  else return ElementType::float64;
}

template <class T>
T value_of(Random& random) {
  const uint64_t choice = random.below(12);
  if (choice == 0) return std::numeric_limits<T>::max();
  if (choice == 1) return std::numeric_limits<T>::lowest();
  if constexpr (std::is_floating_point_v<T>) {
    if (choice == 2) return std::numeric_limits<T>::quiet_NaN();
    if (choice == 3) return std::numeric_limits<T>::infinity();
    if (choice == 4) return -T{0};
    return static_cast<T>(random.below(4)) / 2;
  }
  return static_cast<T>(random.below(3));
}

// On this machine a long double may hold no more than a double: integers are compared as two halves of the sign and the size.
template <class A, class B>
double distance(A a, B b) {
  if constexpr (std::is_floating_point_v<A> || std::is_floating_point_v<B>) {
    return std::fabs(static_cast<double>(a) - static_cast<double>(b));
  } else {
    const bool a_negative = a < A{0};
    const bool b_negative = b < B{0};
    const uint64_t a_size = a_negative ? uint64_t{0} - static_cast<uint64_t>(a) : static_cast<uint64_t>(a);
    const uint64_t b_size = b_negative ? uint64_t{0} - static_cast<uint64_t>(b) : static_cast<uint64_t>(b);
    if (a_negative == b_negative) return static_cast<double>(a_size > b_size ? a_size - b_size : b_size - a_size);
    const double sum = static_cast<double>(a_size + b_size);  // wraps at most once
    return a_size + b_size < a_size ? 18446744073709551616.0 + sum : sum;
  }
}

template <class T>
bool is_nan(T value) {
  return value != value;
}

template <class A, class B>
void compare(const Shape& shape, uint64_t seed, double tolerance, size_t limit) {
  Random random(seed);
  const size_t count = shape.count();
  Exact<A> a(count);
  Exact<B> b(count);
  for (size_t at = 0; at < count; ++at) {
    a[at] = value_of<A>(random);
    b[at] = random.below(3) == 0 ? value_of<B>(random) : B{0};
    if (random.below(2) == 0) a[at] = A{0};
  }
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    const VoxelDifferences found =
        compare_voxels(a.data(), type_of<A>(), b.data(), type_of<B>(), shape, tolerance, limit, axis, NEVER);
    VoxelDifferences expected;
    expected.begin = shape;
    expected.end.dimensions = shape.dimensions;
    if (count > 0) expected.planes.resize(static_cast<size_t>(shape[axis]));
    const Shape strides = shape.strides();
    for (size_t at = 0; at < count; ++at) {
      const bool one_nan = is_nan(a[at]) != is_nan(b[at]);
      if (is_nan(a[at]) && is_nan(b[at])) continue;
      const bool same_infinity = !one_nan && static_cast<double>(a[at]) == static_cast<double>(b[at]) &&
                                 std::isinf(static_cast<double>(a[at]));
      const double difference = one_nan ? 0 : same_infinity ? 0 : distance(a[at], b[at]);
      if (!one_nan && difference == 0) continue;
      ++expected.unequal;
      if (one_nan) ++expected.not_numbers;
      if (difference > expected.largest) {
        expected.largest = difference;
        expected.largest_at = static_cast<int64_t>(at);
      }
      if (!one_nan && difference <= tolerance) continue;
      ++expected.different;
      if (expected.first.size() < limit) expected.first.push_back(static_cast<double>(at));
      for (int each = 0; each < shape.dimensions; ++each) {
        const int64_t place = static_cast<int64_t>(at) / strides[each] % shape[each];
        expected.begin[each] = std::min(expected.begin[each], place);
        expected.end[each] = std::max(expected.end[each], place + 1);
        if (each == axis) expected.planes[static_cast<size_t>(place)] += 1;
      }
    }
    CHECK(found.unequal == expected.unequal && found.different == expected.different);
    CHECK(found.not_numbers == expected.not_numbers);
    CHECK(found.largest == expected.largest && found.largest_at == expected.largest_at);
    CHECK(found.first == expected.first);
    CHECK(found.begin == expected.begin && found.end == expected.end);
    CHECK(found.planes == expected.planes);
  }
}

template <class A>
void compare_with_all(const Shape& shape, uint64_t seed) {
  for (const double tolerance : {0.0, 1.0}) {
    compare<A, uint8_t>(shape, seed, tolerance, 3);
    compare<A, int16_t>(shape, seed, tolerance, 0);
    compare<A, uint32_t>(shape, seed, tolerance, 1000);
    compare<A, uint64_t>(shape, seed, tolerance, 3);
    compare<A, int64_t>(shape, seed, tolerance, 3);
    compare<A, float>(shape, seed, tolerance, 3);
    compare<A, double>(shape, seed, tolerance, 3);
  }
}

void long_rows() {
  // longer than what is converted at once
  const Shape shape({2, 70001});
  compare<uint8_t, uint64_t>(shape, 1, 0, 5);
  compare<float, double>(shape, 2, 0.5, 5);
  compare<int64_t, int64_t>(shape, 3, 0, 5);
}

void refusals() {
  const uint8_t value = 0;
  const auto with = [&](double tolerance, int axis, const Cancellation& cancellation) {
    return compare_voxels(&value, ElementType::uint8, &value, ElementType::uint8, Shape({1, 1}), tolerance, 1, axis, cancellation);
  };
  CHECK_ERROR("ERR_ARGUMENT", with(-1, 0, NEVER));
  CHECK_ERROR("ERR_ARGUMENT", with(std::numeric_limits<double>::quiet_NaN(), 0, NEVER));
  CHECK_ERROR("ERR_ARGUMENT", with(0, 2, NEVER));
  CHECK_ERROR("ERR_ARGUMENT", with(0, -1, NEVER));
  const uint8_t flag = 1;
  CHECK_ERROR("ERR_CANCELLED", with(0, 0, Cancellation(&flag)));
}

}  // namespace

int main() {
  uint64_t seed = 1;
  for (const Shape& shape : hostile_shapes()) {
    compare_with_all<uint8_t>(shape, ++seed);
    compare_with_all<uint64_t>(shape, ++seed);
    compare_with_all<int64_t>(shape, ++seed);
    compare_with_all<float>(shape, ++seed);
  }
  long_rows();
  refusals();
  return 0;
}
